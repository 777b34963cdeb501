// What the inbox takes from nobody but its own pages, and what texts of others cannot do in them.
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { opener } from "../page/browser.mjs";
import {
  KEY,
  OLD_KEY,
  OTHER_KEY,
  TOKENS,
  temporaryFolder,
  until,
  useWorker,
} from "../support/harness.mjs";
import { useBrowser } from "../support/package.mjs";
import { serve, waitpoint } from "../support/workerd.mjs";
import { COOKIE, HOUR, nonceOf, seconds, signed, signIn, signInThere, visit } from "./requests.mjs";

const worker = useWorker({ vars: { INBOX: "on" } });
const browser = useBrowser();
const open = opener(browser);
const inbox = (session, path = "/inbox", options) =>
  visit(worker.url + path, { session, ...options });
const nonceIn = async (session) => nonceOf(await (await inbox(session)).text());

/** A nonce as src/domain/auth/form_nonce.rs signs it. */
function formNonce(message, issuedAt = seconds()) {
  const text = `${message}\n${issuedAt}`;
  return `v1.${issuedAt}.${createHmac("sha256", KEY).update(text).digest("base64url")}`;
}
const idOf = (session) => session.split(".")[3];

/** Each form of the inbox that does something to a token: its path and fields. */
const forms = ({ id }) => [
  [`/inbox/${id}`, { choice: "0" }],
  [`/inbox/${id}`, { action: "decide", choice: "1", comment: "x" }],
  [`/inbox/${id}`, { action: "withdraw", reason: "x" }],
  [`/inbox/${id}`, { action: "extend", timeout: "2099-01-01T00:00" }],
  [`/inbox/${id}`, { action: "notify" }],
  ["/inbox/bulk", { id, decide: "Approve", comment: "x" }],
  ["/inbox/bulk", { id, withdraw: "1", reason: "x" }],
];

test("a form without the nonce of its session does nothing", async () => {
  const token = await worker.create({ timeout: "1h" });
  const before = await worker.retrieve(token.id);
  const session = await signIn(worker.url);
  const message = `waitpoint inbox form\nsession ${idOf(session)}`;
  assert.equal((await nonceIn(session)).split(".").length, 3);
  const page = await (await visit(token.url)).text();
  const signInForm = await (await visit(`${worker.url}/inbox/sign-in`)).text();
  const bad = {
    none: undefined,
    empty: "",
    another: "v1.1.x",
    "of the approval page": nonceOf(page),
    "of the form that signs in": nonceOf(signInForm),
    "of another session": await nonceIn(await signIn(worker.url)),
    "of another key's session": await nonceIn(await signIn(worker.url, OLD_KEY)),
    "of another environment": await nonceIn(await signIn(worker.url, OTHER_KEY)),
    "of no session": formNonce("waitpoint inbox form\n"),
    "of Access": formNonce(`waitpoint inbox form\naccess ${idOf(session)}`),
    old: formNonce(message, seconds() - 12 * HOUR - 120),
    "to come": formNonce(message, seconds() + HOUR),
    "the session": session,
    "a link": signed("link"),
  };
  for (const [what, nonce] of Object.entries(bad)) {
    for (const [path, fields] of forms(token)) {
      const form = { ...fields, ...(nonce !== undefined && { waitpoint_nonce: nonce }) };
      const { status } = await inbox(session, path, { form });
      assert.equal(status, 403, `${what}: ${path} ${JSON.stringify(fields)}`);
    }
  }
  // The second of two is not read.
  const [path, fields] = forms(token)[0];
  const body = `waitpoint_nonce=&waitpoint_nonce=${await nonceIn(session)}&choice=${fields.choice}`;
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    origin: "null",
    "sec-fetch-site": "same-origin",
  };
  const twice = await inbox(session, path, { method: "POST", body, headers });
  assert.equal(twice.status, 403);
  assert.deepEqual(await worker.retrieve(token.id), before);

  const good = { ...fields, waitpoint_nonce: formNonce(message) };
  assert.equal((await inbox(session, path, { form: good })).status, 303, "as it is signed here");
});

