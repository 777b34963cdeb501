import assert from "node:assert/strict";
import { test } from "node:test";
import { KEY, sign, TOKENS, useWorker } from "../support/harness.mjs";

const worker = useWorker();
const bare = useWorker({ secrets: { SECRET_KEYS: "" } });
const short = useWorker({ secrets: { SECRET_KEYS: "too-short" } });
const ORIGIN = "https://app.example";

test("a preflight of complete and retrieve is granted without a credential", async () => {
  for (const path of [`${TOKENS}/x/complete`, `${TOKENS}/x`]) {
    const asked = "authorization,content-type,traceparent,x-my-own";
    const answer = await worker.api(path, {
      key: "",
      method: "OPTIONS",
      headers: {
        origin: ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": asked,
      },
    });
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), "{}");
    assert.equal(answer.headers.get("access-control-allow-origin"), ORIGIN);
    assert.equal(answer.headers.get("access-control-allow-headers"), asked);
    assert.match(answer.headers.get("access-control-allow-methods"), /POST/);
    assert.match(answer.headers.get("vary"), /Origin/);
    assert.equal(answer.headers.get("access-control-allow-credentials"), null);
  }
});

test("every answer of the browser's routes can be read by the page, errors included", async () => {
  const { id } = await worker.create();
  const complete = `${TOKENS}/${id}/complete`;
  const few = sign([]);
  for (const [status, path, options] of [
    [200, complete, { body: "{}" }],
    [400, complete, { body: "{" }],
    [401, complete, { body: "{}", key: "" }],
    [401, complete, { body: "{}", key: "nobody" }],
    [403, complete, { body: "{}", key: few }],
    [404, `${TOKENS}/cnobody/complete`, { body: "{}" }],
    [405, complete, { method: "PUT" }],
    [413, complete, { body: "x".repeat(3 * 1024 * 1024 + 1) }],
    [200, `${TOKENS}/${id}`, {}],
    [403, `${TOKENS}/${id}`, { key: few }],
    [404, `${TOKENS}/cnobody`, {}],
  ]) {
    for (const origin of [ORIGIN, undefined]) {
      const answer = await worker.api(path, { ...options, headers: origin ? { origin } : {} });
      assert.equal(answer.status, status, path);
      assert.equal(
        answer.headers.get("access-control-allow-origin"),
        origin ?? null,
        `${status} ${path}`,
      );
      if (origin)
        assert.match(answer.headers.get("access-control-expose-headers"), /waitpoint-outcome/);
    }
  }
});

test("back ends' routes grant nothing to pages", async () => {
  const headers = { origin: ORIGIN };
  for (const [path, options] of [
    [TOKENS, { body: "{}" }],
    ["/api/v1/auth/jwt/claims", { method: "POST" }],
    ["/healthz", {}],
  ]) {
    const answer = await worker.api(path, { ...options, headers });
    assert.equal(answer.headers.get("access-control-allow-origin"), null);
  }
});

test("a wrong method is 405 and names the right ones; a wrong path is 404", async () => {
  for (const [path, method, allow] of [
    [TOKENS, "PUT", "GET, HEAD, POST"],
    [`${TOKENS}/x`, "DELETE", "GET, HEAD, OPTIONS"],
    [`${TOKENS}/x/complete`, "GET", "POST, OPTIONS"],
    ["/healthz", "POST", "GET, HEAD"],
    ["/api/v1/auth/jwt/claims", "GET", "POST"],
    ["/engine/v1/runs/r/waitpoints/tokens/x/wait", "GET", "POST"],
  ]) {
    const answer = await worker.api(path, { method });
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.get("allow"), allow);
    assert.equal((await answer.json()).error, "Method not allowed");
  }
  for (const path of [
    "/api",
    "/api/v1/waitpoints",
    `${TOKENS}/x/y`,
    `/${"a".repeat(8000)}`,
    "/%00",
    "/é",
    "//healthz",
  ]) {
    const answer = await worker.api(path);
    assert.equal(answer.status, 404, path);
    assert.deepEqual(await answer.json(), { error: "Not found", code: "path_not_found" });
  }
  for (const id of ["%00", "é", "a b", "x".repeat(300), "waitpoint_a_b", "..%2f"]) {
    assert.equal((await worker.api(`${TOKENS}/${id}`)).status, 404, id);
  }
});

test("a slash too many leads to the path without it; method and query stay", async () => {
  for (const path of [`${TOKENS}/`, "/healthz/"]) {
    const answer = await worker.api(`${path}?a=1`);
    assert.equal(answer.status, 308);
    assert.equal(answer.headers.get("location"), `${path.slice(0, -1)}?a=1`);
  }
});

test("a token has a tag that changes when it is decided", async () => {
  const { id } = await worker.create();
  const path = `${TOKENS}/${id}`;
  const etag = (await worker.api(path)).headers.get("etag");
  for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
    const answer = await worker.api(path, { headers: { "if-none-match": tag } });
    assert.equal(answer.status, 304);
    assert.equal(await answer.text(), "");
    assert.equal(answer.headers.get("etag"), etag);
  }
  assert.equal((await worker.api(path, { headers: { "if-none-match": '"x"' } })).status, 200);
  await worker.complete(id, 1);
  const answer = await worker.api(path, { headers: { "if-none-match": etag } });
  assert.equal(answer.status, 200);
  assert.notEqual(answer.headers.get("etag"), etag);
  const head = await worker.api(path, { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), "");
});

test("the SDK's neighbours: claims and the run hook", async () => {
  const { id, publicAccessToken } = await worker.create();
  const claims = await worker.api("/api/v1/auth/jwt/claims", { method: "POST" });
  assert.deepEqual(await claims.json(), { sub: "default", pub: true });
  const wait = (token, options) =>
    worker.api(`/engine/v1/runs/run_1/waitpoints/tokens/${token}/wait`, {
      method: "POST",
      ...options,
    });
  const found = await wait(id);
  assert.equal(found.status, 200);
  assert.deepEqual(await found.json(), { success: true });
  const missing = await wait("waitpoint_cnobody");
  assert.equal(missing.status, 404);
  assert.equal(missing.headers.get("x-should-retry"), "false");
  assert.equal((await wait(id, { key: publicAccessToken })).status, 401);
});

test("health and the start page", async () => {
  assert.deepEqual(await (await worker.api("/healthz", { key: "" })).json(), { status: "ok" });
  const start = await worker.api("/", { key: "" });
  assert.equal(start.status, 200);
  assert.match(await start.text(), /Waitpoint is running/);
});

test("a Worker without usable keys says what an operator must do, and no key", async () => {
  for (const [server, sentence] of [
    [bare, /SECRET_KEYS is not set\. Run `wrangler secret put SECRET_KEYS`/],
    [short, /the key in line 1 of SECRET_KEYS is too short\. Use at least 24 characters/],
  ]) {
    for (const path of ["/healthz", TOKENS, `${TOKENS}/x`]) {
      const answer = await server.api(path, { key: KEY });
      assert.equal(answer.status, 500);
      assert.equal(answer.headers.get("x-should-retry"), "false");
      const { error, code } = await answer.json();
      assert.match(error, sentence);
      assert.equal(code, "misconfigured");
      assert.ok(!error.includes("too-short"));
    }
  }
});
