import assert from "node:assert/strict";
import { test } from "node:test";
import { KEY, OTHER_KEY, sign, TOKENS, useWorker } from "../support/harness.mjs";

const worker = useWorker();

test("a token has an id, a url with its public access token, headers for the SDK", async () => {
  const answer = await worker.api(TOKENS, { body: { timeout: "1h", tags: ["a", "b"] } });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "application/json; charset=utf-8");
  const { id, isCached, url, shortUrl, ...rest } = await answer.json();
  assert.match(id, /^waitpoint_c[0-9a-z]{24}$/);
  assert.equal(isCached, false);
  assert.deepEqual(rest, {});
  const jwt = answer.headers.get("x-trigger-jwt");
  assert.equal(url, `${worker.url}${TOKENS}/${id}/callback/${jwt}`);
  assert.match(shortUrl.slice(worker.url.length), /^\/t\/c[0-9a-z]{24}\/[0-9a-z]{6}[\w-]{22}$/);
  assert.deepEqual(JSON.parse(answer.headers.get("x-trigger-jwt-claims")), {
    sub: "default",
    pub: true,
  });
  const claims = JSON.parse(Buffer.from(jwt.split(".")[1], "base64url"));
  assert.deepEqual(claims.scopes, [`write:waitpoints:${id}`, `read:waitpoints:${id}`]);
  assert.ok(claims.exp - claims.iat >= 24 * 3600 && claims.exp - claims.iat <= 30 * 24 * 3600);
});

test("a waiting token is retrieved as it was created, and no field is null", async () => {
  const { id, url, shortUrl } = await worker.create({ timeout: "1h", tags: ["b", "a", "b"] });
  const token = await worker.retrieve(id);
  assert.equal(Date.parse(token.timeoutAt) - Date.parse(token.createdAt), 3_600_000);
  assert.deepEqual(token, {
    id,
    type: "MANUAL",
    url,
    shortUrl,
    status: "WAITING",
    userProvidedIdempotencyKey: false,
    outputType: "application/json",
    outputIsError: false,
    timeoutAt: token.timeoutAt,
    completedAfter: token.timeoutAt,
    createdAt: token.createdAt,
    tags: ["b", "a", "b"],
    history: [{ type: "created", at: token.createdAt }],
  });
  assert.equal((await worker.retrieve(id.replace("waitpoint_", ""))).id, id);
});

test("a body of 10,240 bytes passes and one more is too large, with any framing", async () => {
  const body = (size) => JSON.stringify({ x: "y".repeat(size - 8) });
  assert.equal(body(10_240).length, 10_240);
  assert.equal((await worker.api(TOKENS, { body: body(10_240) })).status, 200);
  const refused = await worker.api(TOKENS, { body: body(10_241) });
  assert.equal(refused.status, 413);
  assert.deepEqual(await refused.json(), {
    error: "Request body too large: it has 10241 bytes, and at most 10240 are allowed.",
    code: "body_too_large",
  });
  for (const [size, status] of [
    [10_240, 200],
    [10_241, 413],
  ]) {
    assert.equal((await streamed(TOKENS, body(size))).status, status);
  }
});

test("with an approval a body may have 64 KiB, and texts are counted in characters", async () => {
  const escaped = `{"approval":{"description":"${"\\u0416".repeat(4_000)}"}}`;
  for (const body of [escaped, { approval: { title: "?", description: "漢".repeat(4_000) } }]) {
    const created = await worker.api(TOKENS, { body });
    assert.equal(created.status, 200, await created.clone().text());
    const page = await fetch((await created.json()).url, { headers: { accept: "text/html" } });
    assert.match(await page.text(), /(Ж{4000}|漢{4000})/);
  }
  const emoji = (count) => ({ approval: { description: "🎉".repeat(count) } });
  assert.equal((await worker.api(TOKENS, { body: emoji(4_000) })).status, 200);
  const long = await worker.api(TOKENS, { body: emoji(4_001) });
  assert.deepEqual([long.status, (await long.json()).code], [400, "validation_error"]);
  const body = (size) => `{"approval":{"title":"?"},"x":"${"y".repeat(size - 33)}"}`;
  assert.equal(body(65_536).length, 65_536);
  for (const [size, status] of [
    [65_536, 200],
    [65_537, 413],
  ]) {
    for (const answer of [
      await worker.api(TOKENS, { body: body(size) }),
      await streamed(TOKENS, body(size)),
    ]) {
      assert.equal(answer.status, status);
      if (status === 413) {
        const { error } = await answer.json();
        assert.match(error, /it has 65537 bytes, and at most 65536 are allowed/);
      }
    }
  }
});

test("no choices are no answer to which choices there are", async () => {
  for (const choices of [[], null]) {
    const refused = await worker.api(TOKENS, { body: { approval: { title: "?", choices } } });
    assert.equal(refused.status, 400);
    assert.match((await refused.json()).error, /leave choices out for Approve and Reject/);
  }
});

