import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { test } from "node:test";
import { KEY, OLD_KEY, OTHER_KEY, sign, TOKENS, useWorker } from "../support/harness.mjs";

const worker = useWorker();
const MiB = 1024 * 1024;
const LIMIT = 3 * MiB;
const INSUFFICIENT_SCOPE = {
  error: "Unauthorized",
  code: "unauthorized",
  param: "access_token",
  type: "authorization",
};

test("every JSON value comes back as the text that went in", async () => {
  for (const text of [
    '""',
    "null",
    "0",
    "false",
    "-0",
    "1e400",
    "123456789012345678901234567890",
    '"é🎉\\u0000\\ud800"',
    "[]",
    "{}",
    '{"__proto__":{"x":1},"constructor":2,"prototype":3}',
    '{ "spaced" : [ 1 , 2 ] }',
    '{"a":1,"a":2}',
    "[".repeat(50_000) + "]".repeat(50_000),
  ]) {
    const { id } = await worker.create();
    const answer = await worker.api(`${TOKENS}/${id}/complete`, { body: `{"data":${text}}` });
    assert.equal(answer.status, 200, text.slice(0, 40));
    assert.equal(await answer.text(), '{"success":true}');
    assert.equal(answer.headers.get("waitpoint-outcome"), "completed");
    const token = await worker.retrieve(id);
    assert.equal(token.output, text);
    assert.equal(token.outputType, "application/json");
    assert.equal(token.status, "COMPLETED");
    assert.equal(token.completedBy, "api");
    assert.ok(Date.parse(token.completedAt) >= Date.parse(token.createdAt));
  }
});

test("without data there is no output, and a key that means nothing is hinted at", async () => {
  for (const [body, hint] of [
    ["{}", null],
    ['{"output":1}', 'unknown-field "output"'],
    ['{"a\\nb":1}', "unknown-field"],
  ]) {
    const { id } = await worker.create();
    const answer = await worker.api(`${TOKENS}/${id}/complete`, { body });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("waitpoint-hint"), hint);
    assert.equal("output" in (await worker.retrieve(id)), false);
  }
});

test("outputs of any size up to the limit, also around the border of a stored chunk", async () => {
  // A record of about 150 bytes precedes the output in the first chunk of 1,900,000.
  const sizes = Array.from({ length: 12 }, (_, index) => 1_900_000 - 200 + index * 20);
  for (const size of [...sizes, 1_900_000, 2 * MiB, LIMIT - 100]) {
    const { id } = await worker.create();
    const data = "x".repeat(size);
    assert.equal((await worker.complete(id, data)).status, 200);
    assert.equal((await worker.retrieve(id)).output === JSON.stringify(data), true, `size ${size}`);
  }
});

test("a body of 3 MiB passes and one more byte is too large", async () => {
  const { id } = await worker.create();
  const body = (size) =>
    `{"data":"${"é".repeat((size - 11) / 2)}"}`.padEnd(size - Math.floor((size - 11) / 2), " ");
  const path = `${TOKENS}/${id}/complete`;
  assert.equal(
    (await worker.api(path, { body: Buffer.from(body(LIMIT)).subarray(0, LIMIT) })).status,
    200,
  );
  for (const init of [{}, { duplex: "half", stream: true }]) {
    const bytes = new Blob(["x".repeat(LIMIT + 1)]);
    const answer = await fetch(worker.url + path, {
      method: "POST",
      headers: { authorization: `Bearer ${KEY}` },
      body: init.stream ? bytes.stream() : bytes,
      ...(init.stream && { duplex: "half" }),
    });
    assert.equal(answer.status, 413);
  }
});

test("the sender of a refused body gets the error, with or without a length", async () => {
  const { id } = await worker.create();
  const bytes = new Blob(["x".repeat(LIMIT)]);
  for (const body of [bytes, bytes.stream()]) {
    const answer = await fetch(`${worker.url}${TOKENS}/${id}/complete`, {
      method: "POST",
      headers: { authorization: "Bearer nobody" },
      body,
      duplex: "half",
    });
    assert.equal(answer.status, 401);
  }
});

