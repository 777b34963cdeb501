// The links that are given out: their origin, the short one, and what damage they survive.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { request } from "node:http";
import { test } from "node:test";
import {
  callbackHash,
  KEY,
  OLD_KEY,
  OTHER_KEY,
  sign,
  TOKENS,
  until,
  useWorker,
} from "../support/harness.mjs";

const worker = useWorker();
const PUBLIC = "https://approve.example.com";
const proxied = useWorker({
  secrets: { SECRET_KEYS: `${KEY}\nprod=${OTHER_KEY}` },
  vars: { PUBLIC_URL: PUBLIC },
});
const misconfigured = useWorker({ vars: { PUBLIC_URL: "https://approve.example.com/base" } });
const keyless = useWorker({ vars: { PUBLIC_URL: `dev=${PUBLIC}` } });

/** Sends a path as it is: fetch would change it. */
const send = (origin, path, { method = "GET", body, headers = {} } = {}) =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    const sent = request({ hostname, port, path, method, headers }, (response) => {
      let text = "";
      response
        .on("data", (data) => (text += data))
        .on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    sent.on("error", reject).end(body);
  });

/** A page without its time and its nonce. */
const still = (text) => text.replace(/data-now="[^"]+"/, "").replaceAll(/v1\.\d+\.[\w-]+/g, "");

const pathOf = (url) => new URL(url).pathname;
const html = { accept: "text/html" };
const json = { "content-type": "application/json" };

/** The credential of a short link, as the Worker makes it. */
function shortLink(id, expiresAt, { key = KEY, environment = "default", purpose = "decide" } = {}) {
  const internal = id.replace("waitpoint_", "");
  const expiry = expiresAt.toString(36);
  const mac = createHmac("sha256", key)
    .update(`waitpoint link\n${purpose}\n${environment}\n${internal}\n${expiry}`)
    .digest()
    .subarray(0, 16);
  return `/t/${internal}/${expiry}${mac.toString("base64url")}`;
}

const soon = () => Math.floor(Date.now() / 1000) + 3600;

test("shortUrl opens the page, and the form on it decides", async () => {
  const { id, url, shortUrl } = await worker.create({ approval: { title: "Ship it?" } });
  assert.ok(shortUrl.startsWith(`${worker.url}/t/${id.replace("waitpoint_", "")}/`));
  assert.ok(shortUrl.length - worker.url.length <= 57, shortUrl);
  for (const link of [url, shortUrl]) {
    const page = await fetch(link, { headers: html });
    assert.equal(page.status, 200);
    assert.equal(page.headers.get("cache-control"), "no-store, no-transform");
    assert.match(await page.text(), /Ship it\?/);
  }
  const text = await (await fetch(shortUrl, { headers: html })).text();
  const nonce = /name="waitpoint_nonce" value="([^"]+)"/.exec(text)[1];
  const sent = await fetch(shortUrl, {
    method: "POST",
    headers: { ...html, origin: "null" },
    body: new URLSearchParams({ waitpoint_nonce: nonce, choice: "0" }),
    redirect: "manual",
  });
  assert.equal(sent.status, 303, await sent.text());
  assert.equal(sent.headers.get("location"), pathOf(shortUrl));
  const token = await worker.retrieve(id);
  assert.equal(token.completedBy, "page");
  const after = await (await fetch(shortUrl, { headers: html })).text();
  assert.match(after, /Approve/);
});

test("a machine's POST to shortUrl completes, and the first decision stays", async () => {
  const { id, shortUrl } = await worker.create();
  const options = { method: "POST", headers: json, body: '{"a":1}' };
  for (const outcome of ["completed", "already-completed"]) {
    const answer = await fetch(shortUrl, options);
    assert.equal(answer.status, 200, await answer.text());
    assert.equal(answer.headers.get("waitpoint-outcome"), outcome);
  }
  const token = await worker.retrieve(id);
  assert.deepEqual([token.output, token.completedBy], ['{"a":1}', "callback"]);
});

test("only answers to a secret key have it", async () => {
  const { id, url, shortUrl, publicAccessToken } = await worker.create({ timeout: "2d" });
  assert.equal((await worker.retrieve(id)).shortUrl, shortUrl);
  const again = await worker.create({ idempotencyKey: "links" });
  assert.equal((await worker.create({ idempotencyKey: "links" })).shortUrl, again.shortUrl);
  const seen = await worker.retrieve(id, { key: publicAccessToken });
  assert.deepEqual([seen.url, seen.shortUrl], [url, undefined]);
  const list = () => worker.api(TOKENS).then((answer) => answer.json());
  const { data } = await until(list, ({ data }) => data.some((item) => item.id === id));
  for (const item of data) assert.equal(item.shortUrl, undefined);
  for (const key of [KEY, publicAccessToken]) {
    const waited = await worker.api(`${TOKENS}/${id}/wait`, {
      key,
      headers: { accept: "text/event-stream" },
    });
    const reader = waited.body.getReader();
    await worker.complete(id, 1);
    let events = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      events += Buffer.from(value);
    }
    assert.match(events, /COMPLETED/);
    assert.doesNotMatch(events, /shortUrl|\/t\//);
  }
});

