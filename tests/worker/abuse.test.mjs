import assert from "node:assert/strict";
import { test } from "node:test";
import { KEY, TOKENS, useWorker } from "../harness.mjs";

const worker = useWorker();

test("40 completions of 3 MB at once are all kept", async () => {
  const tokens = await Promise.all(Array.from({ length: 40 }, () => worker.create()));
  const data = "x".repeat(3_000_000);
  const answers = await Promise.all(tokens.map(({ id }) => worker.complete(id, data)));
  assert.deepEqual(answers.map(({ status }) => status), Array(40).fill(200));
  for (const { id } of tokens) assert.equal((await worker.retrieve(id)).output.length, data.length + 2);
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
    for (const [path, body] of [[TOKENS, "{}"], [`${TOKENS}/x`, undefined], [`${TOKENS}/x/complete`, "{}"]]) {
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
    method: "POST", body, headers, duplex: "half", signal: leaving.signal,
  });
  await assert.rejects(sent, { name: "AbortError" });
  assert.equal((await worker.retrieve(id)).status, "WAITING");
  assert.equal((await worker.complete(id, 1)).headers.get("waitpoint-outcome"), "completed");
});
