// Signing in by Cloudflare Access: what its assertions must be, and what happens without its keys.
import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, sign as signBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { KEY, OTHER_KEY, SECRET_KEYS, useWorker } from "../support/harness.mjs";
import { serve, waitpoint } from "../support/workerd.mjs";
import { HOUR, nonceOf, seconds, sessionOf, signed, visit } from "./requests.mjs";

const TAGS = { default: "a".repeat(64), prod: "b".repeat(64) };
const ACCESS_AUD = `${TAGS.default}\nprod=${TAGS.prod}`;
const CERTS = "/cdn-cgi/access/certs";

const makeKey = (kid, modulusLength = 2048) => ({
  kid,
  ...generateKeyPairSync("rsa", { modulusLength }),
});
const [current, previous, next, foreign] = ["current", "previous", "next", "foreign"].map((kid) =>
  makeKey(kid),
);
const jwk = ({ kid, publicKey }) => {
  const { n, e, kty } = publicKey.export({ format: "jwk" });
  return { kid, kty, alg: "RS256", use: "sig", e, n };
};
/** The answer of Cloudflare, with these keys. */
const certificates = (...keys) =>
  JSON.stringify({
    keys: keys.map(jwk),
    public_cert: { kid: keys[0]?.kid, cert: "-----BEGIN CERTIFICATE-----" },
    public_certs: keys.map(({ kid }) => ({ kid, cert: "-----BEGIN CERTIFICATE-----" })),
  });

