// What `npm start` may print: no credential in any spelling, and what a developer needs to read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { maskLine, secretsOf } from "../../scripts/lib/mask.mjs";
import { callbackHash, KEY, sign } from "../support/harness.mjs";
import { spellings } from "../support/secrets.mjs";

const ID = "waitpoint_cw3osfvnvaztdymvq8839z49e";
const TOKENS = "/api/v1/waitpoints/tokens";
const jwt = sign([`write:waitpoints:${ID}`]);
const hash = callbackHash(ID);
const options = {
  folders: ["/work/app"],
  secrets: secretsOf(`SECRET_KEYS="${KEY}\nprod=letters only and-then-some-more-of-it"`),
};

const percent = (text) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16)}`).join("");
const json = (value) => JSON.stringify(value).replaceAll("/", "\\/");

test("a credential is printed in no spelling of a request, an error or a line of the log", () => {
  for (const credential of [jwt, hash, hash.toUpperCase(), KEY, jwt.split(".")[2]]) {
    for (const written of new Set([
      credential,
      ...Object.values(spellings(credential)).map(String),
      percent(percent(credential)),
    ])) {
      if (written.includes("\0")) continue;
      const paths = [
        ...["callback", "Callback", "CALLBACK", "%63allback", "x"].map(
          (name) => `${TOKENS}/${ID}/${name}/${written}`,
        ),
        ...[`/callback%2f${written}`, `//callback//${written}`, `\\callback\\${written}`].map(
          (end) => `${TOKENS}/${ID}${end}`,
        ),
        ...[
          `?x=${written}`,
          `/${ID}?x=${written}`,
          `/${ID}/callback/${written}/`,
          `/${ID}/callback/${written}#x`,
        ].map((end) => TOKENS + end),
        ...[
          `/${written}`,
          `//${written}`,
          `/API/V1/${written}`,
          `/work/app/${written}`,
          `/x?${written}`,
        ],
      ];
      const lines = paths.flatMap((path) => [
        ...["GET", "HEAD", "M-SEARCH"].map(
          (method) => `[wrangler:info] ${method} ${path} 404 Not Found (3ms)`,
        ),
        `\x1b[32m[wrangler:info]\x1b[39m \x1b[0m\x1b[1mGET\x1b[22m ${path} ` +
          "\x1b[33m404 Not Found\x1b[39m",
        ...["", "http://localhost:8787", "https://a.example", "ws://127.0.0.1:80"].map(
          (origin) => `Error: ${origin}${path} failed`,
        ),
        ...[
          `    at fetch (${path}:1:2)`,
          `url=${path}`,
          `"${path}"`,
          `[${path}]`,
          `see ${path}.`,
          path.slice(1),
        ],
        json({ event: "failed", url: path }),
        JSON.stringify({ event: "failed", url: `http://localhost${path}` }),
        `{ headers: { authorization: 'Bearer ${written}' }, url: '${path}' }`,
      ]);
      lines.push(
        written,
        `Bearer ${written}`,
        `key:${written}`,
        `"${written}"`,
        `http://${written}@localhost/`,
        `?x=${written}`,
      );
      for (const line of lines) {
        const text = maskLine(line, options) ?? "";
        // Neither the whole credential nor a useful part of it.
        for (let at = 0; at + 20 <= written.length; at += 5) {
          assert.ok(!text.includes(written.slice(at, at + 20)), `${line}\n${text}`);
        }
      }
    }
  }
});

test("what a developer needs stays as it is", () => {
  for (const line of [
    "",
    "⎔ Starting local server...",
    "[wrangler:info] Ready on http://localhost:8787",
    "Waitpoint is ready at http://localhost:8787",
    `{"event":"created","environment":"default","token":"${ID}"}`,
    `{"event":"not delivered","token":"${ID}","attempt":1,"status":500}`,
    "env.ENVIRONMENT_LIMIT (5000 requests/10s)      Rate Limit                local",
    "[custom build] error[E0425]: cannot find value `x` in this scope",
    "[custom build]   --> src/worker/object.rs:12:5",
    "    at Object.fetch (file:///work/app/node_modules/wrangler/dist/ProxyWorker.js:12:34)",
    "    at /work/app/build/index.js:1:200",
    "wasm32-unknown-unknown is missing",
    "\x1b[31m✘ [ERROR]\x1b[0m Uncaught Error: Handler does not export a scheduled() function",
    "see https://developers.cloudflare.com/workers/wrangler/configuration/ for more",
    `http://localhost:8787${TOKENS}/${ID}/wait: 503`,
  ]) {
    assert.equal(maskLine(line, options), line);
  }
});

test("of a URL the known part stays", () => {
  for (const [line, text] of [
    [
      `failed: http://localhost:8787${TOKENS}/${ID}/callback/x`,
      `failed: http://localhost:8787${TOKENS}/${ID}/…`,
    ],
    [`failed: ${TOKENS}?filter[tags]=a`, `failed: ${TOKENS}/…[tags]=a`],
    ["failed: http://localhost/elsewhere", "failed: http://localhost/…"],
  ]) {
    assert.equal(maskLine(line, options), text);
  }
});

test("requests and npm's chatter are not printed", () => {
  for (const line of [
    "[wrangler:info] GET / 200 OK (1ms)",
    "[wrangler:info] GET //x 404",
    "[custom build] npm warn x",
    "[custom build] > build",
  ]) {
    assert.equal(maskLine(line, options), undefined);
  }
});

test("the values of .dev.vars are masked, whatever they look like", () => {
  const secrets = secretsOf(
    [
      'SECRET_KEYS="onlylowercaseletters',
      'prod=another-key-of-letters"',
      "WEBHOOK_SECRET=whsec_abcdefghijklmnop",
      "UPSTREAM=https://api.example.com",
    ].join("\n"),
  );
  assert.equal(
    maskLine("x onlylowercaseletters, prod:another-key-of-letters", { secrets }),
    "x …, prod:…",
  );
  assert.ok(!secrets.some((secret) => secret.includes("api.example.com")));
});

test("a line of any length takes little time", () => {
  const started = Date.now();
  for (const part of ["/", "?", ".", "%", "%41", "a/", "a.", "=", "\\", "https://", "a:"])
    maskLine(`x ${part.repeat(1_000_000)}x`, options);
  assert.ok(Date.now() - started < 2_000, `${Date.now() - started} ms`);
});
