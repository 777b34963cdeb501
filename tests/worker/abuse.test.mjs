import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { KEY, sign, TOKENS, useWorker } from "../support/harness.mjs";

const worker = useWorker();

test("40 completions of 3 MB at once are all kept", async () => {
  const tokens = await Promise.all(Array.from({ length: 40 }, () => worker.create()));
  const data = "x".repeat(3_000_000);
  const answers = await Promise.all(tokens.map(({ id }) => worker.complete(id, data)));
  assert.deepEqual(
    answers.map(({ status }) => status),
    Array(40).fill(200),
  );
  for (const { id } of tokens)
    assert.equal((await worker.retrieve(id)).output.length, data.length + 2);
});

test("headers of any content are answered, and never by a 5xx", async () => {
  for (const headers of [
    { authorization: `Bearer ${"a".repeat(15_000)}` },
    { authorization: "Bearer é" },
    { authorization: "Basic x" },
    { authorization: `Bearer Bearer ${KEY}` },
    { "content-type": "é" },
    { "if-none-match": "x".repeat(9_000) },
    { origin: "é\u00ff" },
    { "x-trigger-request-idempotency-key": "\u00ff".repeat(3_000) },
  ]) {
    for (const [path, body] of [
      [TOKENS, "{}"],
      [`${TOKENS}/x`, undefined],
      [`${TOKENS}/x/complete`, "{}"],
    ]) {
      const { status } = await worker.api(path, { body, headers });
      assert.ok(status < 500, `${status} ${path} ${JSON.stringify(headers).slice(0, 60)}`);
    }
  }
});

test("a client that leaves in the middle of its body decides nothing", async () => {
  const { id } = await worker.create();
  const leaving = new AbortController();
  const body = new ReadableStream({
    start: (stream) => stream.enqueue(new TextEncoder().encode('{"data":1')),
    pull: () => leaving.abort(),
  });
  const headers = { authorization: `Bearer ${KEY}` };
  const sent = fetch(`${worker.url}${TOKENS}/${id}/complete`, {
    method: "POST",
    body,
    headers,
    duplex: "half",
    signal: leaving.signal,
  });
  await assert.rejects(sent, { name: "AbortError" });
  assert.equal((await worker.retrieve(id)).status, "WAITING");
  assert.equal((await worker.complete(id, 1)).headers.get("waitpoint-outcome"), "completed");
});

test("a long body is 413, one without a credential 401, and the next is served", async () => {
  const { id } = await worker.create();
  const long = "x".repeat(3 * 1024 * 1024 + 1);
  const inChunks = () =>
    new ReadableStream({
      start(stream) {
        for (let at = 0; at < long.length; at += 100_000)
          stream.enqueue(new TextEncoder().encode(long.slice(at, at + 100_000)));
        stream.close();
      },
    });
  for (const [status, key] of [
    [413, KEY],
    [401, "nobody"],
  ]) {
    for (const body of [long, inChunks()]) {
      const answer = await fetch(`${worker.url}${TOKENS}/${id}/complete`, {
        method: "POST",
        body,
        duplex: "half",
        headers: { authorization: `Bearer ${key}` },
      });
      assert.equal(answer.status, status);
    }
  }
  // Chunks are joined in order, also around the size of the pieces in which they are read.
  for (const size of [0, 1, 65_535, 65_536, 65_537, 200_000]) {
    const token = await worker.create();
    const text = JSON.stringify({
      data: Array.from({ length: size }, (_, at) => at % 10).join(""),
    });
    const body = new ReadableStream({
      start(stream) {
        for (let at = 0; at < text.length; at += 7_919)
          stream.enqueue(new TextEncoder().encode(text.slice(at, at + 7_919)));
        stream.close();
      },
    });
    const answer = await fetch(`${worker.url}${TOKENS}/${token.id}/complete`, {
      method: "POST",
      body,
      duplex: "half",
      headers: { authorization: `Bearer ${KEY}` },
    });
    assert.equal(answer.headers.get("waitpoint-outcome"), "completed");
    assert.equal(
      (await worker.retrieve(token.id)).output,
      JSON.stringify(JSON.parse(text).data),
      String(size),
    );
  }
});

test("bodies that trickle hold nobody up, and complete when they are whole", async () => {
  const tokens = await Promise.all(Array.from({ length: 50 }, () => worker.create()));
  const streams = [];
  const sent = tokens.map(({ id }) =>
    fetch(`${worker.url}${TOKENS}/${id}/complete`, {
      method: "POST",
      body: new ReadableStream({
        start(stream) {
          stream.enqueue(new TextEncoder().encode('{"data":'));
          streams.push(stream);
        },
      }),
      duplex: "half",
      headers: { authorization: `Bearer ${KEY}` },
    }),
  );
  const other = await worker.create();
  assert.equal((await worker.complete(other.id, 1)).headers.get("waitpoint-outcome"), "completed");
  for (const { id } of tokens) assert.equal((await worker.retrieve(id)).status, "WAITING");
  for (const stream of streams) {
    stream.enqueue(new TextEncoder().encode("1}"));
    stream.close();
  }
  assert.deepEqual(
    (await Promise.all(sent)).map(({ status }) => status),
    Array(50).fill(200),
  );
});

test("a finished token that is completed over and over stays as it was", async () => {
  const { id } = await worker.create();
  await worker.complete(id, "first");
  const before = await worker.retrieve(id);
  const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => worker.complete(id, n)));
  assert.deepEqual(
    new Set(answers.map(({ headers }) => headers.get("waitpoint-outcome"))),
    new Set(["already-completed"]),
  );
  assert.deepEqual(await worker.retrieve(id), before);
});

test("made-up ids with a valid signature find nothing and leave nothing", async () => {
  const jwt = sign(["read:waitpoints", "write:waitpoints"]);
  const ids = Array.from(
    { length: 100 },
    () => `waitpoint_c${crypto.randomUUID().replaceAll("-", "").slice(0, 24)}`,
  );
  const ask = (id) =>
    Promise.all([
      worker.api(`${TOKENS}/${id}`, { key: jwt }),
      worker.complete(id, 1, { key: jwt }),
    ]);
  const answers = (await Promise.all(ids.map(ask))).flat();
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([404]));
  const listed = (await (await worker.api(`${TOKENS}?page[size]=100`)).json()).data.map(
    ({ id }) => id,
  );
  assert.deepEqual(
    ids.filter((id) => listed.includes(id)),
    [],
  );
});

test("abandoned waiters leave the token as it was, and the others are notified", async () => {
  const { id } = await worker.create();
  const open = () =>
    new WebSocket(`${worker.url.replace("http", "ws")}${TOKENS}/${id}/wait`, [
      "waitpoint.v1",
      `bearer.${sign([`read:waitpoints:${id}`])}`,
    ]);
  const staying = open();
  await once(staying, "message");
  const told = once(staying, "message");
  for (let n = 0; n < 5; n++) {
    const leaving = Array.from({ length: 20 }, open);
    await Promise.all(leaving.map((socket) => once(socket, "message")));
    for (const socket of leaving) socket.close();
  }
  assert.equal((await worker.complete(id, 1)).headers.get("waitpoint-outcome"), "completed");
  assert.equal(JSON.parse((await told)[0].data).status, "COMPLETED");
  staying.close();
});