test("a form that no page of the inbox has sent does nothing", async () => {
  const token = await worker.create({ timeout: "1h" });
  const before = await worker.retrieve(token.id);
  const session = await signIn(worker.url);
  const waitpoint_nonce = await nonceIn(session);
  const site = (origin, fetchSite) => ({ origin, "sec-fetch-site": fetchSite });
  for (const headers of [
    site("https://evil.example", "cross-site"),
    site("https://evil.example", "same-site"),
    site("https://evil.example", "same-origin"),
    site("https://evil.example", ""),
    site("null", "cross-site"),
    site("null", "same-site"),
    site("null", "none"),
    site("null", ""),
    site("", "cross-site"),
    site("", "same-site"),
    site("", "none"),
    site("", ""),
    site(worker.url, "cross-site"),
    site(worker.url, "same-site"),
    site(`${worker.url}.evil.example`, ""),
  ]) {
    for (const [path, fields] of [...forms(token), ["/inbox/sign-out", {}]]) {
      const form = { ...fields, waitpoint_nonce };
      const answer = await inbox(session, path, { form, headers });
      assert.equal(answer.status, 403, `${path} ${JSON.stringify(headers)}`);
      assert.deepEqual(answer.headers.getSetCookie(), []);
      assert.equal(answer.headers.get("access-control-allow-origin"), null);
    }
  }
  assert.deepEqual(await worker.retrieve(token.id), before);
  for (const headers of [
    site("null", "same-origin"),
    site(worker.url, "same-origin"),
    site(worker.url, ""),
  ]) {
    const form = { waitpoint_nonce, id: token.id };
    assert.equal((await inbox(session, "/inbox/bulk", { form, headers })).status, 200);
  }
});

test("nothing is done by GET, by another method, or without an end", async () => {
  const token = await worker.create();
  const session = await signIn(worker.url);
  const waitpoint_nonce = await nonceIn(session);
  for (const [path, fields] of [...forms(token), ["/inbox/sign-out", {}]]) {
    const query = new URLSearchParams({ ...fields, waitpoint_nonce });
    for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
      const answer = await inbox(session, `${path}?${query}`, { method });
      // Who types the address of a form's result is led to the list.
      const read = /bulk|sign-out/.test(path) ? 303 : 200;
      const status = /GET|HEAD/.test(method) ? read : 405;
      assert.equal(answer.status, status, `${method} ${path}`);
      assert.equal(answer.headers.get("access-control-allow-origin"), null);
    }
  }
  const comment = "x".repeat(300 * 1024);
  const form = { waitpoint_nonce, choice: "0", comment };
  assert.equal((await inbox(session, `/inbox/${token.id}`, { form })).status, 413);
  const ids = new URLSearchParams({ waitpoint_nonce, decide: "Approve" });
  for (let n = 0; n < 201; n++) ids.append("id", `waitpoint_c${String(n).padStart(24, "0")}`);
  assert.equal((await inbox(session, "/inbox/bulk", { form: ids })).status, 422);
  const none = { waitpoint_nonce, id: "../../x", decide: "Approve" };
  assert.equal((await inbox(session, "/inbox/bulk", { form: none })).status, 422);
  assert.equal((await worker.retrieve(token.id)).status, "WAITING");
});

/** Every kind of page, each as a response. */
async function pages(session, token) {
  const waitpoint_nonce = await nonceIn(session);
  const bulk = (fields) =>
    inbox(session, "/inbox/bulk", { form: { waitpoint_nonce, id: token.id, ...fields } });
  return {
    list: await inbox(session),
    "sign-in": await visit(`${worker.url}/inbox/sign-in`),
    "a used link": await visit(`${worker.url}/inbox/sign-in?link=x`),
    token: await inbox(session, `/inbox/${token.id}`),
    "an unknown token": await inbox(session, "/inbox/waitpoint_cx"),
    summary: await bulk({}),
    outcomes: await bulk({ decide: "No such choice" }),
    stale: await inbox(session, "/inbox/bulk", { form: { id: token.id } }),
    "of another site": await inbox(session, "/inbox/bulk", {
      form: {},
      headers: { origin: "https://evil.example" },
    }),
    "a form again": await inbox(session, `/inbox/${token.id}`, { form: { choice: "0" } }),
  };
}

