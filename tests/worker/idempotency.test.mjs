// Idempotency keys: one key leads to one token, however many requests there are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEY, OTHER_KEY, TOKENS, until, useWorker } from "../support/harness.mjs";

const worker = useWorker();
const shortRetention = useWorker({ vars: { RETENTION: "1s" } });
const fresh = () => `key-${crypto.randomUUID()}`;

test("the same key leads to the same token, whatever has become of it", async () => {
  const idempotencyKey = fresh();
  const first = await worker.create({ idempotencyKey, tags: ["first"], timeout: "1h" });
  assert.equal(first.isCached, false);
  const second = await worker.create({ idempotencyKey, tags: ["second"], timeout: "2h" });
  assert.deepEqual([second.id, second.isCached, second.url], [first.id, true, first.url]);
  const token = await worker.retrieve(first.id);
  assert.deepEqual(
    [
      token.tags,
      token.idempotencyKey,
      token.userProvidedIdempotencyKey,
      token.idempotencyKeyExpiresAt,
    ],
    [["first"], idempotencyKey, true, undefined],
  );
  // The key is the back end's and is not shown to browsers.
  assert.equal(
    (await worker.retrieve(first.id, { key: first.publicAccessToken })).idempotencyKey,
    undefined,
  );
  await worker.complete(second.id, 1, { key: second.publicAccessToken });
  const third = await worker.create({ idempotencyKey });
  assert.deepEqual([third.id, third.isCached], [first.id, true]);
  assert.equal((await worker.retrieve(third.id)).status, "COMPLETED");
});

test("of creates that race exactly one says that it was not there before", async () => {
  for (const headers of [
    () => ({}),
    () => ({ "x-trigger-request-idempotency-key": crypto.randomUUID() }),
  ]) {
    const idempotencyKey = fresh();
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        worker.create({ idempotencyKey, tags: [`${n}`] }, { headers: headers() }),
      ),
    );
    assert.equal(new Set(made.map(({ id }) => id)).size, 1);
    const winners = made.flatMap(({ isCached }, n) => (isCached ? [] : [n]));
    assert.equal(winners.length, 1);
    assert.deepEqual((await worker.retrieve(made[0].id)).tags, [`${winners[0]}`]);
  }
});

test("the retry of the request that made it is told the same as that", async () => {
  const body = { idempotencyKey: fresh() };
  const headers = { "x-trigger-request-idempotency-key": crypto.randomUUID() };
  const [first, again] = [
    await worker.create(body, { headers }),
    await worker.create(body, { headers }),
  ];
  assert.deepEqual([again.id, again.isCached], [first.id, false]);
  assert.equal((await worker.create(body)).isCached, true);
});

test("a key that has expired leads to a new token; the old one lives on", async () => {
  const idempotencyKey = fresh();
  const first = await worker.create({ idempotencyKey, idempotencyKeyTTL: "1s" });
  const { idempotencyKeyExpiresAt, createdAt } = await worker.retrieve(first.id);
  assert.equal(Date.parse(idempotencyKeyExpiresAt) - Date.parse(createdAt), 1000);
  const next = await until(
    () => worker.create({ idempotencyKey }),
    ({ isCached }) => !isCached,
  );
  assert.notEqual(next.id, first.id);
  assert.equal((await worker.retrieve(first.id)).status, "WAITING");
  assert.deepEqual(
    await worker.create({ idempotencyKey }).then(({ id, isCached }) => [id, isCached]),
    [next.id, true],
  );
});

test("a key whose token is forgotten is free again", async () => {
  const idempotencyKey = fresh();
  const { id } = await shortRetention.create({ idempotencyKey });
  await shortRetention.complete(id, 1);
  const next = await until(
    () => shortRetention.create({ idempotencyKey }),
    (made) => made.id !== id,
  );
  assert.equal(next.isCached, false);
});

test("a claim that was not followed by a token is mended by the next create", async () => {
  // The token's object is unreachable once, as after a crash between key and token.
  const idempotencyKey = fresh();
  const stub = async (name) => (await worker.server.getWorker().getEnv()).KEYS.getByName(name);
  const digest = Buffer.from(
    await crypto.subtle.digest("SHA-256", Buffer.from(idempotencyKey)),
  ).toString("base64url");
  const object = await stub(`default/${digest}`);
  const claim = JSON.stringify({ claim: { id: "cclaimedandneverfollowedup" } });
  assert.equal(
    await (await object.fetch("http://object/", { method: "POST", body: claim })).json(),
    "cclaimedandneverfollowedup",
  );
  const made = await worker.create({ idempotencyKey, tags: ["mended"] });
  assert.deepEqual([made.id, made.isCached], ["waitpoint_cclaimedandneverfollowedup", false]);
  assert.deepEqual((await worker.retrieve(made.id)).tags, ["mended"]);
  assert.equal((await worker.create({ idempotencyKey })).isCached, true);
});

test("an empty key is none, environments are apart, long and odd keys work", async () => {
  const [one, two] = [
    await worker.create({ idempotencyKey: "" }),
    await worker.create({ idempotencyKey: "" }),
  ];
  assert.notEqual(one.id, two.id);
  assert.deepEqual([one.isCached, two.isCached], [false, false]);
  const idempotencyKey = `${fresh()}/${"é🎉\n".repeat(400)}`;
  const ours = await worker.create({ idempotencyKey }, { key: KEY });
  const theirs = await worker.create({ idempotencyKey }, { key: OTHER_KEY });
  assert.notEqual(ours.id, theirs.id);
  assert.equal(theirs.isCached, false);
  assert.equal((await worker.create({ idempotencyKey }, { key: OTHER_KEY })).isCached, true);
});

test("what is no key and no life of a key is refused, naming it", async () => {
  for (const [body, said] of [
    [{ idempotencyKey: null }, /at "idempotencyKey": "null" is not a string/],
    [
      { idempotencyKey: "x".repeat(2049) },
      /idempotencyKey is too long. Use at most 2048 characters/,
    ],
    [
      { idempotencyKey: "x", idempotencyKeyTTL: "soon" },
      /"soon" is not a valid duration\. Use one such as "30s"/,
    ],
    [{ idempotencyKeyTTL: "1.5h" }, /"1\.5h" is not a valid duration/],
  ]) {
    const answer = await worker.api(TOKENS, { body });
    assert.equal(answer.status, 400);
    assert.match((await answer.json()).error, said);
  }
});
