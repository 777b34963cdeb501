// What a token's owner may still do while it waits: withdraw it, or move its timeout.
import assert from "node:assert/strict";
import { test } from "node:test";
import { OTHER_KEY, sign, TOKENS, until, useWorker } from "../support/harness.mjs";
import { events, openSocket, waitPath } from "../support/waiters.mjs";

const worker = useWorker();
const cancel = (id, body, options) =>
  worker.api(`${TOKENS}/${id}/cancel`, { body: body ?? "", ...options });
const extend = (id, timeout, options) =>
  worker.api(`${TOKENS}/${id}/extend`, { body: { timeout }, ...options });
const outcome = ({ status, headers }) => [status, headers.get("waitpoint-outcome")];
const finished = ({ status }) => status !== "WAITING";
const refusal = async (answer) => [answer.status, (await answer.json()).code];
const stream = (token, headers) =>
  worker.api(waitPath(token), { headers: { accept: "text/event-stream", ...headers } });
const poll = (token) => worker.api(waitPath(token), { headers: { prefer: "wait=25" } });
const millis = (duration) => Date.now() + duration;
/** Asserts that a timeout lies so many milliseconds ahead, give or take the time of a request. */
const assertAhead = ({ timeoutAt }, duration) => {
  const off = Date.parse(timeoutAt) - millis(duration);
  assert.ok(Math.abs(off) < 10_000, `${timeoutAt}: ${off} ms`);
};

test("a cancelled token has timed out for trigger.dev, and says when and why", async () => {
  for (const [body, reason] of [
    [{ reason: "The report was replaced." }, "The report was replaced."],
    [{ reason: '"é🎉"\n' }, '"é🎉"\n'],
    ["", undefined],
    ["{}", undefined],
    [{ reason: null }, undefined],
    [{ reason: " " }, undefined],
  ]) {
    const { id, publicAccessToken, createdAt } = await worker.create({ timeout: "1h" });
    const answer = await cancel(id, body);
    assert.deepEqual(outcome(answer), [200, "cancelled"], JSON.stringify(body));
    assert.equal(await answer.text(), '{"success":true}');
    assert.equal(answer.headers.get("waitpoint-hint"), null);
    const token = await worker.retrieve(id);
    const output = {
      code: "CANCELLED",
      name: "WaitpointCancelledError",
      message: reason ?? "Waitpoint cancelled",
    };
    assert.equal(token.output, JSON.stringify(output));
    const { status, outputType, outputIsError, cancelReason } = token;
    assert.deepEqual(
      [status, outputType, outputIsError, cancelReason],
      ["TIMED_OUT", "application/json", true, reason],
    );
    assert.equal(token.completedAt, token.cancelledAt);
    assert.ok(token.cancelledAt < token.timeoutAt && !(token.cancelledAt < createdAt));
    assert.equal(token.completedBy, undefined);
    assert.equal("cancelReason" in token, reason !== undefined);
    // Whoever holds a JWT sees the same, but not what is the owner's.
    const { url, shortUrl, history, ...shown } = token;
    const { url: _, ...seen } = await worker.retrieve(id, { key: publicAccessToken });
    assert.deepEqual(seen, shown);
  }
});

test("cancelling a finished token is 200, changes nothing, and says how it ended", async () => {
  const twice = await worker.create();
  assert.deepEqual(outcome(await cancel(twice.id, { reason: "first" })), [200, "cancelled"]);
  const completed = await worker.create();
  await worker.complete(completed.id, 1);
  const timedOut = await worker.create({ timeout: "1s" });
  await until(() => worker.retrieve(timedOut.id), finished);
  for (const [{ id }, said] of [
    [twice, "cancelled"],
    [completed, "already-completed"],
    [timedOut, "timed-out"],
  ]) {
    const before = await worker.retrieve(id);
    assert.deepEqual(outcome(await cancel(id, { reason: "second" })), [200, said]);
    assert.deepEqual(await worker.retrieve(id), before);
  }
});

test("completions after a cancel are 200 and say so, by API and by each link", async () => {
  const { id, url, shortUrl, publicAccessToken: key } = await worker.create();
  await cancel(id, { reason: "withdrawn" });
  const before = await worker.retrieve(id);
  const post = (link) => fetch(link, { method: "POST", body: '{"late":true}' });
  for (const late of [
    () => worker.complete(id, 1),
    () => worker.complete(id, 1, { key }),
    () => post(url),
    () => post(shortUrl),
  ]) {
    assert.deepEqual(outcome(await late()), [200, "cancelled"]);
  }
  assert.deepEqual(await worker.retrieve(id), before);
});