test("a bad body is refused with a sentence and a code", async () => {
  for (const [body, status, code, error] of [
    ["", 400, "body_empty", "Request body is empty"],
    ["{", 400, "invalid_json", "Invalid JSON"],
    ["null", 400, "invalid_json", "Invalid JSON"],
    ["0", 400, "invalid_json", "Invalid JSON"],
    ["[]", 400, "validation_error", "Validation error: Expected object, received array"],
    [
      '{"tags":7}',
      400,
      "validation_error",
      'Validation error at "tags": "7" is not a tag or a list of tags. ' +
        "Use a string or an array of strings.",
    ],
    [
      { tags: ["x".repeat(129)] },
      400,
      "validation_error",
      'Validation error: Tags must be less than 128 characters at "tags"',
    ],
    [
      { tags: Array(11).fill("x") },
      422,
      "too_many_tags",
      "Waitpoints can only have 10 tags, you're trying to set 11.",
    ],
    [
      { idempotencyKey: null },
      400,
      "validation_error",
      'Validation error at "idempotencyKey": "null" is not a string. Use a string.',
    ],
  ]) {
    const answer = await worker.api(TOKENS, { body });
    assert.equal(answer.status, status, String(body));
    assert.deepEqual(await answer.json(), { error, code });
  }
});

test("a timeout that cannot be used is named, with the accepted forms", async () => {
  for (const timeout of [
    "10 minutes",
    "1y",
    "1H",
    "-5m",
    "",
    "2001-01-01",
    5,
    true,
    {},
    `${"9".repeat(20)}w`,
  ]) {
    const answer = await worker.api(TOKENS, { body: { timeout } });
    assert.equal(answer.status, 400, String(timeout));
    const { error } = await answer.json();
    const named = typeof timeout === "string" ? timeout : JSON.stringify(timeout);
    assert.ok(
      error.includes(JSON.stringify(named)) &&
        error.includes("1h30m") &&
        error.includes('at "timeout"'),
      error,
    );
  }
});

test("timeouts: durations, dates, milliseconds, and null for none", async () => {
  for (const [timeout, after] of [
    ["30s", 30],
    ["1h30m", 5400],
    ["2h1d30s", 93_630],
    ["1hr", 3600],
  ]) {
    const { timeoutAt, createdAt } = await worker.retrieve((await worker.create({ timeout })).id);
    assert.equal(Date.parse(timeoutAt) - Date.parse(createdAt), after * 1000);
  }
  const at = Date.UTC(2099, 0, 5, 10);
  for (const timeout of [at, new Date(at).toISOString(), "2099-01-05T12:00:00+02:00"]) {
    assert.equal(
      (await worker.retrieve((await worker.create({ timeout })).id)).timeoutAt,
      new Date(at).toISOString(),
    );
  }
  assert.equal(
    (await worker.retrieve((await worker.create({ timeout: null })).id)).timeoutAt,
    undefined,
  );
});

test("only a secret key creates", async () => {
  for (const [key, error, code] of [
    ["", "No authorization header provided", "missing_authorization"],
    ["tr_dev_nobody78901234567890abcd", "Invalid API key", "invalid_api_key"],
    [sign(["admin"]), "Invalid API key", "invalid_api_key"],
  ]) {
    const answer = await worker.api(TOKENS, { key, body: {} });
    assert.equal(answer.status, 401);
    assert.deepEqual(await answer.json(), { error, code });
  }
});

test("the SDK's retry of a create makes no second token, at once or after the end", async () => {
  const headers = { "x-trigger-request-idempotency-key": crypto.randomUUID() };
  const made = await Promise.all(
    Array.from({ length: 20 }, () => worker.create({ timeout: "1h" }, { headers })),
  );
  assert.equal(new Set(made.map(({ id }) => id)).size, 1);
  assert.equal(new Set(made.map(({ url }) => url)).size, 1);
  assert.ok(made.every(({ isCached }) => isCached === false));
  await worker.complete(made[0].id, 1);
  assert.equal((await worker.create({}, { headers })).id, made[0].id);
  assert.equal((await worker.retrieve(made[0].id)).status, "COMPLETED");
  assert.notEqual((await worker.create({}, { headers, key: OTHER_KEY })).id, made[0].id);
});

/** Sends a body in chunks, without a content-length. */
function streamed(path, text) {
  const body = new Blob([text]).stream();
  const headers = { authorization: `Bearer ${KEY}` };
  return fetch(worker.url + path, { method: "POST", headers, body, duplex: "half" });
}

test("a field that means nothing is hinted at", async () => {
  const hint = async (body) => (await worker.api(TOKENS, { body })).headers.get("waitpoint-hint");
  assert.equal(await hint({ timeout: "1h" }), null);
  assert.equal(await hint({ timout: "1h", tags: ["a"] }), 'unknown-field "timout"');
});
