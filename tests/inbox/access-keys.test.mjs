// The keys of Cloudflare Access: how often its team is asked for them, and that nobody is in
// without them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { KEY, SECRET_KEYS } from "../support/harness.mjs";
import { serve, waitpoint } from "../support/workerd.mjs";
import {
  ACCESS_AUD,
  assertion,
  by,
  CERTS,
  certificates,
  current,
  foreign,
  jwk,
  makeKey,
  next,
  previous,
  useTeam,
} from "./access.mjs";
import { HOUR, nonceOf, seconds, signed, visit } from "./requests.mjs";

const TEAM = "https://example.cloudflareaccess.com";

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
  const other = await useTeam();
  const answers = await Promise.all(Array.from({ length: 20 }, () => at(other)));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  const asked = other.asked.length;
  assert.equal((await at(other)).status, 200);
  assert.equal(other.asked.length, asked);
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

test("a silent team is given up, and one that is down keeps nobody out", async () => {
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
    const headers = vars({ ACCESS_TEAM_DOMAIN: TEAM, ...settings });
    const health = await visit(`${changing.url}/healthz`, { headers });
    assert.equal(health.status, 500);
    const { error, code } = await health.json();
    assert.match(error, said);
    assert.equal(code, "misconfigured");
    for (const [path, form] of [
      ["/inbox", undefined],
      ["/inbox/sign-in", { key: KEY }],
    ]) {
      const all = { ...by(assertion({ origin: TEAM })), ...headers };
      const { status } = await visit(changing.url + path, { headers: all, session, form });
      assert.equal(status, 404, `${path} ${JSON.stringify(settings)}`);
    }
  }
  const headers = vars({ ACCESS_TEAM_DOMAIN: TEAM });
  assert.equal((await visit(`${changing.url}/healthz`, { headers })).status, 200);
});
