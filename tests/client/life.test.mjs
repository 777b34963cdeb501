// cancelToken, extendToken and a token's history, by the packed package against the real Worker.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { KEY, until, useWorker } from "../support/harness.mjs";
import { installed } from "../support/package.mjs";

const { folder } = installed();
const { cancelToken, completeToken, configure, createToken, extendToken, retrieveToken } =
  await import(pathToFileURL(join(folder, "node_modules/waitpoint/server.js")));
const worker = useWorker();
beforeEach(() => configure({ baseURL: worker.url, accessToken: KEY }));

/** A server that answers as it is told, and the requests that it has heard. */
const heard = [];
let answer = { status: 200, body: {} };
const stub = createServer(async (request, response) => {
  const body = Buffer.concat(await Array.fromAsync(request)).toString();
  heard.push({ url: request.url, key: request.headers.authorization, body: JSON.parse(body) });
  response.writeHead(answer.status, answer.headers).end(JSON.stringify(answer.body));
});
let stubURL = "";
before(async () => {
  await once(stub.listen(0, "127.0.0.1"), "listening");
  stubURL = `http://127.0.0.1:${stub.address().port}`;
});
after(() => stub.close());

const rejection = (promise) =>
  promise.then(
    () => assert.fail("it was not refused"),
    (error) => error,
  );
const read = ({ id }) => retrieveToken(id);
const kinds = ({ history }) => history.map(({ type }) => type);

test("a token is cancelled by its id, its url or as it was created, by the key", async () => {
  for (const name of [(t) => t, (t) => t.id, (t) => t.url, (t) => new URL(t.url)]) {
    const token = await createToken({ timeout: "1h" });
    const reason = "Not needed: é\u{1f600}";
    assert.deepEqual(await cancelToken(name(token), { reason }), {
      success: true,
      outcome: "cancelled",
    });
    const { status, output, error, cancelledAt, cancelReason, ...found } = await read(token);
    assert.deepEqual([status, output, cancelReason], ["TIMED_OUT", undefined, reason]);
    assert.deepEqual([error.code, error.message, error.retryable], ["cancelled", reason, false]);
    assert.deepEqual(cancelledAt, found.completedAt);
    assert.ok(cancelledAt instanceof Date && cancelledAt < found.timeoutAt);
    assert.deepEqual(found.history, [
      { type: "created", at: found.createdAt },
      { type: "cancelled", at: cancelledAt, reason },
    ]);
  }
});

test("whoever comes later is told how the token ended", async () => {
  const cancelled = await createToken();
  assert.equal((await cancelToken(cancelled)).outcome, "cancelled");
  assert.equal((await cancelToken(cancelled, { reason: "again" })).outcome, "cancelled");
  assert.equal((await completeToken(cancelled, 1)).outcome, "cancelled");
  const { error, cancelReason } = await read(cancelled);
  assert.deepEqual([error.message, cancelReason], ["Waitpoint cancelled", undefined]);

  const completed = await createToken();
  await completeToken(completed, 1);
  assert.equal((await cancelToken(completed, {})).outcome, "already-completed");
  assert.equal((await read(completed)).status, "COMPLETED");

  const late = await createToken({ timeout: "1s" });
  await until(
    () => read(late),
    ({ status }) => status === "TIMED_OUT",
  );
  assert.equal((await cancelToken(late)).outcome, "timed-out");
  assert.equal((await read(late)).error.code, "timed_out");
});

test("a timeout is moved, later or earlier, and the token is handed out anew", async () => {
  const token = await createToken({ timeout: "2d", tags: ["a"] });
  const date = new Date(Date.now() + 90 * 60_000);
  for (const [timeout, at] of [
    ["10d", Date.now() + 240 * 3_600_000],
    [date, date.getTime()],
  ]) {
    const extended = await extendToken(token, { timeout });
    assert.ok(Math.abs(extended.timeoutAt - at) < 60_000);
    const { publicAccessToken, url, ...fields } = extended;
    const { url: _, ...found } = await read(token);
    assert.deepEqual(fields, found);
    assert.ok(url.endsWith(publicAccessToken) && fields.shortUrl);
  }
  const { history, publicAccessToken } = await extendToken(token, { timeout: "20d" });
  assert.deepEqual(
    history.map(({ type, at, timeoutAt }) => [type, at instanceof Date, timeoutAt instanceof Date]),
    [["created", true, false], ...Array(3).fill(["extended", true, true])],
  );
  assert.deepEqual(history[2].timeoutAt, date);
  const { outcome } = await completeToken(token.id, 1, { accessToken: publicAccessToken });
  assert.equal(outcome, "completed");
});

test("what has ended is not extended, and the error says how it ended", async () => {
  const [completed, cancelled] = [await createToken(), await createToken()];
  await completeToken(completed, 1);
  await cancelToken(cancelled);
  for (const [token, words] of [
    [completed, /already-completed/],
    [cancelled, /cancelled/],
  ]) {
    const { code, status, retryable, message } = await rejection(
      extendToken(token, { timeout: "1h" }),
    );
    assert.deepEqual([code, status, retryable], ["token_ended", 409, false]);
    assert.match(message, words);
  }
});