test("an expired one shows that it has expired, and decides nothing", async () => {
  const { id, shortUrl } = await worker.create();
  const path = shortLink(id, 1_700_000_000);
  const page = await send(worker.url, path, { headers: html });
  const jwt = sign([`write:waitpoints:${id}`, `read:waitpoints:${id}`], { claims: { exp: 1 } });
  const same = await send(worker.url, `${TOKENS}/${id}/callback/${jwt}`, { headers: html });
  assert.deepEqual([page.status, still(page.text)], [410, still(same.text)]);
  const post = await send(worker.url, path, { method: "POST", headers: json, body: "1" });
  assert.deepEqual([post.status, JSON.parse(post.text).code], [401, "public_token_expired"]);
  assert.equal((await worker.retrieve(id)).status, "WAITING");
  assert.equal((await fetch(shortUrl)).status, 200);
});

test("every key of the environment verifies it, and nothing else opens the token", async () => {
  const { id, shortUrl } = await worker.create();
  assert.equal((await send(worker.url, shortLink(id, soon(), { key: OLD_KEY }))).status, 200);
  const { id: other, shortUrl: another } = await worker.create({}, { key: OTHER_KEY });
  assert.equal((await fetch(another)).status, 200, "of the other environment");
  const path = pathOf(shortUrl);
  const end = path.split("/").at(-1);
  for (const bad of [
    shortLink(id, soon(), { key: OTHER_KEY }),
    // The other environment has no such token.
    shortLink(id, soon(), { key: OTHER_KEY, environment: "prod" }),
    shortLink(id, soon(), { environment: "prod" }),
    shortLink(id, soon(), { purpose: "page" }),
    `/t/${other.replace("waitpoint_", "")}/${end}`,
    `/t/${id}/${end}`,
    path.slice(0, -1),
    path.toUpperCase().replace("/T/", "/t/"),
    `${TOKENS}/${id}/callback/${end}`,
  ]) {
    const page = await send(worker.url, bad, { headers: html });
    assert.equal(page.status, 404, bad);
    const post = await send(worker.url, bad, { method: "POST", headers: json, body: "1" });
    assert.ok(post.status === 401 || post.status === 404, `${post.status} ${bad}`);
  }
  assert.equal((await worker.retrieve(id)).status, "WAITING");
  const bearer = await worker.api(`${TOKENS}/${id}`, { key: end });
  assert.equal(bearer.status, 401, "it is no bearer token");
});

const SUFFIXES = [
  ...[".", ",", ")", ").", ">", "]", "*", "=", "'", '"', ";", "!", ":", "|", "}", "_"],
  ...["%20", "%0A", "%22", "%29", "%3E", "%5D", "%2E", "%2e", "%3D", "%2A", "%60", "%3Fa=b"],
  ...["%C2%A0", "%C2%AD", "%E2%80%8B", "%E2%80%9D", "%E3%80%82", "%EF%BB%BF", "=3D"],
  ...["&utm_source=mail", "&amp;utm_source=mail", "&gt;", "&quot;", "%20and%20more."],
  ...["](https://w.example/", ".Thanks", ".?utm_source=mail", "%29?lang=de", "é", "\u200b"],
];

test("a damaged link is answered as the whole one is", async () => {
  const { id, url, shortUrl } = await worker.create();
  const hash = `${TOKENS}/${id}/callback/${callbackHash(id)}`;
  for (const path of [pathOf(url), pathOf(shortUrl), hash]) {
    const whole = await send(worker.url, path, { headers: html });
    assert.equal(whole.status, 200);
    for (const suffix of SUFFIXES) {
      // As a browser sends it.
      const damaged = await fetch(worker.url + path + suffix, { headers: html });
      const text = await damaged.text();
      assert.equal(damaged.status, 200, `${suffix} ${text}`);
      assert.ok(!damaged.redirected);
      if (!suffix.includes("lang=")) assert.equal(still(text), still(whole.text), suffix);
    }
    const escaped = path.replaceAll(".", "%2E").replaceAll("_", "%5f").replaceAll("-", "%2D");
    for (const [from, to] of [
      [path, escaped],
      ["/t/", "/%74/"],
      ["callback", "%63allback"],
    ]) {
      const answer = await send(worker.url, path.replace(from, to), { headers: html });
      assert.equal(answer.status, 200, to);
    }
  }
});