test("no page may be framed, kept, read by others or given other scripts and styles", async () => {
  const token = await worker.create({ timeout: "1h", tags: ["headers"] });
  const session = await signIn(worker.url);
  for (const [what, answer] of Object.entries(await pages(session, token))) {
    const html = await answer.text();
    const header = (name) => answer.headers.get(name);
    assert.match(header("content-type"), /^text\/html;\s?charset=utf-8$/i, what);
    assert.match(header("cache-control"), /no-store/, what);
    for (const [name, value] of [
      ["x-frame-options", "DENY"],
      ["x-content-type-options", "nosniff"],
      ["referrer-policy", "no-referrer"],
      ["cross-origin-opener-policy", "same-origin"],
      ["cross-origin-resource-policy", "same-origin"],
      ["vary", "Accept-Language, Cookie"],
      ["access-control-allow-origin", null],
      ["set-cookie", null],
    ]) {
      assert.equal(header(name), value, `${what}: ${name}`);
    }
    const policy = header("content-security-policy").replace(
      /((?:style|script)-src)((?: '[^']*')+)/g,
      "$1 hashes",
    );
    assert.equal(
      policy,
      "default-src 'none'; style-src hashes; script-src hashes; img-src 'self' data:; " +
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
        "require-trusted-types-for 'script'",
      what,
    );
    const hashes = header("content-security-policy").match(/'sha256-[^']*'/g);
    for (const [, , text] of html.matchAll(/<(style|script)>([\s\S]*?)<\/\1>/g)) {
      const hash = `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
      assert.ok(hashes.includes(hash), `${what}: a hash for ${text.slice(0, 40)}`);
    }
    const markup = html.replace(/<(style|script)>[\s\S]*?<\/\1>/g, "");
    assert.doesNotMatch(markup, /<(script|style|iframe|object|base|link rel="(?!icon))/i, what);
    assert.doesNotMatch(markup, /<[^>]*\s(style|on\w+|srcdoc|formaction)=/i, what);
    assert.doesNotMatch(markup, /(href|src|action)="(?!\/inbox|data:,")/i, what);
    assert.ok(!html.includes(session) && !html.includes(KEY), what);
    assert.doesNotMatch(html, /eyJ|\/callback\/|\/t\/c/, `${what}: no link of the token`);
  }
  const cors = await inbox(session, "/inbox", {
    headers: { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
  });
  assert.equal(cors.headers.get("access-control-allow-origin"), null);
  assert.equal(cors.headers.get("access-control-allow-credentials"), null);
});

test("a browser keeps the cookie from scripts, and another site's form has none", async () => {
  const token = await worker.create();
  const page = await open(`${worker.url}/inbox/sign-in`);
  await signInThere(page);
  const [cookie] = await page.context().cookies();
  const { name, httpOnly, secure, sameSite, path } = cookie;
  assert.deepEqual([name, httpOnly, secure, sameSite, path], [COOKIE, true, true, "Strict", "/"]);
  assert.equal(await page.evaluate(() => document.cookie), "");

  // `localhost` is another site than `127.0.0.1`.
  const target = `${worker.url}/inbox/${token.id}`;
  const nonce = await nonceIn(cookie.value);
  const evil = await page.context().newPage();
  const elsewhere = worker.url.replace("127.0.0.1", "localhost");
  await evil.route(`${elsewhere}/evil`, (route) =>
    route.fulfill({
      contentType: "text/html",
      body: `<form method="post" action="${target}"><input name="waitpoint_nonce" value="${nonce}">
        <input name="choice" value="0"><button>win</button></form>
        <iframe src="${target}"></iframe>`,
    }),
  );
  await evil.goto(`${elsewhere}/evil`);
  const framed = evil.frames()[1];
  assert.ok(!framed || !(await framed.content()).includes("waitpoint_nonce"), "it is not framed");
  const [sent] = await Promise.all([
    evil.waitForRequest((request) => request.method() === "POST"),
    evil.getByRole("button", { name: "win" }).click(),
  ]);
  const headers = await sent.allHeaders();
  assert.equal(headers.cookie, undefined);
  assert.equal((await sent.response()).status(), 303, "to the form that signs in");
  assert.equal((await worker.retrieve(token.id)).status, "WAITING");
});

test("an index that nobody needs is not made, and made as soon as the inbox is on", async () => {
  const storage = temporaryFolder();
  /** The SQL indices of the months, after a token was created and is listed. */
  const indices = async (vars) => {
    const server = await serve(waitpoint(vars), { storage });
    const url = `${server.url}${TOKENS}`;
    const headers = { authorization: `Bearer ${KEY}` };
    const created = await fetch(url, { method: "POST", body: "{}", headers });
    const { id } = await created.json();
    await until(
      async () => (await (await fetch(url, { headers })).json()).data,
      (data) => data.some((item) => item.id === id),
    );
    await server.stop();
    return readdirSync(storage, { recursive: true })
      .filter((name) => /IndexObject.*\.sqlite$/.test(name))
      .flatMap((name) => {
        const database = new DatabaseSync(join(storage, name));
        const sql = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";
        const found = database.prepare(sql).all();
        database.close();
        return found.map((one) => one.name);
      });
  };
  const without = await indices({});
  assert.deepEqual(
    without.filter((name) => name !== "by_key"),
    [],
  );
  const added = (await indices({ INBOX: "on" })).filter((name) => !without.includes(name));
  assert.deepEqual(added.sort(), ["by_end", "by_failure"]);
});