test("the first decision stands: later ones are answered 200 and change nothing", async () => {
  const { id } = await worker.create();
  await worker.complete(id, { first: true });
  const first = await worker.retrieve(id);
  const again = await worker.complete(id, { second: true });
  assert.equal(again.status, 200);
  assert.equal(again.headers.get("waitpoint-outcome"), "already-completed");
  assert.deepEqual(await again.json(), { success: true });
  assert.deepEqual(await worker.retrieve(id), first);
});

test("of 100 concurrent completions one wins, and all are answered 200", async () => {
  const { id } = await worker.create();
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, n) => worker.complete(id, { n })),
  );
  assert.ok(answers.every(({ status }) => status === 200));
  const outcomes = answers.map(({ headers }) => headers.get("waitpoint-outcome"));
  assert.equal(outcomes.filter((outcome) => outcome === "completed").length, 1);
  assert.equal(outcomes.filter((outcome) => outcome === "already-completed").length, 99);
  const winner = outcomes.indexOf("completed");
  assert.equal((await worker.retrieve(id)).output, JSON.stringify({ n: winner }));
});

test("what is wrong is told in trigger.dev's order: key, size, JSON, scope, token", async () => {
  const { id } = await worker.create();
  const path = `${TOKENS}/${id}/complete`;
  const small = sign(["write:waitpoints:waitpoint_other"]);
  const huge = "x".repeat(LIMIT + 1);
  for (const [key, body, status] of [
    ["nobody", huge, 401],
    [small, huge, 413],
    [small, "{", 400],
    [small, "{}", 403],
  ]) {
    assert.equal((await worker.api(path, { key, body })).status, status);
  }
  const unknown = `${TOKENS}/waitpoint_cnobody/complete`;
  const scope = await worker.api(unknown, { key: small, body: "{}" });
  assert.equal(scope.status, 403);
  assert.deepEqual(await scope.json(), INSUFFICIENT_SCOPE);
  const missing = await worker.api(unknown, { body: "{}" });
  assert.equal(missing.status, 404);
  assert.equal(missing.headers.get("x-should-retry"), "false");
  assert.deepEqual(await missing.json(), { error: "Waitpoint not found", code: "token_not_found" });
  assert.equal((await worker.retrieve(id)).status, "WAITING");
});

test("scopes of a public access token decide who may complete", async () => {
  const { id } = await worker.create();
  for (const [scopes, status] of [
    [[`write:waitpoints:${id}`], 200],
    [["write:waitpoints"], 200],
    [["write:all"], 200],
    [["*:all"], 200],
    [["*:waitpoints"], 200],
    [[`*:waitpoints:${id}`], 200],
    [["admin"], 200],
    [["x", `write:waitpoints:${id}`], 200],
    [["write:waitpoints:"], 403],
    [["admin:waitpoints"], 403],
    [["write"], 403],
    [["*"], 403],
    [[], 403],
    [[`read:waitpoints:${id}`], 403],
    [[`write:runs:${id}`], 403],
    [["WRITE:waitpoints"], 403],
    [[7], 403],
    ["write:waitpoints", 403],
    [undefined, 403],
  ]) {
    const answer = await worker.complete(id, 1, { key: sign(scopes) });
    assert.equal(answer.status, status, JSON.stringify(scopes));
  }
});

test("a token's own JWT completes and reads it, earlier keys work, others do not", async () => {
  const { id, publicAccessToken } = await worker.create();
  const scopes = [`write:waitpoints:${id}`];
  assert.equal((await worker.api(`${TOKENS}/${id}`, { key: publicAccessToken })).status, 200);
  assert.equal((await worker.api(`${TOKENS}/${id}`, { key: sign(scopes) })).status, 403);
  assert.equal((await worker.api(`${TOKENS}/${id}`, { key: OLD_KEY })).status, 200);
  assert.equal((await worker.api(`${TOKENS}/${id}`, { key: OTHER_KEY })).status, 404);
  assert.equal((await worker.complete(id, 1, { key: OTHER_KEY })).status, 404);
  assert.equal(
    (await worker.complete(id, 1, { key: sign(scopes, { key: OTHER_KEY }) })).status,
    401,
  );
  assert.equal(
    (
      await worker.complete(id, 1, {
        key: sign(scopes, { key: OTHER_KEY, claims: { sub: "prod" } }),
      })
    ).status,
    404,
  );
  assert.equal((await worker.retrieve(id)).status, "WAITING");
  const claims = { act: { sub: "ann" } };
  const answer = await worker.complete(id, 1, { key: sign(scopes, { key: OLD_KEY, claims }) });
  assert.equal(answer.headers.get("waitpoint-outcome"), "completed");
  assert.equal((await worker.retrieve(id)).completedBySubject, "ann");
});

