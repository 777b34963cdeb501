// token.url over HTTP, row by row: what each request is answered, and that only a POST decides.
import assert from "node:assert/strict";
import { request } from "node:http";
import { test } from "node:test";
import { KEY, OTHER_KEY, callbackHash, sign, until, useWorker } from "../support/harness.mjs";

const worker = useWorker();
const HTML = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";

/** Opens a link as a browser does. */
const open = (url, { headers = {}, ...options } = {}) =>
  fetch(url, { redirect: "manual", ...options, headers: { accept: HTML, ...headers } });

const nonceOf = (page) => /name="waitpoint_nonce" value="([^"]*)"/.exec(page)?.[1];

/** Sends the page's form; `fields` go before the nonce of the page as it stands now. */
async function send(url, fields, options = {}) {
  const nonce = nonceOf(await (await open(url)).text()) ?? "";
  const body = new URLSearchParams({ waitpoint_nonce: nonce, ...fields });
  return open(url, { method: "POST", body, ...options });
}

/** Posts a form with a header that fetch keeps to itself. */
function navigate(url, body) {
  const headers = { accept: HTML, "sec-fetch-mode": "navigate", "content-type": "application/x-www-form-urlencoded" };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", headers }, async (answer) => {
      resolve({ status: answer.statusCode, page: (await answer.setEncoding("utf8").toArray()).join("") });
    });
    sent.once("error", reject).end(String(body));
  });
}

const status = async ({ id }) => (await worker.retrieve(id)).status;
const text = async (answer) => (await answer.text()).replace(/\s+/g, " ");