/** The server of a team, which answers by `answer`. */
async function useTeam(answer = (response) => response.end(certificates(current, previous))) {
  const team = { origin: "", asked: [], answer };
  const server = createServer((request, response) => {
    team.asked.push(`${request.method} ${request.url}`);
    team.answer(response, request);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  team.origin = `http://127.0.0.1:${server.address().port}`;
  team.stop = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  after(team.stop);
  return team;
}

const part = (value) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** What Cloudflare Access says of a person. `claims` are changed, or removed if undefined. */
function assertion(team, { key = current, claims = {}, header = {}, seal } = {}) {
  const now = seconds();
  const payload = {
    aud: [TAGS.default],
    email: "ann@example.com",
    exp: now + HOUR,
    iat: now,
    nbf: now,
    iss: team.origin,
    type: "app",
    identity_nonce: "6ei69kawdKzMIAPF",
    sub: "7335d417-61da-459d-899c-0a01c76a2f94",
    country: "US",
    ...claims,
  };
  const text = `${part({ alg: "RS256", kid: key.kid, typ: "JWT", ...header })}.${part(payload)}`;
  const mac = seal ? seal(text) : signBytes("RSA-SHA256", Buffer.from(text), key.privateKey);
  return `${text}.${mac.toString("base64url")}`;
}
const by = (text) => ({ "cf-access-jwt-assertion": text });

const team = await useTeam();
const worker = useWorker({
  vars: { INBOX: "on", ACCESS_TEAM_DOMAIN: team.origin, ACCESS_AUD },
});
const inbox = (text, { path = "/inbox", headers, ...options } = {}) =>
  visit(worker.url + path, { ...options, headers: { ...by(text), ...headers } });

// Headers have the settings of a request, and how much later it is.
const CHANGING = `
  import * as built from "./index.js";
  export const { TokenObject, KeyObject, IndexObject } = built;
  const clock = Date.now.bind(Date);
  let later = 0;
  Date.now = () => clock() + later;
  export default {
    fetch(request, env, context) {
      later = Number(request.headers.get("test-later") ?? later);
      const vars = request.headers.get("test-vars");
      const changed = vars ? { ...env, ...JSON.parse(decodeURIComponent(vars)) } : env;
      return built.default.fetch(request, changed, context);
    },
  };`;
let changing;
before(async () => {
  const vars = { SECRET_KEYS, INBOX: "on", ACCESS_AUD };
  changing = await serve(waitpoint(vars, CHANGING));
});
after(() => changing.stop());
const vars = (settings) => ({ "test-vars": encodeURIComponent(JSON.stringify(settings)) });
/** Opens the inbox of another team, so many milliseconds later than now. */
const at = (of, text = assertion(of), later = 0) =>
  visit(`${changing.url}/inbox`, {
    headers: { ...by(text), ...vars({ ACCESS_TEAM_DOMAIN: of.origin }), "test-later": `${later}` },
  });

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
    "other claims": `${header}.${assertion(team, { claims: { email: "eve@x" } }).split(".")[1]}.${signature}`,
    "another header": `${part({ kid: "current", alg: "RS256" })}.${payload}.${signature}`,
    "no signature": `${header}.${payload}.`,
    "two parts": `${header}.${payload}`,
    "a short signature": good.slice(0, -4),
    "a flipped signature": `${header}.${payload}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`,
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

test("the team is asked anew for a key that is unknown, once a minute", async () => {
  const other = await useTeam();
  assert.equal((await at(other, assertion(other, { key: foreign }))).status, 403);
  assert.equal(other.asked.length, 1);
  for (let n = 0; n < 20; n++) {
    const text = assertion(other, { key: { ...foreign, kid: `unknown-${n}` } });
    assert.equal((await at(other, text, n * 1_000)).status, 403);
  }
  assert.equal((await at(other, assertion(other), 20_000)).status, 200);
  assert.equal(other.asked.length, 1);

  // The team has a new key.
  other.answer = (response) => response.end(certificates(next, current));
  const renewed = (claims) => assertion(other, { key: next, claims });
  assert.equal((await at(other, renewed(), 30_000)).status, 403, "too early to ask");
  assert.equal((await at(other, renewed(), 61_000)).status, 200);
  assert.equal((await at(other, assertion(other, { key: previous }), 62_000)).status, 403);
  assert.equal(other.asked.length, 2);
});

test("many who come at once, before the keys are known, are all in", async () => {
  const slow = await useTeam((response) => {
    // As soon as the second has asked, too.
    if (slow.asked.length === 1) slow.first = response;
    else for (const one of [slow.first, response]) one.end(certificates(current));
  });
  const answers = await Promise.all(Array.from({ length: 20 }, () => at(slow)));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  const asked = slow.asked.length;
  assert.equal((await at(slow)).status, 200);
  assert.equal(slow.asked.length, asked);
});

test("a key that the team has withdrawn opens nothing after an hour", async () => {
  const other = await useTeam();
  const lasting = assertion(other, { claims: { exp: seconds() + 3 * HOUR } });
  assert.equal((await at(other, lasting)).status, 200);
  other.answer = (response) => response.end(certificates(next));
  assert.equal((await at(other, lasting, 59 * 60_000)).status, 200);
  assert.equal(other.asked.length, 1);
  assert.equal((await at(other, lasting, 60 * 60_000 + 1)).status, 403);
  assert.equal(other.asked.length, 2);
});

test("without the team's keys nobody is in, and its answer is not awaited for long", async () => {
  const redirected = await useTeam();
  const answers = {
    "a failure": (response) => response.writeHead(500).end(certificates(current)),
    "not found": (response) => response.writeHead(404).end(),
    "no content": (response) => response.writeHead(204).end(),
    "a redirect": (response) =>
      response.writeHead(302, { location: redirected.origin + CERTS }).end(),
    garbage: (response) => response.end("<html>sign in</html>"),
    nothing: (response) => response.end(),
    "no set": (response) => response.end('{"keys":{}}'),
    "half of it": (response) => response.end(certificates(current).slice(0, -10)),
    "too much": (response) => response.end(certificates(current) + " ".repeat(64 * 1024)),
    "without an end": (response) => {
      const more = () => response.write(" ".repeat(16 * 1024)) && !response.destroyed;
      response.on("drain", more);
      const next = setInterval(() => (response.destroyed ? clearInterval(next) : more()), 5);
    },
    "a broken connection": (response) => response.socket.destroy(),
  };
  for (const [what, answer] of Object.entries(answers)) {
    const other = await useTeam(answer);
    const refused = await at(other);
    assert.equal(refused.status, 503, what);
    assert.ok(Number(refused.headers.get("retry-after")) > 0, what);
    assert.equal(nonceOf(await refused.text()), undefined, what);
    assert.equal(other.asked.length, 1, what);
  }
  assert.deepEqual(redirected.asked, []);
  const gone = await useTeam();
  await gone.stop();
  assert.equal((await at(gone)).status, 503);

  // Who sends assertions at random makes no request with each.
  const down = await useTeam((response) => response.writeHead(500).end());
  for (let later = 0; later < 5_000; later += 500) {
    const text = assertion(down, { header: { kid: `random-${later}` } });
    assert.equal((await at(down, text, later)).status, 503);
  }
  assert.ok(down.asked.length <= 2, `${down.asked.length}`);
  down.answer = (response) => response.end(certificates(current));
  assert.equal((await at(down, assertion(down), 12_000)).status, 200, "it is up again");

  const weak = { ...makeKey("weak", 1024) };
  for (const [what, set] of Object.entries({
    "no key": { keys: [] },
    "another kind of key": { keys: [{ kid: "current", kty: "oct", k: "c2VjcmV0" }] },
    "a key that is none": { keys: [{ kid: "current", kty: "RSA", n: "!", e: "AQAB" }] },
    "an empty key": { keys: [{ kid: "current", kty: "RSA", n: "", e: "" }] },
    "another modulus": { keys: [{ ...jwk(weak), kid: "current" }] },
  })) {
    const other = await useTeam((response) => response.end(JSON.stringify(set)));
    const { status } = await at(other);
    assert.ok([403, 503].includes(status), `${what}: ${status}`);
  }
});

test("a team that does not answer is given up, and a team that is down keeps nobody out", async () => {
  for (const silent of [
    () => {},
    (response) => response.writeHead(200, { "content-length": 1_000 }).write("{"),
  ]) {
    const other = await useTeam(silent);
    const began = Date.now();
    assert.equal((await at(other)).status, 503);
    assert.ok(Date.now() - began < 15_000);
  }
  // Who was asked within the hour need not be asked again.
  const other = await useTeam();
  assert.equal((await at(other)).status, 200);
  await other.stop();
  assert.equal((await at(other)).status, 200);
  const later = assertion(other, { claims: { exp: seconds() + 3 * HOUR } });
  assert.equal((await at(other, later, 2 * HOUR * 1_000)).status, 503);
});

test("settings that are wrong turn the inbox off, and /healthz says what is wrong", async () => {
  const session = signed("session");
  for (const [settings, said] of [
    [{ INBOX: "yes" }, /INBOX is "yes"\. Use "on" or "off"\./],
    [{ ACCESS_AUD: "" }, /ACCESS_TEAM_DOMAIN and ACCESS_AUD go together/],
    [{ ACCESS_TEAM_DOMAIN: "http://evil.example" }, /ACCESS_TEAM_DOMAIN is "http:\/\/evil/],
    [{ ACCESS_AUD: "a b" }, /line 1 of ACCESS_AUD is not a valid entry/],
    [{ ACCESS_AUD: "a=tag\nb=tag" }, /line 2 of ACCESS_AUD stands in another line/],
    [{ ACCESS_AUD: "no-such=tag" }, /ACCESS_AUD names the environment no-such, which has no key/],
  ]) {
    const headers = vars({ ACCESS_TEAM_DOMAIN: team.origin, ...settings });
    const health = await visit(`${changing.url}/healthz`, { headers });
    assert.equal(health.status, 500);
    const { error, code } = await health.json();
    assert.match(error, said);
    assert.equal(code, "misconfigured");
    for (const [path, form] of [
      ["/inbox", undefined],
      ["/inbox/sign-in", { key: KEY }],
    ]) {
      const all = { ...by(assertion(team)), ...headers };
      const { status } = await visit(changing.url + path, { headers: all, session, form });
      assert.equal(status, 404, `${path} ${JSON.stringify(settings)}`);
    }
  }
  const headers = vars({ ACCESS_TEAM_DOMAIN: team.origin });
  assert.equal((await visit(`${changing.url}/healthz`, { headers })).status, 200);
});
