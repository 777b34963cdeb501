// The published SDK, unchanged, with this Worker as its API.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runInMockTaskContext } from "@trigger.dev/core/v3/test";
import { auth, wait } from "@trigger.dev/sdk";
import { KEY, TOKENS, until, useWorker } from "../support/harness.mjs";
import { example } from "../support/package.mjs";

const { tokenRuntime } = await import(join(example("runtime-manager"), "manager.mjs"));
const worker = useWorker();
const relay = useRelay();

/** Runs `work` with the SDK talking to the Worker through the relay, which counts and may fail. */
const withKey = (accessToken, work) => auth.withAuth({ baseURL: relay.url, accessToken }, work);
const asBackEnd = (work) => withKey(KEY, work);

const untilFinished = (id) =>
  until(
    () => wait.retrieveToken(id),
    ({ status }) => status !== "WAITING",
  );

test("create, complete and retrieve: every value comes back", async () => {
  await asBackEnd(async () => {
    for (const data of [
      { status: "approved", nested: [1, { a: null }] },
      [],
      {},
      "text",
      "",
      0,
      -1.5,
      false,
      true,
      null,
      "é🎉\n",
      JSON.parse('{"__proto__":{"polluted":true},"constructor":1}'),
      "x".repeat(2_500_000),
    ]) {
      const token = await wait.createToken({ timeout: "1h", tags: ["a"] });
      assert.match(token.id, /^waitpoint_/);
      assert.equal(token.isCached, false);
      assert.equal(
        token.url,
        `${relay.url}${TOKENS}/${token.id}/callback/${token.publicAccessToken}`,
      );
      assert.deepEqual(await wait.completeToken(token.id, data), { success: true });
      const found = await wait.retrieveToken(token.id);
      assert.equal(found.status, "COMPLETED");
      assert.deepEqual(found.output, data);
      assert.deepEqual(found.tags, ["a"]);
      assert.equal(found.error, undefined);
      assert.ok(found.completedAt >= found.createdAt && found.timeoutAt > found.createdAt);
    }
    const token = await wait.createToken();
    await wait.completeToken(token, undefined);
    assert.equal((await wait.retrieveToken(token)).output, undefined);
  });
});

test("a timeout may be a text or a Date", async () => {
  await asBackEnd(async () => {
    const date = new Date(Date.now() + 3_600_000);
    const { id } = await wait.createToken({ timeout: date });
    assert.deepEqual((await wait.retrieveToken(id)).timeoutAt, date);
    assert.equal((await wait.retrieveToken((await wait.createToken()).id)).timeoutAt, undefined);
  });
});

test("a token that timed out is seen as an error", async () => {
  await asBackEnd(async () => {
    const { id } = await wait.createToken({ timeout: "1s" });
    const token = await untilFinished(id);
    assert.equal(token.status, "TIMED_OUT");
    assert.equal(token.output, undefined);
    assert.match(token.error.message, /^Waitpoint timed out at 2/);
    assert.deepEqual(await wait.completeToken(id, 1), { success: true });
    assert.equal((await wait.retrieveToken(id)).status, "TIMED_OUT");
  });
});

test("a cancelled token is seen as an error, in words of its own", async () => {
  await asBackEnd(async () => {
    const { id } = await wait.createToken({ timeout: "1h" });
    await worker.api(`${TOKENS}/${id}/cancel`, { body: { reason: "a mistake" } });
    const token = await wait.retrieveToken(id);
    assert.equal(token.status, "TIMED_OUT");
    assert.equal(token.output, undefined);
    assert.ok(token.error instanceof Error);
    assert.equal(token.error.message, "a mistake");
    assert.ok(token.completedAt < token.timeoutAt);
    assert.deepEqual(await wait.completeToken(id, 1), { success: true });
    const after = await wait.retrieveToken(id);
    assert.deepEqual([after.status, after.error.message], ["TIMED_OUT", "a mistake"]);

    const silent = await wait.createToken();
    await worker.api(`${TOKENS}/${silent.id}/cancel`, { method: "POST" });
    assert.equal((await wait.retrieveToken(silent)).error.message, "Waitpoint cancelled");
  });
});

