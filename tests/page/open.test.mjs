// Opening token.url: what each request is answered, and that nothing is decided.
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { callbackHash, OTHER_KEY, sign, useWorker } from "../support/harness.mjs";
import { open, send } from "./requests.mjs";

const worker = useWorker();

const status = async ({ id }) => (await worker.retrieve(id)).status;

test("1, 2, 3, 5: GET and HEAD show the form and decide nothing, for any client", async () => {
  const token = await worker.create({ timeout: "1h" });
  const agents = [
    "Mozilla/5.0 (Windows NT 10.0) Chrome/156",
    "Slackbot-LinkExpanding 1.0",
    "Barracuda Sentinel",
    "Google-Safety",
    "curl/8",
  ];
  for (const headers of [
    {},
    { accept: "*/*" },
    { "sec-purpose": "prefetch;prerender" },
    { range: "bytes=0-10" },
    { "x-http-method-override": "POST" },
    { "content-type": "application/json" },
    ...agents.map((agent) => ({ "user-agent": agent })),
  ]) {
    for (const query of ["", "?action=approve", "?choice=0&comment=x", "?lang=en&_method=POST"]) {
      const answer = await open(token.url + query, { headers });
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get("content-type"), /^text\/html/);
      assert.match(await answer.text(), /<form method="post"/);
      const head = await open(token.url + query, { method: "HEAD", headers });
      assert.deepEqual([head.status, await head.text()], [200, ""]);
      const besides = ({ headers }) =>
        [...headers.keys()].filter(
          (name) => !/date|length|encoding|connection|keep-alive/.test(name),
        );
      assert.deepEqual(besides(head), besides(answer));
    }
  }
  assert.equal(await status(token), "WAITING");
});

test("4: a thousand openings at once change nothing, and a person decides after them", async () => {
  const token = await worker.create();
  const methods = Array.from({ length: 1000 }, (_, n) => (n % 2 ? "GET" : "HEAD"));
  const answers = await Promise.all(
    methods.map(async (method, n) => {
      const answer = await open(token.url, { method, headers: { "user-agent": `scanner/${n}` } });
      await answer.arrayBuffer();
      return answer.status;
    }),
  );
  assert.deepEqual(new Set(answers), new Set([200]));
  assert.equal(await status(token), "WAITING");
  assert.equal((await send(token.url, { choice: "0" })).status, 303);
  assert.equal(await status(token), "COMPLETED");
});

test("15: an expired link says so, to people and to machines, and decides nothing", async () => {
  const token = await worker.create({ approval: { title: "Go?", description: "secret" } });
  const jwt = sign([`write:waitpoints:${token.id}`], {
    claims: { exp: Math.floor(Date.now() / 1000) - 1 },
  });
  const url = token.url.replace(/[^/]+$/, jwt);
  for (const method of ["GET", "POST"]) {
    const body =
      method === "POST" ? new URLSearchParams({ choice: "0", waitpoint_nonce: "" }) : undefined;
    const answer = await open(url, { method, body });
    assert.equal(answer.status, 410);
    const page = await answer.text();
    assert.match(page, /This link has expired/);
    assert.match(page, /Go\?/);
    assert.doesNotMatch(page, /<form|secret/);
  }
  const machine = await fetch(url, { method: "POST", body: "{}" });
  assert.deepEqual([machine.status, (await machine.json()).code], [401, "public_token_expired"]);
  assert.equal(await status(token), "WAITING");
});

test("16: whatever is wrong with a link, the answer is the same 404", async () => {
  const { id, url } = await worker.create();
  const unknown = await worker.create();
  const link = (id, credential) =>
    `${worker.url}/api/v1/waitpoints/tokens/${id}/callback/${credential}`;
  const [header, payload, signature] = url.split("/").at(-1).split(".");
  const bodies = new Set();
  for (const bad of [
    link(id, "x"),
    link(id, callbackHash("waitpoint_other")),
    link(
      id,
      `${header}.${payload}.${signature.replace(/.$/, (last) => (last === "A" ? "Q" : "A"))}`,
    ),
    link(id, `${header}.${payload}`),
    link("waitpoint_cnobody", sign(["write:waitpoints:waitpoint_cnobody"])),
    link("waitpoint_cnobody", callbackHash("waitpoint_cnobody")),
    link(unknown.id, sign([`read:waitpoints:${unknown.id}`])),
    link(id, sign([`write:waitpoints:${id}`], { key: OTHER_KEY })),
    link(id, "%C3%A9"),
    link(id, "x".repeat(8_000)),
  ]) {
    for (const method of ["GET", "POST"]) {
      const form = new URLSearchParams({ waitpoint_nonce: "x", choice: "0" });
      const body = method === "POST" ? form : undefined;
      const answer = await open(bad, { method, body });
      assert.equal(answer.status, 404, bad.slice(0, 200));
      bodies.add(await answer.text());
    }
  }
  assert.equal(bodies.size, 1);
  assert.match([...bodies][0], /This link is not valid/);
});