test("a JWT that does not verify is 401 with one text, and expiry has its own code", async () => {
  const { id } = await worker.create();
  const scopes = [`write:waitpoints:${id}`];
  const now = Math.floor(Date.now() / 1000);
  for (const [key, code] of [
    [sign(scopes, { claims: { exp: now - 1 } }), "public_token_expired"],
    [sign(scopes, { claims: { exp: undefined } }), "invalid_public_token"],
    [sign(scopes, { claims: { exp: "9999999999" } }), "invalid_public_token"],
    [sign(scopes, { claims: { nbf: now + 60 } }), "invalid_public_token"],
    [sign(scopes, { claims: { iss: "https://evil.example" } }), "invalid_public_token"],
    [sign(scopes, { claims: { aud: "x" } }), "invalid_public_token"],
    [sign(scopes, { claims: { sub: undefined } }), "invalid_public_token"],
    [sign(scopes, { claims: { pub: false } }), "invalid_public_token"],
    [sign(scopes, { header: { alg: "none" } }), "invalid_public_token"],
    [sign(scopes, { header: { alg: "HS256", crit: ["x"] } }), "invalid_public_token"],
    [sign(scopes, { key: "tr_dev_nobody78901234567890abcd" }), "invalid_public_token"],
    ["a.b.c", "invalid_public_token"],
    [sign(scopes) + "x".repeat(4096), "invalid_public_token"],
  ]) {
    const answer = await worker.complete(id, 1, { key });
    assert.equal(answer.status, 401);
    assert.deepEqual(await answer.json(), { error: "Public Access Token is invalid", code });
  }
  assert.equal(
    (
      await worker.complete(id, 1, {
        key: sign(scopes, { claims: { aud: ["https://api.trigger.dev"] } }),
      })
    ).status,
    200,
  );
});

test("a link that a reader retrieves grants no more than the reader has", async () => {
  const { id } = await worker.create();
  const { url } = await worker.retrieve(id, { key: sign([`read:waitpoints:${id}`]) });
  const answer = await fetch(url, { method: "POST", body: "{}" });
  assert.equal(answer.status, 403);
  assert.equal((await worker.retrieve(id)).status, "WAITING");
});

test("bodies of unknown length that never end take bounded memory", async () => {
  const { id } = await worker.create();
  const { hostname, port } = new URL(worker.url);
  const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
  const path = `${TOKENS}/${id}/complete`;
  const start = `{"data":"${"x".repeat(2_900_000)}`;
  const open = () => {
    const sender = request({ hostname, port, method: "POST", path, headers, agent: false });
    sender.on("error", () => {});
    sender.write(start);
    return sender;
  };
  const answered = async (sender) => {
    const [answer] = await once(sender, "response");
    const text = (await answer.setEncoding("utf8").toArray()).join("");
    return `${answer.statusCode} ${JSON.parse(text).code}`;
  };
  const senders = Array.from({ length: 16 }, open);
  // The memory is enough for 11 of them. The others' clients also receive why they are refused.
  const answers = senders.map((sender) => answered(sender).catch(String));
  const refused = [];
  await new Promise((resolve) => {
    for (const answer of answers) {
      answer.then((text) => {
        if (refused.push(text) === 5) resolve();
      });
    }
  });
  assert.deepEqual(refused, Array(5).fill("503 too_many_bodies"));
  const complete = open();
  complete.end('"}');
  assert.equal(await answered(complete), "503 too_many_bodies");
  for (const sender of senders) sender.destroy();
  // A body with a content-length does not need a share of that memory.
  assert.equal((await worker.complete(id, "x".repeat(2_900_000))).status, 200);
});