test("a POST to a damaged link completes at once, without a redirect", async () => {
  for (const suffix of [".", ")", "%20", "&utm_source=mail", "%E2%80%8B", ">."]) {
    for (const name of ["url", "shortUrl"]) {
      const token = await worker.create();
      const path = pathOf(token[name]).replace(".", "%2E") + suffix;
      const answer = await fetch(worker.url + path, {
        method: "POST",
        headers: json,
        body: "1",
        redirect: "error",
      });
      assert.equal(answer.status, 200, `${suffix} ${await answer.text()}`);
      assert.equal(answer.headers.get("waitpoint-outcome"), "completed");
      assert.equal((await worker.retrieve(token.id)).output, "1");
    }
  }
});

test("what is more than damaged stays refused", async () => {
  const { id, url, shortUrl } = await worker.create();
  for (const path of [pathOf(url), pathOf(shortUrl)]) {
    for (const [bad, status] of [
      [`${path}/`, 308],
      [`${path}/x`, 404],
      [`${path.slice(0, -3)}.`, 404],
      [`${path.slice(0, -1)}%2E`, 404],
      [`/${path}.`, 404],
    ]) {
      const answer = await send(worker.url, bad, { headers: html });
      assert.equal(answer.status, status, bad.slice(-40));
    }
  }
  assert.equal((await worker.api(`${TOKENS}/${id}.`)).status, 404);
  assert.equal((await worker.api(`${TOKENS}/${id}/complete.`, { body: {} })).status, 404);
  assert.equal((await worker.retrieve(id)).status, "WAITING");
});

test("PUBLIC_URL is the origin of an environment's links; others have the request's", async () => {
  const create = async (key) => {
    const answer = await send(proxied.url, TOKENS, {
      method: "POST",
      headers: { ...json, host: "internal", authorization: `Bearer ${key}` },
      body: '{"approval":{"title":"Ship it?"}}',
    });
    assert.equal(answer.status, 200, answer.text);
    return JSON.parse(answer.text);
  };
  const retrieve = async (path, key) => {
    const headers = { host: "internal", authorization: `Bearer ${key}` };
    return JSON.parse((await send(proxied.url, TOKENS + path, { headers })).text);
  };
  for (const [key, origin] of [
    [KEY, PUBLIC],
    [OTHER_KEY, "http://internal"],
  ]) {
    const token = await create(key);
    const { id } = token;
    const jwt = token.url.split("/").at(-1);
    assert.ok(token.url.startsWith(`${origin}${TOKENS}/${id}/callback/`), token.url.slice(0, 40));
    assert.ok(token.shortUrl.startsWith(`${origin}/t/`), token.shortUrl.slice(0, 40));
    const owned = await retrieve(`/${id}`, key);
    assert.deepEqual([owned.url, owned.shortUrl], [token.url, token.shortUrl]);
    assert.equal((await retrieve(`/${id}`, jwt)).url, token.url);
    const ofList = ({ data }) => data.find((item) => item.id === id);
    const list = await until(() => retrieve("", key), ofList);
    assert.equal(ofList(list).url, token.url);

    const page = await send(proxied.url, pathOf(token.shortUrl), {
      headers: { ...html, host: "internal" },
    });
    assert.equal(page.status, 200);
    const nonce = /name="waitpoint_nonce" value="([^"]+)"/.exec(page.text)[1];
    // A browser that sends the page's origin. It is not that of the request.
    const sent = await send(proxied.url, pathOf(token.shortUrl), {
      method: "POST",
      headers: {
        ...html,
        host: "internal",
        origin,
        "content-type": "application/x-www-form-urlencoded",
      },
      body: `${new URLSearchParams({ waitpoint_nonce: nonce, choice: "0" })}`,
    });
    assert.equal(sent.status, 303, sent.text);
    assert.equal(sent.headers.location, pathOf(token.shortUrl));
  }
});

test("a PUBLIC_URL that cannot be used is named", async () => {
  for (const [bad, sentence] of [
    [
      misconfigured,
      'The server is misconfigured: "https://approve.example.com/base" in line 1 of PUBLIC_URL ' +
        "has a path, a query or a fragment. Use one [environment=]URL per environment, with an " +
        "origin such as https://approve.example.com.",
    ],
    [
      keyless,
      "The server is misconfigured: PUBLIC_URL names the environment dev, which has no key in " +
        "SECRET_KEYS",
    ],
  ]) {
    for (const [path, options] of [
      ["/healthz", {}],
      [TOKENS, { body: {} }],
    ]) {
      const answer = await bad.api(path, options);
      assert.deepEqual(
        [answer.status, await answer.json()],
        [500, { error: sentence, code: "misconfigured" }],
      );
    }
  }
});