test("a reason has 500 characters at most, however many units each takes", async () => {
  for (const reason of ["x".repeat(500), "🎉".repeat(500), "é".repeat(500)]) {
    const { id } = await worker.create();
    assert.deepEqual(outcome(await cancel(id, { reason })), [200, "cancelled"]);
    assert.equal((await worker.retrieve(id)).cancelReason, reason);
  }
  const { id } = await worker.create();
  const tooLong = "reason has 501 characters. Use at most 500 characters.";
  const notText = (value) => `${JSON.stringify(value)} is not a string. Use a string.`;
  for (const [body, message] of [
    [{ reason: "🎉".repeat(501) }, tooLong],
    [{ reason: "x".repeat(501) }, tooLong],
    [{ reason: 5 }, notText("5")],
    [{ reason: ["x"] }, notText('["x"]')],
    [{ reason: false }, notText("false")],
  ]) {
    const answer = await cancel(id, body);
    const error = `Validation error at "reason": ${message}`;
    assert.equal(answer.status, 400);
    assert.deepEqual(await answer.json(), { error, code: "validation_error" });
  }
  for (const [body, code] of [
    ["{", "invalid_json"],
    [" ", "invalid_json"],
    ["null", "invalid_json"],
    ["[]", "validation_error"],
    [new Uint8Array([0xff]), "invalid_json"],
  ]) {
    assert.deepEqual(await refusal(await cancel(id, body)), [400, code], String(body));
  }
  const large = await cancel(id, { reason: "x".repeat(10_240) });
  assert.deepEqual(await refusal(large), [413, "body_too_large"]);
  assert.equal((await worker.retrieve(id)).status, "WAITING");
});

test("a key that means nothing is hinted at, by cancel and by extend", async () => {
  const { id } = await worker.create();
  const body = { timeout: "1h", timout: "2h" };
  const extended = await worker.api(`${TOKENS}/${id}/extend`, { body });
  assert.equal(extended.headers.get("waitpoint-hint"), 'unknown-field "timout"');
  assert.equal((await extend(id, "1h")).headers.get("waitpoint-hint"), null);
  const cancelled = await cancel(id, { resaon: "misspelt" });
  assert.equal(cancelled.headers.get("waitpoint-hint"), 'unknown-field "resaon"');
  assert.equal((await worker.retrieve(id)).cancelReason, undefined);
});

test("only a secret key of the token's environment may cancel or extend", async () => {
  const { id, publicAccessToken } = await worker.create();
  for (const change of ["cancel", "extend"]) {
    const path = `${TOKENS}/${id}/${change}`;
    const body = { timeout: "1h" };
    for (const [key, expected] of [
      ["", [401, "missing_authorization"]],
      ["nobody", [401, "invalid_api_key"]],
      [publicAccessToken, [401, "invalid_api_key"]],
      [sign(["write:all", "admin"]), [401, "invalid_api_key"]],
      [OTHER_KEY, [404, "token_not_found"]],
    ]) {
      assert.deepEqual(await refusal(await worker.api(path, { key, body })), expected, key);
    }
    for (const unknown of ["waitpoint_cnobody", "nobody", "waitpoint_", "%00", "a".repeat(99)]) {
      const answer = await worker.api(`${TOKENS}/${unknown}/${change}`, { body });
      assert.deepEqual(await refusal(answer), [404, "token_not_found"], unknown);
    }
    for (const method of ["GET", "PUT", "DELETE", "OPTIONS"]) {
      const answer = await worker.api(path, { method });
      assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "POST"], method);
    }
    // Pages of other origins have no secret key.
    const crossed = await worker.api(path, { body, headers: { origin: "https://app.example" } });
    assert.equal(crossed.headers.get("access-control-allow-origin"), null);
  }
});

test("a cancel ends every wait: by socket, by events and by long poll", async () => {
  const token = await worker.create();
  const waiter = openSocket(worker, token);
  const next = events(await stream(token));
  const polled = poll(token);
  assert.equal(JSON.parse(await waiter.next()).status, "WAITING");
  assert.equal((await next()).id, "v1");
  await cancel(token.id, { reason: "withdrawn" });
  const last = await next();
  assert.equal(last.id, "v2");
  assert.equal(await next(), undefined);
  const answer = await polled;
  assert.equal(answer.headers.get("etag")?.startsWith('"v2'), true);
  for (const told of [JSON.parse(await waiter.next()), last.token, await answer.json()]) {
    assert.deepEqual([told.status, told.cancelReason], ["TIMED_OUT", "withdrawn"]);
    assert.equal(told.cancelledAt, told.completedAt);
  }
  // Whoever comes later is told at once.
  assert.equal((await events(await stream(token))()).token.cancelReason, "withdrawn");
});

