// Waiting by socket, by events and by long poll. A completion reaches all waiters, also late ones.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { KEY, sign, TOKENS, useWorker } from "../support/harness.mjs";
import { events, openSocket, waitPath as wait } from "../support/waiters.mjs";

const worker = useWorker();
const socket = (token, protocols) => openSocket(worker, token, protocols);

/** What `work` returns for each, a hundred at a time. */
async function inGroups(items, work) {
  const made = [];
  for (let at = 0; at < items.length; at += 100)
    made.push(...(await Promise.all(items.slice(at, at + 100).map(work))));
  return made;
}

test("a socket hears the token as it stands and how it ends, then it is closed", async () => {
  const token = await worker.create({ timeout: "1h", tags: ["a"] });
  const waiter = socket(token);
  const first = JSON.parse(await waiter.next());
  const { url, shortUrl, history, ...retrieved } = await worker.retrieve(token.id);
  assert.deepEqual(first, { ...retrieved, url: `${worker.url}${TOKENS}/${token.id}` });
  assert.equal(waiter.protocol, "waitpoint.v1");
  waiter.send("ping");
  assert.equal(await waiter.next(), "pong");
  await worker.complete(token.id, { done: "é" });
  const last = JSON.parse(await waiter.next());
  assert.deepEqual([last.status, last.output], ["COMPLETED", `{"done":"é"}`]);
  assert.equal(await waiter.closed, 1000);
});

test("whoever comes late is told at once, by each of the ways", async () => {
  const token = await worker.create();
  await worker.complete(token.id, 1);
  const waiter = socket(token);
  assert.equal(JSON.parse(await waiter.next()).output, "1");
  assert.equal(await waiter.closed, 1000);
  const next = events(await worker.api(wait(token), { headers: { accept: "text/event-stream" } }));
  assert.equal((await next()).token.output, "1");
  assert.equal(await next(), undefined);
  const polled = await worker.api(wait(token), { headers: { prefer: "wait=25" } });
  assert.equal((await polled.json()).output, "1");
});

test("a timeout ends a wait as a decision does", async () => {
  const token = await worker.create({ timeout: "1s" });
  const waiter = socket(token);
  const polled = worker.api(wait(token), { headers: { prefer: "wait=20" } });
  assert.equal(JSON.parse(await waiter.next()).status, "WAITING");
  assert.equal(JSON.parse(await waiter.next()).status, "TIMED_OUT");
  assert.equal((await (await polled).json()).status, "TIMED_OUT");
});

test("events carry ids; what was seen is not said again", async () => {
  const token = await worker.create();
  const answer = await worker.api(wait(token), {
    headers: { accept: "text/event-stream" },
    key: token.publicAccessToken,
  });
  assert.match(answer.headers.get("content-type"), /^text\/event-stream/);
  const next = events(answer);
  const first = await next();
  assert.deepEqual([first.event, first.id, first.token.status], ["token", "v1", "WAITING"]);
  const resumed = events(
    await worker.api(wait(token), {
      headers: { accept: "text/event-stream", "last-event-id": "v1" },
    }),
  );
  await worker.complete(token.id, "x".repeat(100_000));
  for (const wanted of [next, resumed]) {
    const last = await wanted();
    assert.deepEqual([last.id, last.token.output.length], ["v2", 100_002]);
    assert.equal(await wanted(), undefined);
  }
});

test("what a token asks does not confuse the events about it", async () => {
  const approval = {
    title: "Is it?",
    description: `{"status":"WAITING"}`,
    choices: [{ label: "A", data: { status: "WAITING" } }],
  };
  const token = await worker.create({ approval, tags: [`"status":"WAITING"`] });
  const waits = (headers) =>
    worker.api(wait(token), {
      headers: { accept: "text/event-stream", ...headers },
      key: token.publicAccessToken,
    });
  const [next, resumed] = [events(await waits()), events(await waits({ "last-event-id": "v1" }))];
  assert.equal((await next()).id, "v1");
  await worker.complete(token.id, { status: "WAITING" });
  for (const wanted of [next, resumed, events(await waits({ "last-event-id": "v1" }))]) {
    const last = await wanted();
    assert.deepEqual([last?.id, last?.token.status], ["v2", "COMPLETED"]);
    assert.equal(await wanted(), undefined);
  }
  assert.equal(await events(await waits({ "last-event-id": "v2" }))(), undefined);
});

test("a long poll ends with the token, or in time with it still waiting", async () => {
  const token = await worker.create();
  const early = await worker.api(wait(token), { headers: { prefer: "wait=1" } });
  assert.deepEqual(
    [early.status, early.headers.get("preference-applied"), early.headers.get("etag")],
    [200, "wait=1", '"v1"'],
  );
  assert.equal((await early.json()).status, "WAITING");
  const at_once = await worker.api(wait(token));
  assert.deepEqual([at_once.status, at_once.headers.get("preference-applied")], [200, null]);
  const unchanged = await worker.api(wait(token), { headers: { "if-none-match": '"v1"' } });
  assert.equal(unchanged.status, 304);
  const polled = worker.api(wait(token), { headers: { prefer: "respond-async, wait=900" } });
  await worker.complete(token.id, 1);
  const answer = await polled;
  assert.deepEqual(
    [answer.headers.get("preference-applied"), (await answer.json()).status],
    ["wait=25", "COMPLETED"],
  );
});