test("wait.listTokens has a cancelled token among those that timed out", async () => {
  await asBackEnd(async () => {
    const tag = crypto.randomUUID();
    const { id } = await wait.createToken({ timeout: "1h", tags: [tag] });
    await worker.api(`${TOKENS}/${id}/cancel`, { method: "POST" });
    const { completedAt } = await wait.retrieveToken(id);
    const listed = await until(
      async () => (await wait.listTokens({ tags: [tag], status: "TIMED_OUT" })).data,
      ({ length }) => length === 1,
    );
    assert.deepEqual(
      [listed[0].id, listed[0].status, listed[0].completedAt],
      [id, "TIMED_OUT", completedAt],
    );
  });
});

test("a default decision is an output like any, and a moved timeout is read", async () => {
  await asBackEnd(async () => {
    const { id } = await wait.createToken({ timeout: "1h", onTimeout: { data: { ok: false } } });
    const timeout = new Date(Date.now() + 1_500);
    await worker.api(`${TOKENS}/${id}/extend`, { body: { timeout } });
    assert.deepEqual((await wait.retrieveToken(id)).timeoutAt, timeout);
    const token = await untilFinished(id);
    assert.deepEqual(
      [token.status, token.output, token.error],
      ["COMPLETED", { ok: false }, undefined],
    );
  });
});

test("a browser completes with the token's own JWT, or with one that the SDK signed", async () => {
  const [own, signed, other] = await asBackEnd(() =>
    Promise.all([1, 2, 3].map(() => wait.createToken())),
  );
  await withKey(own.publicAccessToken, () => wait.completeToken(own.id, "own"));
  const jwt = await asBackEnd(() =>
    auth.createPublicToken({ scopes: { write: { waitpoints: [signed.id] } } }),
  );
  await withKey(jwt, () => wait.completeToken(signed.id, "signed"));
  await assert.rejects(
    withKey(jwt, () => wait.completeToken(other.id, 1)),
    { status: 403, name: "TriggerApiError" },
  );
  await asBackEnd(async () => {
    assert.equal((await wait.retrieveToken(own.id)).output, "own");
    assert.equal((await wait.retrieveToken(signed.id)).output, "signed");
    assert.equal((await wait.retrieveToken(other.id)).status, "WAITING");
  });
});

test("refusals are the SDK's errors, told at once and not tried again", async () => {
  const refusals = [
    [404, () => wait.retrieveToken("waitpoint_cnobody")],
    [404, () => wait.completeToken("waitpoint_cnobody", 1)],
    [400, () => wait.createToken({ timeout: "10 minutes" }), /10 minutes/],
    [422, () => wait.createToken({ tags: Array(11).fill("x") }), /10 tags/],
    [
      400,
      () => wait.createToken({ idempotencyKey: "k", idempotencyKeyTTL: "soon" }),
      /not a valid duration/,
    ],
  ];
  for (const [status, work, message = /./] of refusals) {
    const before = relay.requests.length;
    await assert.rejects(asBackEnd(work), { status, message });
    assert.equal(relay.requests.length - before, 1, `${status} was tried once`);
  }
  await assert.rejects(
    withKey("tr_dev_nobody78901234567890abcd", () => wait.createToken()),
    { status: 401 },
  );
});

test("when the answer to a create is lost, the SDK's retry finds the same token", async () => {
  await asBackEnd(async () => {
    const before = relay.requests.length;
    relay.loseNext = true;
    const token = await wait.createToken({ timeout: "1h" });
    const creates = relay.requests.slice(before);
    assert.equal(creates.length, 2, "the first answer was lost, the second arrived");
    assert.equal(new Set(creates.map(({ key }) => key)).size, 1);
    assert.equal(JSON.parse(creates[0].answer).id, token.id);
  });
});

