import assert from "node:assert/strict";
import { test } from "node:test";
import { callbackHash, KEY, OTHER_KEY, sign, useWorker } from "../support/harness.mjs";

const worker = useWorker();
const FORM = "application/x-www-form-urlencoded";
const link = (id, credential) =>
  `${worker.url}/api/v1/waitpoints/tokens/${id}/callback/${credential}`;
const post = (url, body, type) =>
  fetch(url, {
    method: "POST",
    body: Buffer.from(body),
    headers: type ? { "content-type": type } : {},
  });

test("the whole body is the output: JSON, a form, text, or nothing", async () => {
  for (const [body, type, output, outputType = "application/json"] of [
    ['{"a": 1}', "application/json", '{"a": 1}'],
    ['"yes"', "application/json; charset=utf-8", '"yes"'],
    ["", undefined, "{}"],
    ["  ", "application/json", "{}"],
    ['{"a":1}', FORM, '{"a":1}'],
    ['{"a":1}', undefined, '{"a":1}'],
    [
      "a=1&b=x+y%21&a=2&empty&__proto__=p",
      FORM,
      '{"a":["1","2"],"b":"x y!","empty":"","__proto__":"p"}',
    ],
    [
      "payload=%7B%22type%22%3A%22block_actions%22%7D",
      FORM,
      '{"payload":"{\\"type\\":\\"block_actions\\"}"}',
    ],
    ["approved, thanks", "text/plain", "approved, thanks", "text/plain"],
    ['{"a":', "application/json", '{"a":', "text/plain"],
  ]) {
    const { id, url } = await worker.create();
    const answer = await post(url, body, type);
    assert.equal(answer.status, 200, body);
    assert.deepEqual(await answer.json(), { success: true });
    assert.equal(answer.headers.get("waitpoint-outcome"), "completed");
    const token = await worker.retrieve(id);
    assert.deepEqual(
      [token.output, token.outputType, token.completedBy],
      [output, outputType, "callback"],
      body,
    );
  }
});

test("trigger.dev's own hash in the link completes too, in either case", async () => {
  for (const form of [(hash) => hash, (hash) => hash.toUpperCase()]) {
    const { id } = await worker.create();
    assert.equal((await post(link(id, form(callbackHash(id))), "{}")).status, 200);
    assert.equal((await worker.retrieve(id)).status, "COMPLETED");
  }
});

test("a wrong credential is refused and decides nothing", async () => {
  const { id } = await worker.create();
  const other = await worker.create();
  const hash = { error: "Invalid URL, hash doesn't match", code: "invalid_callback_hash" };
  const expired = sign([`write:waitpoints:${id}`], { claims: { exp: 1_700_000_000 } });
  for (const [credential, status, body] of [
    ["0".repeat(64), 401, hash],
    ["z".repeat(64), 401, hash],
    ["short", 401, hash],
    [KEY, 401, hash],
    [callbackHash(other.id), 401, hash],
    [callbackHash(id, OTHER_KEY), 404],
    [other.publicAccessToken, 403],
    [sign([`read:waitpoints:${id}`]), 403],
    [expired, 401, { error: "Public Access Token is invalid", code: "public_token_expired" }],
    ["a.b.c", 401, { error: "Public Access Token is invalid", code: "invalid_public_token" }],
  ]) {
    const answer = await post(link(id, credential), "{}");
    assert.equal(answer.status, status, credential);
    if (body) assert.deepEqual(await answer.json(), body);
  }
  assert.equal((await worker.retrieve(id)).status, "WAITING");
});

test("refused: bytes that are not text, too much, other methods", async () => {
  const { id, url } = await worker.create();
  assert.equal((await post(url, Buffer.from([0xff, 0xfd]), "text/plain")).status, 400);
  assert.equal((await post(url, Buffer.alloc(3 * 1024 * 1024 + 1, "x"), "text/plain")).status, 413);
  for (const method of ["PUT", "PATCH", "DELETE"]) {
    const answer = await fetch(url, { method });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.get("allow"), "GET, HEAD, POST, OPTIONS");
  }
  const preflight = await fetch(url, {
    method: "OPTIONS",
    headers: { origin: "https://app.example" },
  });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-origin"), null);
  assert.equal((await worker.retrieve(id)).status, "WAITING");
});

test("a form of hundreds of thousands of fields is refused, and the token waits", async () => {
  const { id, url } = await worker.create();
  const letters = "abcdefghijklmnopqrstuvwxyz";
  const name = (n) =>
    letters[n % 26] + letters[Math.floor(n / 26) % 26] + letters[Math.floor(n / 676) % 26];
  const names = Array.from({ length: 780_000 }, (_, n) => name(n)).join("&");
  for (const form of [
    names,
    "a&".repeat(1_500_000),
    `${"&".repeat(1_000_000)}${"x&".repeat(1_001)}`,
  ]) {
    for (const accept of ["*/*", "text/html"]) {
      const headers = { "content-type": "application/x-www-form-urlencoded", accept };
      assert.equal((await fetch(url, { method: "POST", headers, body: form })).status, 413);
    }
  }
  const answer = await post(url, "a&".repeat(1_001), "application/x-www-form-urlencoded");
  assert.deepEqual(await answer.json(), {
    error: "A form can have at most 1000 fields. Use JSON for more.",
    code: "too_many_fields",
  });
  assert.equal(
    (await post(url, "\x01".repeat(1_100_000), "text/plain")).status,
    413,
    "sixfold in an answer",
  );
  assert.equal((await worker.retrieve(id)).status, "WAITING");
  assert.equal(
    (await post(url, "a&".repeat(1_000), "application/x-www-form-urlencoded")).status,
    200,
  );
});

test("opening the link never decides, whoever opens it and however", async () => {
  const { id, url } = await worker.create();
  const agents = ["Mozilla/5.0", "Slackbot-LinkExpanding 1.0", "Gmail Actions", ""];
  const requests = Array.from({ length: 200 }, (_, n) =>
    fetch(`${url}${["", "?action=approve", "?data=1", "?confirmed=Approved"][n % 4]}`, {
      method: n % 2 ? "GET" : "HEAD",
      headers: {
        "user-agent": agents[n % 4],
        ...(n % 3 && { "sec-purpose": "prefetch" }),
        range: "bytes=0-1",
      },
    }),
  );
  for (const answer of await Promise.all(requests)) {
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-type"), "text/html; charset=utf-8");
    assert.equal(answer.headers.get("cache-control"), "no-store, no-transform");
    assert.equal(answer.headers.get("referrer-policy"), "no-referrer");
    assert.match(answer.headers.get("content-security-policy"), /default-src 'none'/);
    assert.equal(answer.headers.get("access-control-allow-origin"), null);
  }
  assert.equal((await worker.retrieve(id)).status, "WAITING");
  const unknown = await Promise.all(
    ["0".repeat(64), "x", "a.b.c"].map((credential) => fetch(link(id, credential))),
  );
  assert.deepEqual(
    unknown.map(({ status }) => status),
    [404, 404, 404],
  );
  assert.equal(new Set(await Promise.all(unknown.map((answer) => answer.text()))).size, 1);
});
