// The relay while upstream is unavailable, slow, refuses, or has decided otherwise.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { sign, TOKENS, until } from "../support/harness.mjs";
import { useRelay } from "../support/relay.mjs";

const { upstream, way, edge, asked, failing, delivery, difference, delivered } = await useRelay();

test("a decision stands while upstream is away, and reaches upstream when it is back", async () => {
  const token = await edge.create({ timeout: "1h" });
  await failing("down", async () => {
    const first = await edge.complete(token.id, "first", { key: token.publicAccessToken });
    assert.deepEqual([first.status, first.headers.get("waitpoint-outcome")], [200, "completed"]);
    const second = await edge.complete(token.id, "second");
    assert.deepEqual(
      [second.status, second.headers.get("waitpoint-outcome")],
      [200, "already-completed"],
    );
    const answer = await edge.api(`${TOKENS}/${token.id}`);
    assert.equal(answer.headers.get("waitpoint-source"), "edge");
    const { status, output } = await answer.json();
    assert.deepEqual([status, output], ["COMPLETED", '"first"']);
    const tried = await until(
      () => delivery(token),
      ({ attempts }) => attempts >= 2,
    );
    assert.equal(tried.status, "pending");
    for (const path of [TOKENS, `${TOKENS}/waitpoint_cother`]) {
      const away = await edge.api(path);
      assert.ok([500, 503].includes(away.status), `${path}: ${away.status}`);
    }
  });
  assert.equal((await upstream.retrieve(token.id)).status, "WAITING");
  await delivered(token);
  const there = await upstream.retrieve(token.id);
  assert.deepEqual([there.status, there.output], ["COMPLETED", '"first"']);
  const { tags, timeoutAt, createdAt } = await edge.retrieve(token.id);
  assert.deepEqual([tags, timeoutAt, createdAt], [[], there.timeoutAt, there.createdAt]);
});

test("after a 429, a 500 or a lost answer upstream gets the first decision again", async () => {
  const resets = () => ({ "x-ratelimit-reset": String(Date.now() + 2000) });
  for (const failure of [[500], [503, { "retry-after": "2" }], [429, resets()], "lost"]) {
    const token = await edge.create();
    let left = 2;
    const before = way.completions.length;
    await failing(
      (request) => (request.url.endsWith("/complete") && left-- > 0 ? failure : undefined),
      async () => {
        await Promise.all(["a", "b", "c"].map((data) => edge.complete(token.id, data)));
        await delivered(token);
      },
    );
    const sent = way.completions.slice(before);
    assert.equal(sent.length, 3, `${failure}`);
    assert.equal(new Set(sent.map(({ body }) => body)).size, 1);
    const [ours, theirs] = [await edge.retrieve(token.id), await upstream.retrieve(token.id)];
    assert.equal(theirs.output, ours.output);
    assert.equal(JSON.parse(sent[0].body).data, JSON.parse(ours.output));
    const { attempts, difference } = await delivery(token);
    assert.deepEqual([attempts, difference], [3, undefined]);
  }
});

test("nobody who decides waits for upstream", async () => {
  const token = await edge.create();
  const hold = Promise.withResolvers();
  await failing(
    () => hold.promise,
    async () => {
      const asked = once(way, "asked");
      assert.equal((await edge.complete(token.id, 1)).status, 200);
      await asked;
      assert.equal(
        (await edge.complete(token.id, 1)).headers.get("waitpoint-outcome"),
        "already-completed",
      );
      hold.resolve();
      await delivered(token);
    },
  );
});

test("what upstream will never take is told, and not tried again", async () => {
  for (const status of [401, 403, 404]) {
    const token = await edge.create();
    await failing([status], async () => {
      await edge.complete(token.id, 1);
      const { attempts, lastStatus } = await until(
        () => delivery(token),
        (one) => one.status === "failed",
      );
      assert.deepEqual([attempts, lastStatus], [1, status]);
    });
    assert.equal((await edge.retrieve(token.id)).output, "1");
  }
});

test("what upstream had decided before is found out and noted", async () => {
  const otherwise = await edge.create();
  await upstream.complete(otherwise.id, "theirs");
  assert.equal(
    (await edge.complete(otherwise.id, "ours")).headers.get("waitpoint-outcome"),
    "completed",
  );
  assert.equal(await difference(otherwise), "it had been completed upstream with another output");
  const same = await edge.create();
  await upstream.complete(same.id, { a: 1 });
  const compared = asked(same);
  await edge.complete(same.id, { a: 1 });
  await compared;
  assert.equal((await delivered(same)).difference, undefined);
  // Megabytes of small values, which upstream spells in another way.
  const pieces = `[${'{"":0},'.repeat(200_000)}0]`;
  for (const [theirs, isSame] of [
    [pieces.replaceAll('"":0', '"\\u0061":0'), false],
    [pieces.replaceAll(",", " ,"), true],
  ]) {
    const token = await edge.create();
    await upstream.api(`${TOKENS}/${token.id}/complete`, { body: `{"data":${theirs}}` });
    const compared = asked(token);
    await edge.api(`${TOKENS}/${token.id}/complete`, { body: `{"data":${pieces}}` });
    await compared;
    if (isSame) assert.equal((await delivered(token)).difference, undefined);
    else
      assert.equal(await difference(token), "it had been completed upstream with another output");
  }
  const late = await edge.create({ timeout: "1s" });
  await until(
    () => upstream.retrieve(late.id),
    ({ status }) => status === "TIMED_OUT",
  );
  assert.equal((await edge.retrieve(late.id)).status, "TIMED_OUT");
  await edge.complete(late.id, 1);
  assert.equal(await difference(late), "it had timed out upstream");
});

test("the page decides as usual while upstream is away or slow", async () => {
  for (const fields of [{}, { approval: { title: "Asked at the edge" } }]) {
    const token = await edge.create(fields);
    await failing("down", async () => {
      const open = () => fetch(token.url, { headers: { accept: "text/html" } });
      const page = await open();
      assert.equal(page.status, 200);
      const text = await page.text();
      if (fields.approval) assert.match(text, /Asked at the edge/);
      const nonce = /name="waitpoint_nonce" value="([^"]+)"/.exec(text)[1];
      const send = (choice) =>
        fetch(token.url, {
          method: "POST",
          headers: { accept: "text/html" },
          body: new URLSearchParams({ waitpoint_nonce: nonce, choice }),
          redirect: "manual",
        });
      assert.equal((await send("0")).status, 303);
      assert.equal((await send("1")).status, 409);
      assert.match(await (await open()).text(), /<h1><bdi lang="">Approve<\/bdi><\/h1>/);
    });
    await delivered(token);
    assert.equal((await upstream.retrieve(token.id)).output, '{"status":"approved"}');
  }
});

test("a passing error of upstream's is none of a token that is known", async () => {
  const token = await edge.create({ approval: { title: "?" } });
  await failing(
    (request) => (request.method === "GET" ? [500] : undefined),
    async () => {
      const answer = await edge.api(`${TOKENS}/${token.id}`, {
        key: sign([`read:waitpoints:${token.id}`]),
      });
      assert.equal((await answer.json()).status, "WAITING");
      assert.equal((await edge.api(`${TOKENS}/${token.id}`)).status, 500);
    },
  );
  const limits = { "x-ratelimit-reset": "1", "x-ratelimit-limit": "5" };
  await failing(
    (request) => (request.method === "GET" ? [429, limits] : undefined),
    async () => {
      const answer = await edge.api(`${TOKENS}/${token.id}`);
      assert.deepEqual([answer.status, answer.headers.get("x-ratelimit-limit")], [429, "5"]);
    },
  );
});