test("extend moves a timeout, later or earlier, and gives one to a token without", async () => {
  for (const fields of [{ timeout: "1h" }, { timeout: "3d" }, {}]) {
    const { id } = await worker.create(fields);
    const answer = await extend(id, "1d");
    assert.equal(answer.status, 200);
    const token = await answer.json();
    assertAhead(token, 86_400_000);
    assert.deepEqual([token.status, token.completedAfter], ["WAITING", token.timeoutAt]);
    const { url, shortUrl, ...shown } = await worker.retrieve(id);
    const { url: _, shortUrl: __, ...extended } = token;
    assert.deepEqual(extended, shown);
    const at = "2100-01-31T12:00:00.000Z";
    for (const form of [at, Date.parse(at), "2100-01-31T13:00:00+01:00"]) {
      assert.equal((await (await extend(id, form)).json()).timeoutAt, at);
    }
  }
});

test("a token that is extended to an earlier time ends then, not at the old one", async () => {
  const [earlier, later] = await Promise.all([
    worker.create({ timeout: "1h" }),
    worker.create({ timeout: "1s" }),
  ]);
  const answer = await extend(later.id, "1h");
  assert.equal(answer.status, 200);
  const next = events(await stream(earlier));
  assert.equal((await next()).id, "v1");
  const { timeoutAt } = await (await extend(earlier.id, "1s")).json();
  assert.equal((await next()).token.timeoutAt, timeoutAt);
  const { token } = await next();
  assert.deepEqual([token.status, token.completedAt], ["TIMED_OUT", timeoutAt]);
  assert.match(token.output, new RegExp(`timed out at ${timeoutAt}`));
  // The other one's first timeout has passed by now.
  const { status, createdAt } = await worker.retrieve(later.id);
  assert.ok(Date.now() > Date.parse(createdAt) + 1000);
  assert.equal(status, "WAITING");
});

test("extend answers with links and a JWT that live as long as the new timeout", async () => {
  const { id, publicAccessToken } = await worker.create({ timeout: "1h" });
  const answer = await extend(id, "20d");
  const jwt = answer.headers.get("x-trigger-jwt");
  const claims = JSON.parse(answer.headers.get("x-trigger-jwt-claims"));
  assert.deepEqual(claims, { sub: "default", pub: true });
  const expiry = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url")).exp * 1000;
  assert.ok(Math.abs(expiry(jwt) - millis(20 * 86_400_000)) < 10_000);
  assert.ok(expiry(publicAccessToken) < millis(2 * 86_400_000));
  const { url, shortUrl } = await answer.json();
  assert.equal(expiry(url.split("/").at(-1)), expiry(jwt));
  for (const link of [url, shortUrl]) {
    assert.equal((await fetch(link, { headers: { accept: "text/html" } })).status, 200);
  }
  assert.equal((await worker.api(`${TOKENS}/${id}`, { key: jwt })).status, 200);
  assert.deepEqual(outcome(await worker.complete(id, 1, { key: jwt })), [200, "completed"]);
});

test("a finished token cannot be extended: 409 says how it ended", async () => {
  const [cancelled, completed] = [await worker.create(), await worker.create()];
  await cancel(cancelled.id);
  await worker.complete(completed.id, 1);
  const timedOut = await worker.create({ timeout: "1s" });
  await until(() => worker.retrieve(timedOut.id), finished);
  for (const [{ id }, said] of [
    [cancelled, "cancelled"],
    [completed, "already-completed"],
    [timedOut, "timed-out"],
  ]) {
    const before = await worker.retrieve(id);
    const answer = await extend(id, "1h");
    assert.deepEqual([answer.status, answer.headers.get("x-should-retry")], [409, "false"]);
    const { error, code } = await answer.json();
    assert.equal(code, "token_ended");
    assert.ok(error.includes(`(${said})`), error);
    assert.equal(answer.headers.get("x-trigger-jwt"), null);
    assert.deepEqual(await worker.retrieve(id), before);
  }
});

test("a timeout that would not do is 400: the field, the value and what would", async () => {
  const { id } = await worker.create({ timeout: "1h" });
  const before = await worker.retrieve(id);
  const forms = /Use a duration such as "30s".* or a future ISO 8601 date\.$/;
  for (const [timeout, said] of [
    ["2 houers", '"2 houers" is not a valid timeout.'],
    ["", '"" is not a valid timeout.'],
    [[], '"[]" is not a valid timeout.'],
    [true, '"true" is not a valid timeout.'],
    ["2020-01-31T12:00:00Z", '"2020-01-31T12:00:00Z" is in the past.'],
    [1, '"1" is in the past.'],
    ["10000-01-01T00:00:00Z", '"10000-01-01T00:00:00Z" is'],
    ["999999w", '"999999w" is after the year 9999.'],
    [1e15, "is after the year 9999."],
    [undefined, "timeout is missing."],
    [null, "timeout is missing."],
  ]) {
    const answer = await extend(id, timeout);
    const { error, code } = await answer.json();
    assert.deepEqual([answer.status, code], [400, "validation_error"], error);
    assert.ok(error.startsWith('Validation error at "timeout": '), error);
    assert.ok(error.includes(said), error);
    assert.match(error, forms);
  }
  const empty = await worker.api(`${TOKENS}/${id}/extend`, { body: "" });
  assert.deepEqual(await refusal(empty), [400, "body_empty"]);
  assert.deepEqual(await worker.retrieve(id), before);
});