test("what was not decided in time is decided by its default", async () => {
  const token = await createToken({ timeout: "1s", onTimeout: { data: { status: "rejected" } } });
  const end = await until(
    () => read(token),
    ({ status }) => status !== "WAITING",
  );
  assert.deepEqual(
    [end.status, end.output, end.completedBy, kinds(end)],
    ["COMPLETED", { status: "rejected" }, "timeout", ["created", "completed"]],
  );
  assert.equal((await cancelToken(token)).outcome, "already-completed");
});

test("the token's own credential and another's key are refused", async () => {
  const token = await createToken();
  for (const accessToken of [token.publicAccessToken, "tr_dev_nobody78901234567890abcd"]) {
    for (const call of [cancelToken, extendToken]) {
      const options = { accessToken, ...(call === extendToken && { timeout: "1h" }) };
      assert.ok([401, 403].includes((await rejection(call(token, options))).status));
    }
  }
  const { code, status } = await rejection(cancelToken("waitpoint_cnobody"));
  assert.deepEqual([code, status], ["token_not_found", 404]);
  assert.equal((await read(token)).status, "WAITING");
});

test("a configured key goes nowhere that only a url names; a call's own key does", async () => {
  const { id } = await createToken();
  const url = `${stubURL}/api/v1/waitpoints/tokens/${id}/callback/eyJh.eyJz.c2ln`;
  answer = { status: 200, body: { success: true } };
  heard.length = 0;
  assert.equal((await cancelToken(url)).outcome, "cancelled");
  assert.equal(heard.length, 0);
  const { outcome } = await cancelToken(url, { accessToken: "mine", reason: "so" });
  const path = `/api/v1/waitpoints/tokens/${id}/cancel`;
  assert.deepEqual(heard, [{ url: path, key: "Bearer mine", body: { reason: "so" } }]);
  assert.equal(outcome, undefined, "this server does not say");
});

test("a token that lives at another API is asked about once", async () => {
  const body = { error: "The token lives at another API", code: "not_supported_upstream" };
  answer = { status: 501, headers: { "x-should-retry": "false" }, body };
  heard.length = 0;
  const options = { baseURL: stubURL, timeout: "1h" };
  const { code, status, retryable } = await rejection(extendToken("waitpoint_c1", options));
  assert.deepEqual([code, status, retryable], ["not_supported_upstream", 501, false]);
  assert.equal(heard.length, 1);
});

test("an answer that is none is not taken for one", async () => {
  for (const body of [{}, { success: false }, [], "text", null]) {
    answer = { status: 200, body };
    for (const call of [cancelToken, extendToken]) {
      const options = { baseURL: stubURL, ...(call === extendToken && { timeout: "1h" }) };
      assert.equal((await rejection(call("waitpoint_c1", options))).code, "invalid_response");
    }
  }
});

test("who is told, reminders and defaults are passed on as they were given", async () => {
  answer = { status: 200, body: { id: "waitpoint_c1", url: "https://x/", isCached: false } };
  heard.length = 0;
  const fields = {
    timeout: "1d",
    notify: [{ email: "ann@example.com", locale: "de" }, { slack: "deploys" }],
    reminders: [{ after: "4h" }, { before: "1h" }],
    onTimeout: { data: null },
  };
  await createToken(fields, { baseURL: stubURL });
  assert.deepEqual(heard[0].body, fields);
});

test("mistakes are named and nothing is sent", async () => {
  heard.length = 0;
  const to = { baseURL: stubURL, accessToken: "key" };
  const circle = {};
  circle.self = circle;
  for (const [call, message] of [
    [() => cancelToken(), /`token` is `undefined`/],
    [() => cancelToken("a b", to), /names no waitpoint token/],
    [() => cancelToken("waitpoint_c1", { ...to, reson: "x" }), /no field `reson`.* reason/],
    [() => cancelToken("waitpoint_c1", { ...to, timeout: "1h" }), /no field `timeout`/],
    [() => cancelToken("waitpoint_c1", { ...to, reason: 5 }), /reason/],
    [() => cancelToken("waitpoint_c1", { ...to, reason: circle }), /`reason` cannot be written/],
    [() => cancelToken("waitpoint_c1", { ...to, reason: "x".repeat(501) }), /501.*500/],
    [() => cancelToken("waitpoint_c1", "because"), /`options` is `because`/],
    [() => extendToken("waitpoint_c1", to), /timeout is missing/],
    [() => extendToken("waitpoint_c1"), /timeout is missing/],
    [() => extendToken("waitpoint_c1", { ...to, timeout: "soon" }), /soon/],
    [() => extendToken("waitpoint_c1", { ...to, timeout: new Date(0) }), /1970/],
    [() => extendToken("waitpoint_c1", { ...to, timeout: new Date(NaN) }), /invalid Date/],
    [() => extendToken("waitpoint_c1", { ...to, timeout: 5n }), /`timeout` cannot be written/],
    [() => extendToken("waitpoint_c1", { ...to, timeout: null }), /timeout is missing/],
    [() => createToken({ onTimeout: { data: 1 } }, to), /onTimeout needs a timeout/],
    [() => createToken({ timeout: "1h", onTimeout: 1 }, to), /not a default decision/],
  ]) {
    const error = await rejection(call());
    assert.equal(error.code, "invalid_argument", error.message);
    assert.match(error.message, message);
  }
  configure({ accessToken: "" });
  const url = `${stubURL}/api/v1/waitpoints/tokens/waitpoint_c1/callback/eyJh.eyJz.c2ln`;
  assert.match((await rejection(cancelToken(url))).message, /no secret key/);
  assert.equal(heard.length, 0);
});