test("a wait needs the scope to read, checked before the upgrade, not in the query", async () => {
  const token = await worker.create();
  const other = await worker.create();
  const unknown = { id: "waitpoint_cnobody" };
  for (const [status, target, key, query] of [
    [401, token, ""],
    [401, token, "nobody"],
    [401, token, "", `?accessToken=${token.publicAccessToken}&token=${token.publicAccessToken}`],
    [403, token, other.publicAccessToken],
    [403, token, sign([`write:waitpoints:${token.id}`])],
    [404, unknown, KEY],
  ]) {
    for (const headers of [{}, { accept: "text/event-stream" }, { prefer: "wait=5" }]) {
      const answer = await worker.api(wait(target) + (query ?? ""), {
        key,
        headers: { ...headers, origin: "https://app.example" },
      });
      assert.equal(answer.status, status, JSON.stringify(headers));
      assert.equal(answer.headers.get("access-control-allow-origin"), "https://app.example");
    }
  }
  for (const protocols of [
    ["waitpoint.v1"],
    ["waitpoint.v1", "bearer.x.y.z"],
    ["waitpoint.v1", `bearer.${other.publicAccessToken}`],
  ]) {
    const refused = socket(token, protocols);
    const [opened] = await Promise.race([
      once(refused, "open").then(() => [true]),
      refused.closed.then(() => [false]),
    ]);
    assert.equal(opened, false);
  }
});

test("1,000 waiters of one token are all told, and one on each of 1,000 tokens", async () => {
  const one = await worker.create();
  const many = await inGroups(Array(1000).fill({}), (fields) => worker.create(fields));
  const waiters = await inGroups([...many.map(() => one), ...many], async (token) => {
    const waiter = socket(token);
    assert.equal(JSON.parse(await waiter.next()).status, "WAITING");
    return waiter;
  });
  const told = waiters.map(async (waiter) => JSON.parse(JSON.parse(await waiter.next()).output));
  await inGroups([one, ...many], ({ id }) => worker.complete(id, id));
  assert.deepEqual(await Promise.all(told), [
    ...many.map(() => one.id),
    ...many.map(({ id }) => id),
  ]);
});

test("a waiter outlives the memory of its token's object", async () => {
  const token = await worker.create();
  const waiter = socket(token);
  const stream = events(
    await worker.api(wait(token), { headers: { accept: "text/event-stream" } }),
  );
  const polled = worker.api(wait(token), { headers: { prefer: "wait=25" } });
  assert.equal(JSON.parse(await waiter.next()).status, "WAITING");
  assert.equal((await stream()).token.status, "WAITING");
  await worker.evict(token.id, { webSockets: "hibernate" });
  waiter.send("ping");
  assert.equal(await waiter.next(), "pong");
  assert.equal(
    (await worker.complete(token.id, "kept")).headers.get("waitpoint-outcome"),
    "completed",
  );
  assert.equal(JSON.parse(await waiter.next()).output, '"kept"');
  assert.equal((await stream()).token.output, '"kept"');
  assert.equal((await (await polled).json()).output, '"kept"');
});

test("of many waiters for an output of megabytes some must connect again", async () => {
  const token = await worker.create();
  const waiters = await inGroups(Array.from({ length: 12 }), async () => {
    const waiter = socket(token);
    await waiter.next();
    return waiter;
  });
  const output = "x".repeat(2_500_000);
  await worker.complete(token.id, output);
  const codes = await Promise.all(waiters.map(({ closed }) => closed));
  const again = codes.filter((code) => code === 1013).length;
  assert.deepEqual([codes.filter((code) => code === 1000).length, again], [7, 5]);
  for (const waiter of [waiters[codes.indexOf(1000)], socket(token)]) {
    assert.equal(JSON.parse(await waiter.next()).output.length, output.length + 2);
  }
});

test("a waiter that says something is let go of: each message would wake its object", async () => {
  const token = await worker.create();
  const waiter = socket(token);
  await waiter.next();
  waiter.send("hello");
  assert.equal(await waiter.closed, 1008);
  assert.equal((await worker.retrieve(token.id)).status, "WAITING");
});

test("a waiter that has left is forgotten, and the others are told", async () => {
  const token = await worker.create();
  const [leaving, staying] = [socket(token), socket(token)];
  await Promise.all([leaving.next(), staying.next()]);
  leaving.close();
  await leaving.closed;
  const gone = new AbortController();
  const stream = await worker.api(wait(token), { headers: { accept: "text/event-stream" } });
  await events(stream)();
  gone.abort();
  assert.equal((await worker.complete(token.id, 1)).status, 200);
  assert.equal(JSON.parse(await staying.next()).status, "COMPLETED");
});