test("wait.listTokens pages through a thousand tokens, forwards and backwards", async () => {
  await asBackEnd(async () => {
    const tag = crypto.randomUUID();
    const made = [];
    for (let group = 0; group < 20; group++) {
      const tokens = await Promise.all(
        Array.from({ length: 51 }, () => wait.createToken({ tags: [tag, "many"] })),
      );
      made.push(...tokens.map(({ id }) => id));
    }
    const forwards = async () => {
      const ids = [];
      for await (const { id } of wait.listTokens({ tags: [tag], limit: 100 })) ids.push(id);
      return ids;
    };
    const ids = await until(forwards, ({ length }) => length === made.length);
    assert.deepEqual(ids.toSorted(), made.toSorted());
    let page = await wait.listTokens({ tags: tag, limit: 100 });
    const pages = [page];
    while (page.hasNextPage()) {
      page = await page.getNextPage();
      pages.push(page);
    }
    assert.equal(pages.length, 11);
    const back = [page];
    while (page.hasPreviousPage()) {
      page = await page.getPreviousPage();
      back.unshift(page);
    }
    const read = (pages) => pages.map(({ data }) => data.map(({ id }) => id));
    // The first page backwards from the last is full, so the groups differ and the order does not.
    assert.deepEqual(read(back).flat(), read(pages).flat());
    await wait.completeToken(ids[0], 1);
    const done = { tags: [tag], status: ["COMPLETED", "TIMED_OUT"], period: "1h" };
    const listed = await until(
      async () => (await wait.listTokens(done)).data,
      ({ length }) => length === 1,
    );
    assert.deepEqual(
      [listed[0].id, listed[0].status, listed[0].completedAt instanceof Date],
      [ids[0], "COMPLETED", true],
    );
    assert.deepEqual((await wait.listTokens({ tags: [tag], to: new Date(1) })).data, []);
  });
});

test("an idempotency key gives the same token, with a credential that works", async () => {
  await asBackEnd(async () => {
    const fields = { idempotencyKey: crypto.randomUUID(), idempotencyKeyTTL: "1h" };
    const [first, second] = [await wait.createToken(fields), await wait.createToken(fields)];
    assert.deepEqual([first.isCached, second.isCached, second.id], [false, true, first.id]);
    await withKey(second.publicAccessToken, () => wait.completeToken(second.id, "once"));
    const third = await wait.createToken(fields);
    assert.deepEqual([third.id, third.isCached], [first.id, true]);
    assert.equal(
      (await wait.retrieveToken(first.id)).idempotencyKey,
      (await wait.retrieveToken(third)).idempotencyKey,
    );
  });
});

test("wait.forToken resumes a run with the output, the timeout or the cancellation", async () => {
  await inTask(async () => {
    for (const output of [{ status: "approved" }, undefined, "", null, 0]) {
      const token = await wait.createToken({ timeout: "1h" });
      const resumed = wait.forToken(token);
      const asked = ({ url }) =>
        url === `/engine/v1/runs/run_test/waitpoints/tokens/${token.id}/wait`;
      await until(() => relay.requests.some(asked), Boolean);
      await worker.complete(token.id, output);
      assert.deepEqual(await resumed, { ok: true, output });
    }
    const late = await wait.createToken({ timeout: "1s" });
    const result = wait.forToken(late);
    await assert.rejects(result.unwrap(), /Waitpoint timed out at/);
    const withdrawn = await wait.createToken({ timeout: "1h" });
    await worker.api(`${TOKENS}/${withdrawn.id}/cancel`, { body: { reason: "a mistake" } });
    const { ok, error } = await wait.forToken(withdrawn);
    assert.deepEqual([ok, error.message], [false, "a mistake"]);
  });
});

/** A trigger.dev task whose runtime is the example's: it waits at the Worker. */
function inTask(work) {
  const runtimeManager = tokenRuntime({ baseURL: worker.url, accessToken: KEY });
  return runInMockTaskContext(() => asBackEnd(work), { runtimeManager });
}

/**
 * A relay between the SDK and the Worker: keeps what passed, and drops a response when asked to.
 */
function useRelay() {
  const relay = { url: "", requests: [], loseNext: false };
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request));
    const { host, connection, "content-length": _, ...headers } = request.headers;
    const answer = await fetch(worker.url + request.url, {
      method: request.method,
      headers,
      body: body.length ? body : undefined,
    });
    const text = (await answer.text()).replaceAll(worker.url, relay.url);
    relay.requests.push({
      url: request.url,
      key: request.headers["x-trigger-request-idempotency-key"],
      answer: text,
    });
    if (relay.loseNext) {
      relay.loseNext = false;
      return response.destroy();
    }
    const kept = [...answer.headers].filter(
      ([name]) => !["content-length", "content-encoding"].includes(name),
    );
    response.writeHead(answer.status, Object.fromEntries(kept)).end(text);
  });
  before(async () => {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    relay.url = `http://127.0.0.1:${server.address().port}`;
  });
  after(() => server.close());
  return relay;
}
