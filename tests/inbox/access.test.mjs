// Signing in by Cloudflare Access: who is in, and what its assertions must be.
import assert from "node:assert/strict";
import { createHmac, sign as signBytes } from "node:crypto";
import { test } from "node:test";
import { KEY, OTHER_KEY, useWorker } from "../support/harness.mjs";
import {
  ACCESS_AUD,
  assertion,
  by,
  CERTS,
  current,
  foreign,
  jwk,
  part,
  previous,
  TAGS,
  useTeam,
} from "./access.mjs";
import { HOUR, nonceOf, seconds, sessionOf, signed, visit } from "./requests.mjs";

const team = await useTeam();
const worker = useWorker({
  vars: { INBOX: "on", ACCESS_TEAM_DOMAIN: team.origin, ACCESS_AUD },
});
const inbox = (text, { path = "/inbox", headers, ...options } = {}) =>
  visit(worker.url + path, { ...options, headers: { ...by(text), ...headers } });

test("a person whom Access let in is in, and decides by their e-mail address", async () => {
  const token = await worker.create();
  const page = await inbox(assertion(team));
  assert.equal(page.status, 200);
  assert.deepEqual(page.headers.getSetCookie(), [], "Access has a cookie of its own");
  const html = await page.text();
  assert.match(html, /ann@example\.com/);
  const marked = assertion(team, { claims: { email: '"><b>@example.com' } });
  assert.doesNotMatch(await (await inbox(marked)).text(), /"><b>@/);
  const form = { waitpoint_nonce: nonceOf(html), action: "decide", choice: "0" };
  const done = await inbox(assertion(team), { path: `/inbox/${token.id}`, form });
  assert.deepEqual(
    [done.status, done.headers.get("location")],
    [303, `/inbox/${token.id}?done=decided`],
  );
  const { status, completedBy, completedBySubject } = await worker.retrieve(token.id);
  assert.deepEqual(
    [status, completedBy, completedBySubject],
    ["COMPLETED", "inbox", "ann@example.com"],
  );
  assert.equal((await inbox(assertion(team, { key: previous }))).status, 200, "the previous key");
  assert.deepEqual([...new Set(team.asked)], [`GET ${CERTS}`]);
});

test("an audience is that of one environment", async () => {
  const mine = await worker.create();
  const theirs = await worker.create({}, { key: OTHER_KEY });
  for (const [aud, opened, missing] of [
    [[TAGS.default], mine, theirs],
    [TAGS.prod, theirs, mine],
  ]) {
    const text = assertion(team, { claims: { aud } });
    assert.equal((await inbox(text, { path: `/inbox/${opened.id}` })).status, 200);
    assert.equal((await inbox(text, { path: `/inbox/${missing.id}` })).status, 404);
  }
});

test("a form of one person or environment is none of another", async () => {
  const token = await worker.create();
  const ann = assertion(team);
  const bob = assertion(team, { claims: { email: "bob@example.com" } });
  const inProd = assertion(team, { claims: { aud: [TAGS.prod] } });
  const path = `/inbox/${token.id}`;
  for (const other of [bob, inProd]) {
    const nonce = nonceOf(await (await inbox(other)).text());
    const form = { waitpoint_nonce: nonce, choice: "0" };
    assert.equal((await inbox(ann, { path, form })).status, 403);
    const bulk = { waitpoint_nonce: nonce, id: token.id, decide: "Approve" };
    assert.equal((await inbox(ann, { path: "/inbox/bulk", form: bulk })).status, 403);
    const out = { waitpoint_nonce: nonce };
    assert.equal((await inbox(ann, { path: "/inbox/sign-out", form: out })).status, 403);
  }
  const nonce = nonceOf(await (await inbox(ann)).text());
  const form = { waitpoint_nonce: nonce, choice: "0" };
  for (const headers of [
    { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "" },
  ]) {
    assert.equal((await inbox(ann, { path, form, headers })).status, 403);
  }
  assert.equal((await worker.retrieve(token.id)).status, "WAITING");
  const again = assertion(team, { claims: { identity_nonce: "renewed" } });
  assert.equal((await inbox(again, { path, form })).status, 303, "the same person, later");
});

test("signing out ends the session of Access", async () => {
  const nonce = nonceOf(await (await inbox(assertion(team))).text());
  const form = { waitpoint_nonce: nonce };
  const answer = await inbox(assertion(team), { path: "/inbox/sign-out", form });
  assert.deepEqual(
    [answer.status, answer.headers.get("location")],
    [303, "/cdn-cgi/access/logout"],
  );
});

test("a secret key signs nobody in where Access does", async () => {
  const session = signed("session");
  const cookie = `CF_Authorization=${assertion(team)}`;
  for (const options of [
    {},
    { session },
    { cookie },
    { headers: { authorization: `Bearer ${KEY}` } },
    { headers: { authorization: `Bearer ${assertion(team)}` } },
    { headers: { "cf-access-authenticated-user-email": "ann@example.com" } },
  ]) {
    const answer = await visit(`${worker.url}/inbox`, options);
    assert.equal(answer.status, 403, JSON.stringify(Object.keys(options)));
    assert.equal(nonceOf(await answer.text()), undefined);
  }
  for (const [path, options] of [
    ["/inbox/sign-in", {}],
    [`/inbox/sign-in?link=${signed("link")}`, {}],
    ["/inbox/sign-in", { form: { key: KEY } }],
  ]) {
    const answer = await visit(worker.url + path, options);
    assert.deepEqual([answer.status, answer.headers.get("location")], [303, "/inbox"], path);
    assert.equal(sessionOf(answer), undefined);
  }
});

test("what is no valid assertion of the team is refused, and does nothing", async () => {
  const token = await worker.create();
  const good = assertion(team);
  const nonce = nonceOf(await (await inbox(good)).text());
  const [header, payload, signature] = good.split(".");
  const flipped = (signature.startsWith("A") ? "B" : "A") + signature.slice(1);
  const now = seconds();
  const pem = current.publicKey.export({ type: "spki", format: "pem" });
  const hmac = (text) => createHmac("sha256", pem).update(text).digest();
  const hash = (name) => (text) => signBytes(name, Buffer.from(text), current.privateKey);
  const claims = (changed) => assertion(team, { claims: changed });
  const refused = {
    "no text": "x",
    "wrong aud": claims({ aud: ["c".repeat(64)] }),
    "no aud": claims({ aud: undefined }),
    "aud empty": claims({ aud: [] }),
    "wrong iss": claims({ iss: "https://evil.cloudflareaccess.com" }),
    "no iss": claims({ iss: undefined }),
    expired: claims({ exp: now - 1 }),
    "no exp": claims({ exp: undefined }),
    "nbf to come": claims({ nbf: now + HOUR }),
    "iat to come": claims({ iat: now + HOUR }),
    "no email": claims({ email: undefined }),
    "empty email": claims({ email: "" }),
    "a service token": claims({ email: undefined, sub: "", common_name: "x.access" }),
    "alg none": assertion(team, { header: { alg: "none" }, seal: () => Buffer.alloc(0) }),
    "alg none, signed": assertion(team, { header: { alg: "none" } }),
    HS256: assertion(team, { header: { alg: "HS256" }, seal: hmac }),
    "RS256 by HMAC": assertion(team, { seal: hmac }),
    RS512: assertion(team, { header: { alg: "RS512" }, seal: hash("RSA-SHA512") }),
    "RS256 by SHA-512": assertion(team, { seal: hash("RSA-SHA512") }),
    "RS256 by SHA-1": assertion(team, { seal: hash("RSA-SHA1") }),
    "another key": assertion(team, { key: foreign, header: { kid: current.kid } }),
    "the other key's id": assertion(team, { header: { kid: previous.kid } }),
    "an unknown key": assertion(team, { key: foreign }),
    "its own key": assertion(team, { key: foreign, header: { jwk: jwk(foreign) } }),
    "its own key by the known id": assertion(team, {
      key: foreign,
      header: { kid: current.kid, jwk: jwk(foreign) },
    }),
    crit: assertion(team, { header: { crit: ["exp"] } }),
    "other claims": `${header}.${claims({ email: "eve@x" }).split(".")[1]}.${signature}`,
    "another header": `${part({ kid: "current", alg: "RS256" })}.${payload}.${signature}`,
    "no signature": `${header}.${payload}.`,
    "two parts": `${header}.${payload}`,
    "a short signature": good.slice(0, -4),
    "a flipped signature": `${header}.${payload}.${flipped}`,
    "zeros for a signature": `${header}.${payload}.${Buffer.alloc(256).toString("base64url")}`,
    twice: `${good}, ${good}`,
  };
  for (const [what, text] of Object.entries(refused)) {
    const answer = await inbox(text);
    assert.equal(answer.status, 403, what);
    assert.equal(nonceOf(await answer.text()), undefined, what);
    const form = { waitpoint_nonce: nonce, choice: "0" };
    const sent = await inbox(text, { path: `/inbox/${token.id}`, form });
    assert.equal(sent.status, 403, what);
  }
  assert.equal((await worker.retrieve(token.id)).status, "WAITING");
  assert.equal((await inbox(good)).status, 200);
  assert.ok(team.asked.length <= 2, "an unknown key is asked for once a minute");
});