test("1, 2, 3, 5: GET and HEAD show the form and decide nothing, whoever asks and however", async () => {
  const token = await worker.create({ timeout: "1h" });
  const agents = ["Mozilla/5.0 (Windows NT 10.0) Chrome/156", "Slackbot-LinkExpanding 1.0", "Barracuda Sentinel", "Google-Safety", "curl/8"];
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
      const besides = ({ headers }) => [...headers.keys()].filter((name) => !/date|length|encoding|connection|keep-alive/.test(name));
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

test("6, 7: a decision redirects to the page, again for the same one; a JSON client is told by 200", async () => {
  const token = await worker.create();
  const url = `${token.url}?lang=de`;
  const first = await send(url, { choice: "1", comment: "zu früh" });
  assert.deepEqual([first.status, first.headers.get("location")], [303, url.slice(worker.url.length)]);
  const { output, completedBy, completedBySubject } = await worker.retrieve(token.id);
  assert.equal(output, `{"status":"rejected","comment":"zu früh"}`);
  assert.deepEqual([completedBy, completedBySubject], ["page", undefined]);
  assert.equal((await send(url, { choice: "1", comment: "zu früh" })).status, 303);
  const page = await text(await open(url));
  assert.match(page, /Abgelehnt/);
  assert.match(page, /zu früh/);

  const other = await worker.create();
  const json = await send(other.url, { choice: "0" }, { headers: { accept: "application/json" } });
  assert.deepEqual([json.status, await json.json()], [200, { success: true }]);
});

test("8: another decision afterwards is told that it was not taken, what was, and by whom", async () => {
  const token = await worker.create();
  const act = { sub: "ann@example.com" };
  const jwt = sign([`write:waitpoints:${token.id}`], { claims: { act } });
  await worker.complete(token.id, { status: "rejected", comment: "no" }, { key: jwt });
  const answer = await send(token.url, { choice: "0" });
  assert.equal(answer.status, 409);
  const page = await text(answer);
  for (const part of [/<h1>Rejected<\/h1>/, /Your decision was not taken/, /ann@example\.com/, /<bdi>no<\/bdi>/]) assert.match(page, part);
  assert.doesNotMatch(page, /<form/);
});

test("9: of many contradictory decisions at once one wins, and the others are told", async () => {
  const choices = Array.from({ length: 6 }, (_, n) => ({ label: `Choice ${n}` }));
  const token = await worker.create({ approval: { choices } });
  const nonce = nonceOf(await (await open(token.url)).text());
  const answers = await Promise.all(
    choices.map((_, n) =>
      open(token.url, { method: "POST", body: new URLSearchParams({ waitpoint_nonce: nonce, choice: String(n) }) }),
    ),
  );
  const statuses = answers.map(({ status }) => status);
  assert.deepEqual([...statuses].sort(), [303, 409, 409, 409, 409, 409]);
  const winner = statuses.indexOf(303);
  assert.equal((await worker.retrieve(token.id)).output, `{"choice":"Choice ${winner}"}`);
});

test("10: without the page's own nonce the form comes back, with the comment", async () => {
  const [token, other] = [await worker.create(), await worker.create()];
  const foreign = nonceOf(await (await open(other.url)).text());
  for (const fields of [
    { waitpoint_nonce: "" },
    { waitpoint_nonce: "v1.1.x" },
    { waitpoint_nonce: foreign },
    // A browser sends this one as a page's form, though it holds none.
    {},
  ]) {
    const body = new URLSearchParams({ choice: "0", comment: "keep <me>", ...fields });
    const { status: code, page } = await navigate(token.url, body);
    assert.equal(code, 403);
    assert.match(page, /keep &#60;me&#62;<\/textarea>/);
    assert.match(page, /role="alert"/);
    assert.equal(await status(token), "WAITING");
  }
  assert.equal((await send(token.url, { choice: "0", comment: "keep <me>" })).status, 303);
});

test("11: what is missing is said, and nothing is lost", async () => {
  for (const [approval, fields, sentence] of [
    [{ confirm: "choose" }, { comment: "kept" }, /Choose one/],
    [{ confirm: "choose" }, { choice: "7", comment: "kept" }, /Choose one/],
    [{ confirm: "typed" }, { typed: "Approv", comment: "kept" }, /Type one of the words/],
    [{ comment: "required" }, { choice: "0", comment: "  " }, /Write a comment/],
    [{}, { choice: "0", comment: `kept${"x".repeat(2_000)}` }, /2,000 characters/],
  ]) {
    const token = await worker.create({ approval });
    const answer = await send(token.url, fields);
    assert.equal(answer.status, 422);
    const page = await answer.text();
    assert.match(page, sentence);
    if (fields.comment.trim()) assert.match(page, /kept/);
    assert.equal(await status(token), "WAITING");
  }
});

test("13, 14: after the timeout the page says so, to a decision with 410", async () => {
  const token = await worker.create({ timeout: "1s" });
  const nonce = nonceOf(await (await open(token.url)).text());
  await until(() => status(token), (status) => status === "TIMED_OUT");
  const body = new URLSearchParams({ waitpoint_nonce: nonce, choice: "0" });
  const late = await open(token.url, { method: "POST", body });
  assert.equal(late.status, 410);
  assert.match(await late.text(), /came too late/);
  const page = await open(token.url);
  assert.deepEqual([page.status, page.headers.get("waitpoint-status")], [200, "TIMED_OUT"]);
  assert.doesNotMatch(await page.text(), /<form/);
});

test("15: an expired link says so, to people and to machines, and decides nothing", async () => {
  const token = await worker.create({ approval: { title: "Go?", description: "secret" } });
  const jwt = sign([`write:waitpoints:${token.id}`], { claims: { exp: Math.floor(Date.now() / 1000) - 1 } });
  const url = token.url.replace(/[^/]+$/, jwt);
  for (const method of ["GET", "POST"]) {
    const body = method === "POST" ? new URLSearchParams({ choice: "0", waitpoint_nonce: "" }) : undefined;
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
  const link = (id, credential) => `${worker.url}/api/v1/waitpoints/tokens/${id}/callback/${credential}`;
  const [header, payload, signature] = url.split("/").at(-1).split(".");
  const bodies = new Set();
  for (const bad of [
    link(id, "x"),
    link(id, callbackHash("waitpoint_other")),
    link(id, `${header}.${payload}.${signature.replace(/.$/, (last) => (last === "A" ? "Q" : "A"))}`),
    link(id, `${header}.${payload}`),
    link("waitpoint_cnobody", sign(["write:waitpoints:waitpoint_cnobody"])),
    link("waitpoint_cnobody", callbackHash("waitpoint_cnobody")),
    link(unknown.id, sign([`read:waitpoints:${unknown.id}`])),
    link(id, sign([`write:waitpoints:${id}`], { key: OTHER_KEY })),
    link(id, "%C3%A9"),
    link(id, "x".repeat(8_000)),
  ]) {
    for (const method of ["GET", "POST"]) {
      const body = method === "POST" ? new URLSearchParams({ choice: "0" }) : undefined;
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
    assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "GET, HEAD, POST, OPTIONS"]);
  }
  const headers = { origin: "https://example.com", "access-control-request-method": "POST" };
  const options = await open(url, { method: "OPTIONS", headers });
  assert.equal(options.status, 204);
  assert.equal([...options.headers.keys()].some((name) => name.startsWith("access-control")), false);
});

test("18, 19: multipart forms are 415, a page's form beyond 32 KB is 413", async () => {
  const token = await worker.create();
  const multipart = new FormData();
  multipart.set("choice", "0");
  for (const [body, headers] of [[multipart, {}], ["choice=0", { "content-type": "text/plain" }], ["{}", { "content-type": "application/json" }]]) {
    assert.equal((await open(token.url, { method: "POST", body, headers })).status, 415);
  }
  const large = await send(token.url, { choice: "0", comment: "x".repeat(33_000) });
  assert.equal(large.status, 413);
  assert.match(await large.text(), /too long/);
  assert.equal(await status(token), "WAITING");
});

test("20: a form of another site is 403, whatever it holds, and no page may frame this one", async () => {
  const token = await worker.create();
  for (const headers of [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "cross-site", accept: "*/*" },
    { origin: "https://evil.example" },
  ]) {
    assert.equal((await send(token.url, { choice: "0" }, { headers })).status, 403);
  }
  assert.equal(await status(token), "WAITING");
  for (const site of ["same-origin", "none"]) {
    const { url } = await worker.create();
    assert.equal((await send(url, { choice: "0" }, { headers: { "sec-fetch-site": site } })).status, 303);
  }
});

test("21: too many attempts at one token are 429, and do not touch another", async () => {
  const [token, other] = [await worker.create({ approval: { confirm: "typed" } }), await worker.create()];
  const nonce = nonceOf(await (await open(token.url)).text());
  const body = () => new URLSearchParams({ waitpoint_nonce: nonce, typed: "guess" });
  let answer;
  for (let attempt = 0; attempt < 31; attempt++) answer = await open(token.url, { method: "POST", body: body() });
  assert.equal(answer.status, 429);
  assert.ok(Number(answer.headers.get("retry-after")) > 0);
  const busy = await answer.text();
  assert.match(busy, /Wait a minute/);
  assert.match(busy, /value="guess"/);
  assert.equal((await open(token.url)).status, 200);
  assert.equal((await send(other.url, { choice: "0" })).status, 303);
});

test("22: nobody uses up the attempts at a token but those who may decide it", async () => {
  const token = await worker.create();
  const { pathname } = new URL(token.url);
  // The other environment's key makes a hash for any id, and so do those of tokens that do not exist.
  const foreign = worker.url + pathname.replace(/[^/]+$/, callbackHash(token.id, OTHER_KEY));
  for (let attempt = 0; attempt < 35; attempt++) {
    const body = new URLSearchParams({ waitpoint_nonce: "x", choice: "0" });
    assert.equal((await open(foreign, { method: "POST", body })).status, 404);
  }
  assert.equal((await send(token.url, { choice: "0" })).status, 303);
});

test("a link that may only write tells nothing of the decision, whatever is sent to it", async () => {
  const outputs = [{ status: "rejected", comment: "no" }, { status: "approved" }];
  const told = [];
  for (const output of outputs) {
    const token = await worker.create({ approval: { title: "Go?", description: "It costs 5 €." } });
    const link = (credential) => token.url.replace(/[^/]+$/, credential);
    const writing = link(sign([`write:waitpoints:${token.id}`]));
    const hash = link(callbackHash(token.id));
    const nonce = nonceOf(await (await open(writing)).text());
    assert.match(await (await open(hash)).text(), /It costs 5 €/);
    await worker.complete(token.id, output);
    const answers = [];
    for (const url of [writing, hash]) {
      answers.push(await open(url));
      for (const waitpoint_nonce of ["wrong", nonce]) {
        for (const choice of ["0", "1"]) {
          answers.push(await open(url, { method: "POST", body: new URLSearchParams({ waitpoint_nonce, choice, comment: "no" }) }));
        }
      }
    }
    assert.deepEqual(answers.map(({ status }) => status), [200, 409, 409, 409, 409, 200, 409, 409, 409, 409]);
    const pages = await Promise.all(answers.map(text));
    for (const [n, page] of pages.entries()) {
      assert.match(page, /<h1>Decided<\/h1>/);
      assert.doesNotMatch(page, /Approved|Rejected/);
      assert.equal(/Go\?/.test(page), n < 5, "a hash is good for ever, and reads nothing");
    }
    told.push(pages.map((page) => page.replace(/data-now="[^"]*"/, "")));
  }
  assert.deepEqual(told[0], told[1]);
});

test("a page shows no more of an output than a page can send", async () => {
  const token = await worker.create();
  const comment = "‹".repeat(1024 * 1024 - 50);
  assert.equal((await worker.complete(token.id, { status: "approved", comment })).status, 200);
  const page = await (await open(token.url)).text();
  assert.match(page, /<h1>Decided<\/h1>/);
  assert.ok(page.length < 20_000, `${page.length} characters`);
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
    for (const part of ["default-src 'none'", "style-src 'sha256-", "script-src 'sha256-", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'", "require-trusted-types-for 'script'"]) {
      assert.ok(policy.includes(part), `${part} in ${policy}`);
    }
    assert.doesNotMatch(policy, /unsafe/);
    assert.deepEqual(
      ["cache-control", "referrer-policy", "x-frame-options", "x-content-type-options", "origin-agent-cluster", "set-cookie"].map(header),
      ["no-store", "no-referrer", "DENY", "nosniff", "?1", ""],
    );
    assert.match(header("x-robots-tag"), /noindex, nofollow, noarchive, nosnippet/);
    assert.match(header("permissions-policy"), /camera=\(\)/);
    assert.match(header("strict-transport-security"), /max-age/);
  }
});

test("the page is one document of 14 KB at most, in the language that is asked for", async () => {
  const approval = { title: "t".repeat(120), description: "Something to decide on. ".repeat(60), requestedBy: "Ann" };
  const { url } = await worker.create({ timeout: "1h", approval });
  for (const [query, language, lang] of [["", "de-CH,de;q=0.9", "de"], ["?lang=ar", "de", "ar"], ["", "tlh", "en"]]) {
    const answer = await open(url + query, { headers: { "accept-language": language } });
    const page = await answer.text();
    assert.match(page, new RegExp(`<html lang="${lang}" dir="${lang === "ar" ? "rtl" : "ltr"}">`));
    assert.ok(Buffer.byteLength(page) <= 14_000, `${Buffer.byteLength(page)} bytes before compression`);
    assert.doesNotMatch(page, /(src|href)="(?!data:,")/, "something else is fetched");
  }
});

test("a machine's form still completes by the callback", async () => {
  const token = await worker.create();
  const answer = await fetch(token.url, { method: "POST", body: new URLSearchParams({ payload: "x", choice: "0" }) });
  assert.deepEqual([answer.status, await answer.json()], [200, { success: true }]);
  assert.equal((await worker.retrieve(token.id)).output, `{"payload":"x","choice":"0"}`);
});

test("trigger.dev's own callback hash opens the page too", async () => {
  const { id } = await worker.create();
  const url = `${worker.url}/api/v1/waitpoints/tokens/${id}/callback/${callbackHash(id)}`;
  assert.equal((await open(url)).status, 200);
  assert.equal((await send(url, { choice: "0" })).status, 303);
});

test("labels that look the same, or like nothing, are refused, and the sentence says which and what would do", async () => {
  const create = async (...labels) => {
    const body = { approval: { choices: labels.map((label) => ({ label })) } };
    const answer = await worker.api("/api/v1/waitpoints/tokens", { key: KEY, body });
    return [answer.status, answer.status === 200 ? "" : (await answer.json()).error];
  };
  for (const same of ["\u0410pprove", "Approve\u200b", "Ap\ufe00prove", "Approve\u0338", "Ａｐｐｒｏｖｅ", "𝐀𝐩𝐩𝐫𝐨𝐯𝐞"]) {
    const [status, error] = await create("Approve", same);
    assert.equal(status, 400, same);
    assert.match(error, /choices\[1\]\.label ".+" looks like choices\[0\]\.label; give it a word that a person can tell apart/u);
  }
  for (const blank of ["\u2800", "\u{e0100}", "\ufffc", "\u{1d173}", "\u0338", "\u{1107f}"]) {
    const [status, error] = await create("Approve", blank);
    assert.equal(status, 400, JSON.stringify(blank));
    assert.match(error, /choices\[1\]\.label is empty, or nothing of it can be seen; give it a text/);
  }
  assert.deepEqual(await create("Approve", "Reject", "❤\ufe0f", "👩\u200d💻", "Да", "Нет"), [200, ""]);
});

test("a page shows emoji and joined letters as they are, and nothing that cannot be seen", async () => {
  const title = "👩\u200d💻 می\u200cخواهم क्\u200dष 1\ufe0f\u20e3";
  const { url } = await worker.create({ approval: { title: `${title}\u202e\u2060`, description: `a\u{e0041}b${"\u0301".repeat(50)}` } });
  const page = await (await open(url)).text();
  assert.ok(page.includes(title));
  assert.ok(page.includes(`ab${"\u0301".repeat(6)}<`));
  assert.doesNotMatch(page, /[\u202e\u2060\u{e0041}]/u);
});

test("what an approval asks is checked, kept, and comes back", async () => {
  const approval = { title: "Go?", choices: [{ label: "A", data: { n: 1 } }, { label: "B" }], confirm: "choose" };
  const token = await worker.create({ approval });
  assert.deepEqual((await worker.retrieve(token.id)).approval, approval);
  const refused = await worker.api("/api/v1/waitpoints/tokens", { key: KEY, body: { approval: { titel: "x" } } });
  assert.equal(refused.status, 400);
  assert.match((await refused.json()).error, /unknown field `titel`/);
  assert.equal((await worker.retrieve((await worker.create({ approval: null })).id)).approval, undefined);
});