test("an extension is a new version: for If-None-Match, and for whoever waits", async () => {
  const token = await worker.create({ timeout: "1h" });
  const read = async (etag, key) => {
    const answer = await worker.api(`${TOKENS}/${token.id}`, {
      key,
      headers: { "if-none-match": etag },
    });
    await answer.body?.cancel();
    return [answer.status, answer.headers.get("etag")];
  };
  const key = token.publicAccessToken;
  assert.deepEqual(await read('"v1"', key), [304, '"v1"']);
  const waiter = openSocket(worker, token);
  const next = events(await stream(token));
  assert.equal(JSON.parse(await waiter.next()).status, "WAITING");
  assert.equal((await next()).id, "v1");
  const polled = poll(token);
  // A condition is for reads. It does not empty the answer to a change.
  const first = await extend(token.id, "2h", { headers: { "if-none-match": "*" } });
  assert.equal(first.status, 200);
  const { timeoutAt } = await first.json();
  assert.deepEqual(await read('"v1"', key), [200, '"v1.1"']);
  assert.deepEqual(await read('"v1.1"', key), [304, '"v1.1"']);
  const owner = first.headers.get("etag");
  assert.deepEqual(await read(owner), [304, owner]);
  assert.equal((await read('"v1"'))[0], 200);
  const event = await next();
  assert.deepEqual([event.id, event.token.timeoutAt], ["v1.1", timeoutAt]);
  const told = JSON.parse(await waiter.next());
  assert.deepEqual([told.status, told.timeoutAt], ["WAITING", timeoutAt]);
  assert.equal("history" in told || "deliveries" in told, false);

  // Whoever has seen an event is not told it again, and misses none.
  const resumed = events(await stream(token, { "last-event-id": "v1.1" }));
  const behind = events(await stream(token, { "last-event-id": "v1" }));
  assert.equal((await behind()).id, "v1.1");
  await extend(token.id, "3h");
  for (const wanted of [next, resumed, behind]) assert.equal((await wanted()).id, "v1.2");
  assert.equal(JSON.parse(await waiter.next()).status, "WAITING");
  assert.equal((await read(owner))[0], 200);

  // The long poll has gone on through all of this.
  await worker.complete(token.id, 1);
  assert.equal((await (await polled).json()).status, "COMPLETED");
});

test("of cancels and completions at once one wins, and all hear the same end", async () => {
  for (let round = 0; round < 20; round++) {
    const { id } = await worker.create();
    const calls = [
      () => cancel(id, { reason: "first" }),
      () => cancel(id, { reason: "second" }),
      () => worker.complete(id, "a"),
      () => worker.complete(id, "b"),
    ];
    // So that each comes first in some round.
    const order = round % 2 ? calls : calls.reverse();
    const outcomes = (await Promise.all(order.map((call) => call()))).map(outcome);
    const token = await worker.retrieve(id);
    assert.ok(outcomes.every(([status]) => status === 200));
    const said = outcomes.map(([, said]) => said).sort();
    if (token.cancelledAt) {
      assert.deepEqual(said, Array(4).fill("cancelled"));
      assert.match(token.cancelReason, /^(first|second)$/);
    } else {
      assert.deepEqual(said, [...Array(3).fill("already-completed"), "completed"]);
      assert.match(token.output, /^"(a|b)"$/);
    }
    const ends = token.history.filter(({ type }) => type !== "created");
    assert.deepEqual(
      ends.map(({ type }) => type),
      [token.cancelledAt ? "cancelled" : "completed"],
    );
  }
});

test("an extension and an end at once: either it came first, or it is refused", async () => {
  for (let round = 0; round < 10; round++) {
    const { id } = await worker.create({ timeout: "1h" });
    const calls = [() => extend(id, "2h"), () => cancel(id)];
    const answers = await Promise.all((round % 2 ? calls : calls.reverse()).map((call) => call()));
    const extended = answers.find(({ headers }) => !headers.has("waitpoint-outcome"));
    const types = (await worker.retrieve(id)).history.map(({ type }) => type);
    assert.deepEqual(
      types,
      extended.status === 200 ? ["created", "extended", "cancelled"] : ["created", "cancelled"],
    );
    assert.ok([200, 409].includes(extended.status));
  }
});