test("17, 23: other methods are 405; OPTIONS grants a page of another origin nothing", async () => {
  const { url } = await worker.create();
  for (const method of ["PUT", "PATCH", "DELETE"]) {
    const answer = await open(url, { method });
    assert.deepEqual(
      [answer.status, answer.headers.get("allow")],
      [405, "GET, HEAD, POST, OPTIONS"],
    );
  }
  const headers = { origin: "https://example.com", "access-control-request-method": "POST" };
  const options = await open(url, { method: "OPTIONS", headers });
  assert.equal(options.status, 204);
  assert.equal(
    [...options.headers.keys()].some((name) => name.startsWith("access-control")),
    false,
  );
});

test("24: a link that was opened without TLS leads to the one with it", async () => {
  const { url } = await worker.create();
  const answer = await open(url, { headers: { "cf-visitor": `{"scheme":"http"}` } });
  // The local proxy turns the Worker's https: back into its own http:.
  const location = new URL(answer.headers.get("location"));
  assert.deepEqual([answer.status, location.pathname], [308, new URL(url).pathname]);
});

test("every page carries the headers that keep it to itself, and no cookie", async () => {
  const { url } = await worker.create();
  for (const answer of [await open(url), await open(`${url}x`)]) {
    const header = (name) => answer.headers.get(name) ?? "";
    const policy = header("content-security-policy");
    for (const part of [
      "default-src 'none'",
      "style-src 'sha256-",
      "script-src 'sha256-",
      "form-action 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
      "require-trusted-types-for 'script'",
    ]) {
      assert.ok(policy.includes(part), `${part} in ${policy}`);
    }
    assert.doesNotMatch(policy, /unsafe/);
    assert.deepEqual(
      [
        "cache-control",
        "referrer-policy",
        "x-frame-options",
        "x-content-type-options",
        "origin-agent-cluster",
        "set-cookie",
      ].map(header),
      ["no-store, no-transform", "no-referrer", "DENY", "nosniff", "?1", ""],
    );
    assert.match(header("x-robots-tag"), /noindex, nofollow, noarchive, nosnippet/);
    assert.match(header("permissions-policy"), /camera=\(\)/);
    assert.match(header("strict-transport-security"), /max-age/);
  }
});

test("the page is one document of 7 KB at most, packed, in the language asked for", async () => {
  const approval = {
    title: "t".repeat(120),
    description: "Something to decide on. ".repeat(60),
    requestedBy: "Ann",
  };
  const { url } = await worker.create({ timeout: "1h", approval });
  for (const [query, language, lang] of [
    ["", "de-CH,de;q=0.9", "de"],
    ["?lang=ar", "de", "ar"],
    ["", "tlh", "en"],
  ]) {
    const answer = await open(url + query, { headers: { "accept-language": language } });
    const page = await answer.text();
    assert.match(page, new RegExp(`<html lang="${lang}" dir="${lang === "ar" ? "rtl" : "ltr"}">`));
    const size = gzipSync(page, { level: 6 }).length;
    assert.ok(size <= 7_000, `${size} bytes`);
    assert.doesNotMatch(page, /(src|href)="(?!data:,")/, "something else is fetched");
  }
});

test("trigger.dev's own callback hash opens the page too", async () => {
  const { id } = await worker.create();
  const url = `${worker.url}/api/v1/waitpoints/tokens/${id}/callback/${callbackHash(id)}`;
  assert.equal((await open(url)).status, 200);
  assert.equal((await send(url, { choice: "0" })).status, 303);
});
