// A token with `callback.verify`: its links only read, and whoever holds one decides nothing.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { callbackHash, SECRET_KEYS, sign, TOKENS, until, useWorker } from "../support/harness.mjs";

const SECRET = "an-invented-secret";
const worker = useWorker({
  secrets: { SECRET_KEYS, CALLBACK_SECRETS: `DEPLOYS=${SECRET}\nDEPLOYS=a-rotated-secret` },
});
const callback = { verify: { scheme: "github", secret: "DEPLOYS" } };
const BODY = '{"action":"completed"}';

const post = (url, { body = BODY, secret, headers = {} } = {}) => {
  const signature = secret && createHmac("sha256", secret).update(body).digest("hex");
  const signed = secret && { "x-hub-signature-256": `sha256=${signature}` };
  const type = { "content-type": "application/json" };
  return fetch(url, { method: "POST", body, headers: { ...type, ...signed, ...headers } });
};
const statusOf = async (id) => (await worker.retrieve(id)).status;
const links = ({ url, shortUrl }) => [url, shortUrl];

test("what is not signed decides nothing, by either link, a hash or another JWT", async () => {
  const token = await worker.create({ callback });
  const { id } = token;
  const at = (credential) => `${worker.url}${TOKENS}/${id}/callback/${credential}`;
  const own = sign([`write:waitpoints:${id}`, `read:waitpoints:${id}`]);
  for (const url of [...links(token), at(callbackHash(id)), at(own)]) {
    for (const options of [{}, { secret: "another-secret" }, { body: "x".repeat(100_000) }]) {
      const answer = await post(url, options);
      assert.equal(answer.status, 401, url);
      assert.equal((await answer.json()).code, "invalid_signature");
    }
  }
  assert.equal(await statusOf(id), "WAITING");
});

test("the JWT of the link may read at the API and not write; x-trigger-jwt writes", async () => {
  const token = await worker.create({ callback });
  const jwt = token.url.split("/").at(-1);
  const call = (path, options) => worker.api(`${TOKENS}/${token.id}${path}`, options);
  assert.equal((await call("", { key: jwt })).status, 200);
  const refused = await call("/complete", { method: "POST", key: jwt, body: { data: 1 } });
  assert.deepEqual([refused.status, (await refused.json()).code], [403, "unauthorized"]);
  assert.equal(await statusOf(token.id), "WAITING");
  const key = token.publicAccessToken;
  const done = await call("/complete", { method: "POST", key, body: { data: 1 } });
  assert.equal(done.headers.get("waitpoint-outcome"), "completed");
});

test("the page at the link shows the question, has no form, and takes none", async () => {
  const approval = { title: "Deploy to production?" };
  const token = await worker.create({ callback, approval });
  for (const url of links(token)) {
    const page = await fetch(url, { headers: { accept: "text/html" } });
    const text = await page.text();
    assert.equal(page.status, 200);
    assert.match(text, /Deploy to production\?/);
    assert.match(text, /This link only shows it/);
    assert.doesNotMatch(text, /<form|waitpoint_nonce/);
    const form = new URLSearchParams({ waitpoint_nonce: "v1.1.x", choice: "0" });
    const sent = await fetch(url, { method: "POST", body: form, headers: { accept: "text/html" } });
    assert.doesNotMatch(await sent.text(), /<form/);
  }
  assert.equal(await statusOf(token.id), "WAITING");
});

test("a signed callback decides, by either link and either secret, once", async () => {
  for (const [n, secret] of [SECRET, "a-rotated-secret"].entries()) {
    const token = await worker.create({ callback });
    const url = links(token)[n];
    const headers = { "x-github-event": "workflow_run", "x-github-delivery": "1" };
    const outcomes = [];
    for (let again = 0; again < 2; again++) {
      const answer = await post(url, { secret, headers });
      assert.equal(answer.status, 200);
      outcomes.push(answer.headers.get("waitpoint-outcome"));
    }
    assert.deepEqual(outcomes, ["completed", "already-completed"]);
    const found = await worker.retrieve(token.id);
    assert.deepEqual([found.output, found.callback], [BODY, { headers }]);
    // What retrieve shows are links of the same kind.
    const jwt = found.url.split("/").at(-1);
    const path = `${TOKENS}/${token.id}/complete`;
    const answer = await worker.api(path, { method: "POST", key: jwt, body: {} });
    assert.equal(answer.status, 403);
  }
});

test("a list's url is a link of the same kind", async () => {
  const tag = `signed-${Date.now()}`;
  const token = await worker.create({ callback, tags: [tag] });
  const list = () => worker.api(`${TOKENS}?filter[tags]=${tag}`).then((answer) => answer.json());
  const { data } = await until(list, ({ data }) => data.length === 1);
  const jwt = data[0].url.split("/").at(-1);
  const options = { method: "POST", key: jwt, body: {} };
  const refused = await worker.api(`${TOKENS}/${token.id}/complete`, options);
  assert.equal(refused.status, 403);
  const page = await fetch(data[0].url, { headers: { accept: "text/html" } });
  assert.doesNotMatch(await page.text(), /<form/);
  assert.equal((await post(data[0].url)).status, 401);
  const answer = await post(data[0].url, { secret: SECRET });
  assert.equal(answer.headers.get("waitpoint-outcome"), "completed");
});

test("create names what is wrong with a callback", async () => {
  for (const [value, path, message] of [
    [
      { verify: { scheme: "github", secret: "NOBODY" } },
      "callback.verify.secret",
      /CALLBACK_SECRETS/,
    ],
    [{ verify: { scheme: "md5", secret: "DEPLOYS" } }, "callback.verify.scheme", /"md5"/],
    [{ accept: { pointer: "status", in: ["x"] } }, "callback.accept.pointer", /"status"/],
    [{ accept: { pointer: "/status", in: [] } }, "callback.accept.in", /lists no value/],
    [{ respond: { status: 302 } }, "callback.respond.status", /302/],
    [{ respond: { status: 204, body: "x" } }, "callback.respond.body", /204/],
    [{ respond: { contentType: "text/html" } }, "callback.respond.contentType", /text\/html/],
    [{ reply: 1 }, "callback", /"reply"/],
    ["yes", "callback", /yes/],
  ]) {
    const answer = await worker.api(TOKENS, { method: "POST", body: { callback: value } });
    const { code, error } = await answer.json();
    assert.deepEqual([answer.status, code], [400, "validation_error"], error);
    assert.ok(error.includes(`"${path}"`), `${error} names ${path}`);
    assert.match(error, message);
  }
});
