// Signing in to the inbox by a secret key, and who is signed in then.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { KEY, OLD_KEY, OTHER_KEY, sign, TOKENS, useWorker } from "../support/harness.mjs";
import { CHANGING_KEYS, serve, waitpoint } from "../support/workerd.mjs";
import {
  COOKIE,
  HOUR,
  isSignedOut,
  nonceOf,
  seconds,
  sessionOf,
  signed,
  signIn,
  submitKey,
  visit,
} from "./requests.mjs";

const worker = useWorker({ vars: { INBOX: "on" } });
const off = useWorker();
const inbox = (options, path = "/inbox") => visit(worker.url + path, options);
/** Sessions and links of the tests: none of them may be in a log. */
const made = [];
const remember = (credential) => {
  made.push(credential);
  return credential;
};

let changing;
before(async () => {
  const vars = { SECRET_KEYS: KEY, INBOX: "on" };
  changing = await serve(waitpoint(vars, CHANGING_KEYS));
});
after(() => changing.stop());

test("a key signs in for twelve hours, by a cookie that holds no key", async () => {
  const answer = await submitKey(worker.url, KEY);
  assert.deepEqual([answer.status, answer.headers.get("location")], [303, "/inbox"]);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  const cookies = answer.headers.getSetCookie();
  assert.equal(cookies.length, 1);
  const [pair, ...attributes] = cookies[0].split("; ");
  assert.deepEqual(attributes.sort(), [
    "HttpOnly",
    "Max-Age=43200",
    "Path=/",
    "SameSite=Strict",
    "Secure",
  ]);
  const session = remember(sessionOf(answer));
  assert.equal(pair, `${COOKIE}=${session}`);
  for (const encoding of ["utf8", "base64", "base64url", "hex"]) {
    const hidden = Buffer.from(KEY).toString(encoding).replace(/=+$/, "");
    assert.ok(!session.includes(hidden), encoding);
  }
  const expires = Number(session.split(".")[2]);
  assert.ok(Math.abs(expires - seconds() - 12 * HOUR) < 60, session);

  const page = await inbox({ session });
  assert.equal(page.status, 200);
  const html = await page.text();
  assert.ok(nonceOf(html));
  assert.ok(!html.includes(session) && !html.includes(KEY));
  assert.deepEqual(page.headers.getSetCookie(), []);
  assert.match(page.headers.get("vary"), /Cookie/);
});

test("each environment's key opens the tokens of its own environment alone", async () => {
  const mine = await worker.create();
  const theirs = await worker.create({}, { key: OTHER_KEY });
  for (const [key, opened, missing] of [
    [KEY, mine, theirs],
    [OLD_KEY, mine, theirs],
    [OTHER_KEY, theirs, mine],
  ]) {
    const session = remember(await signIn(worker.url, key));
    assert.equal((await inbox({ session }, `/inbox/${opened.id}`)).status, 200);
    assert.equal((await inbox({ session }, `/inbox/${missing.id}`)).status, 404);
    const nonce = nonceOf(await (await inbox({ session })).text());
    for (const action of ["decide", "withdraw", "notify"]) {
      const form = { waitpoint_nonce: nonce, action, choice: "0" };
      assert.equal((await inbox({ session, form }, `/inbox/${missing.id}`)).status, 404, action);
    }
    const bulk = { waitpoint_nonce: nonce, id: missing.id, decide: "Approve" };
    assert.equal((await inbox({ session, form: bulk }, "/inbox/bulk")).status, 200);
  }
  for (const [token, key] of [
    [mine, KEY],
    [theirs, OTHER_KEY],
  ]) {
    assert.equal((await worker.retrieve(token.id, { key })).status, "WAITING");
  }
});

test("what is no key signs nobody in, and the page does not repeat it", async () => {
  const jwt = sign(["write:waitpoints"]);
  for (const key of ["", " ", "wrong", KEY.slice(1), `${KEY}x`, `default=${KEY}`, jwt]) {
    const answer = await submitKey(worker.url, key, { next: "/inbox?view=decided" });
    const page = await answer.text();
    assert.deepEqual([answer.status, sessionOf(answer)], [401, undefined], key);
    assert.ok(!key.trim() || !page.includes(`"${key}"`), "the key is not in the page");
    assert.match(page, /name="next" value="\/inbox\?view=decided"/);
    assert.match(page, /role="alert"/);
  }
  const pasted = await submitKey(worker.url, `\n ${KEY}\r\n`);
  assert.ok(remember(sessionOf(pasted)), "who copies a key may copy a line break with it");
});

test("the form needs its nonce and a page of the inbox", async () => {
  const token = await worker.create();
  const link = nonceOf(await (await visit(token.url)).text());
  const session = remember(await signIn(worker.url));
  const inside = nonceOf(await (await inbox({ session })).text());
  for (const nonce of ["", "v1.1.x", link, inside, signed("session"), signed("link")]) {
    const answer = await submitKey(worker.url, KEY, { waitpoint_nonce: nonce });
    assert.deepEqual([answer.status, sessionOf(answer)], [403, undefined], nonce);
  }
  for (const headers of [
    { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    { origin: "https://evil.example", "sec-fetch-site": "" },
    { origin: "null", "sec-fetch-site": "cross-site" },
    { origin: "null", "sec-fetch-site": "same-site" },
    { origin: "null", "sec-fetch-site": "none" },
    { origin: "null", "sec-fetch-site": "" },
    { origin: "", "sec-fetch-site": "" },
  ]) {
    const answer = await submitKey(worker.url, KEY, { headers });
    assert.deepEqual([answer.status, sessionOf(answer)], [403, undefined], JSON.stringify(headers));
  }
  const headers = { origin: worker.url, "sec-fetch-site": "" };
  assert.ok(
    remember(sessionOf(await submitKey(worker.url, KEY, { headers }))),
    "of an older browser",
  );
});

test("signing in leads back to a page of the inbox, and nowhere else", async () => {
  const token = await worker.create();
  for (const path of ["/inbox?view=decided&text=a%26b", `/inbox/${token.id}`]) {
    const asked = await inbox({}, path);
    const { location } = Object.fromEntries(asked.headers);
    await isSignedOut(asked, path);
    const form = await visit(worker.url + location);
    const next = /name="next" value="([^"]*)"/.exec(await form.text())[1].replace(/&#38;/g, "&");
    assert.equal(next, path);
    const answer = await submitKey(worker.url, KEY, { next });
    assert.equal(answer.headers.get("location"), path);
  }
  for (const next of [
    "",
    "//evil.example",
    "///evil.example/inbox",
    "/\\evil.example",
    "\\\\evil.example",
    "/inbox//evil.example",
    "/inbox/../../evil",
    "/inbox@evil.example",
    "/inbox.evil.example",
    "https:/inbox",
    "https://evil.example/inbox",
    "javascript:alert(1)",
    "/inbox?x=\r\nset-cookie: a=b",
    "/inbox\t",
    "/inbox#x",
    "/inbox/sign-out",
    "/cdn-cgi/access/logout",
    TOKENS,
    `/inbox?text=${"x".repeat(2_000)}`,
  ]) {
    const answer = await submitKey(worker.url, KEY, { next });
    assert.deepEqual([answer.status, answer.headers.get("location")], [303, "/inbox"], next);
    assert.equal(answer.headers.getSetCookie().length, 1, next);
    const query = new URLSearchParams({ next });
    const page = await (await inbox({}, `/inbox/sign-in?${query}`)).text();
    assert.match(page, /name="next" value="\/inbox"/, next);
  }
  // A form that was sent when the session was over leads to the page, not to what was sent.
  const form = { waitpoint_nonce: "", choice: "0" };
  await isSignedOut(await inbox({ form }, `/inbox/${token.id}`), `/inbox/${token.id}`);
  await isSignedOut(await inbox({ form }, "/inbox/bulk"));
  await isSignedOut(await inbox({ form }, "/inbox/sign-out"));
});

test("what is no session of this Worker opens nothing", async () => {
  const token = await worker.create();
  const session = remember(await signIn(worker.url));
  assert.equal((await inbox({ session: signed("session") })).status, 200, "as it is signed here");
  const now = seconds();
  const flipped = [...session].map((letter, at) => {
    const other = letter === "A" ? "B" : "A";
    return session.slice(0, at) + other + session.slice(at + 1);
  });
  const nonce = nonceOf(await (await inbox({ session })).text());
  for (const forged of [
    "",
    "x",
    KEY,
    nonce,
    token.publicAccessToken,
    session.slice(0, -1),
    `${session}A`,
    signed("link"),
    signed("session", { expires: now - 1 }),
    signed("session", { expires: now }),
    signed("session", { expires: now + 13 * HOUR }),
    signed("session", { expires: 99_999_999_999 }),
    signed("session", { key: "tr_dev_another_key_of_24_chars" }),
    signed("session", { environment: "prod" }),
    signed("session", { named: "prod" }),
    signed("session", { key: OTHER_KEY }),
    signed("session", { environment: "no-such" }),
    signed("session", { random: "short" }),
    ...flipped.filter((_, at) => at % 7 === 0 || at < 12),
  ]) {
    const path = `/inbox/${token.id}`;
    await isSignedOut(await inbox({ session: forged }, path), path);
    const form = { waitpoint_nonce: nonce, choice: "0" };
    await isSignedOut(await inbox({ session: forged, form }, path), path);
  }
  for (const cookie of [
    `${COOKIE.replace("__Host-", "")}=${session}`,
    `${COOKIE.toLowerCase()}=${session}`,
    `x${COOKIE}=${session}`,
    `a=${COOKIE}=${session}`,
    `${COOKIE}="${session}"`,
    // A browser sends the cookie with the longer path first. None here has a path.
    `${COOKIE}=x; ${COOKIE}=${session}`,
  ]) {
    await isSignedOut(await inbox({ cookie }));
  }
  const cookie = `a=b; ${COOKIE}=${session}; c=d`;
  assert.equal((await inbox({ cookie })).status, 200);
  const bearer = { authorization: `Bearer ${KEY}` };
  await isSignedOut(await inbox({ headers: bearer }));
  assert.equal((await worker.retrieve(token.id)).status, "WAITING");
  const api = await fetch(`${worker.url}${TOKENS}/${token.id}`, { headers: { cookie } });
  assert.equal(api.status, 401, "the API takes no cookie");
});

test("a key that is removed ends its sessions and its links, and no others", async () => {
  const keys = (text) => ({ "test-keys": encodeURIComponent(text) });
  const both = `${KEY}\n${OLD_KEY}\nprod=${OTHER_KEY}`;
  const sessions = [];
  for (const key of [KEY, OLD_KEY, OTHER_KEY]) {
    const page = await visit(`${changing.url}/inbox/sign-in`, { headers: keys(both) });
    const form = { waitpoint_nonce: nonceOf(await page.text()), key };
    const answer = await visit(`${changing.url}/inbox/sign-in`, { form, headers: keys(both) });
    sessions.push(sessionOf(answer));
  }
  const statuses = (text) =>
    Promise.all(
      sessions.map(async (session) => {
        const options = { session, headers: keys(text) };
        return (await visit(`${changing.url}/inbox`, options)).status;
      }),
    );
  assert.deepEqual(await statuses(both), [200, 200, 200]);
  assert.deepEqual(await statuses(`${KEY}\nprod=${OTHER_KEY}`), [200, 303, 200]);
  assert.deepEqual(await statuses(`tr_dev_a_new_first_key_012345\n${KEY}`), [200, 303, 303]);
  assert.deepEqual(await statuses(`${OLD_KEY}`), [303, 200, 303]);
  assert.deepEqual(
    await statuses(`prod=${KEY}\n${OTHER_KEY}`),
    [303, 303, 303],
    "they changed place",
  );
  assert.deepEqual(await statuses(both), [200, 200, 200]);

  const path = () => `${changing.url}/inbox/sign-in?link=${signed("link", { key: OLD_KEY })}`;
  assert.equal((await visit(path(), { headers: keys(KEY) })).status, 401);
  const begun = await visit(path(), { headers: keys(both) });
  assert.equal(begun.status, 303);
  sessions.splice(0, 3, sessionOf(begun));
  assert.deepEqual(await statuses(both), [200]);
  assert.deepEqual(await statuses(KEY), [303], "the session is that of the link's key");
});

test("signing out ends the session in this browser", async () => {
  const session = remember(await signIn(worker.url));
  const nonce = nonceOf(await (await inbox({ session })).text());
  const out = (form, more) => inbox({ session, form, ...more }, "/inbox/sign-out");
  for (const answer of [await out({}), await out({ waitpoint_nonce: "v1.1.x" })]) {
    assert.deepEqual([answer.status, answer.headers.getSetCookie()], [403, []]);
  }
  const answer = await out({ waitpoint_nonce: nonce });
  assert.deepEqual([answer.status, answer.headers.get("location")], [303, "/inbox/sign-in"]);
  assert.deepEqual(answer.headers.getSetCookie(), [
    `${COOKIE}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict`,
  ]);
  const read = await inbox({ session }, "/inbox/sign-out");
  assert.deepEqual([read.status, read.headers.getSetCookie()], [303, []], "by a form only");
});

test("wrong keys are limited by address, and the right key is not", async () => {
  const nonce = nonceOf(await (await visit(`${worker.url}/inbox/sign-in`)).text());
  const wrong = (address, key = "tr_dev_wrong_0123456789") => {
    const form = { waitpoint_nonce: nonce, key };
    const headers = { "cf-connecting-ip": address };
    return visit(`${worker.url}/inbox/sign-in`, { form, headers });
  };
  const period = () => Math.floor(Date.now() / 60_000);
  const first = period();
  let refused;
  for (let passed = 0; !refused; ) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => wrong("192.0.2.1")));
    refused = answers.find(({ status }) => status === 429);
    const letThrough = answers.filter(({ status }) => status === 401);
    passed += letThrough.length;
    assert.ok(answers.every(({ status }) => [401, 429].includes(status)));
    assert.ok(passed <= 100 * (period() - first + 1), `${passed} wrong keys have passed`);
  }
  assert.equal(refused.headers.get("retry-after"), "60");
  assert.match(refused.headers.get("content-type"), /text\/html/);
  assert.ok(nonceOf(await refused.text()), "with the form");
  assert.equal(sessionOf(refused), undefined);
  assert.equal((await wrong("192.0.2.2")).status, 401, "from elsewhere");
  for (const address of ["192.0.2.1", "192.0.2.2"]) {
    assert.ok(remember(sessionOf(await wrong(address, KEY))), "whoever has the key is not held up");
  }
  // One holder of an IPv6 network is one.
  const network = (host) => wrong(`2001:db8:0:1:${host.toString(16)}::1`);
  const answers = [];
  for (let host = 1; host <= 220; host += 20) {
    answers.push(...(await Promise.all(Array.from({ length: 20 }, (_, n) => network(host + n)))));
  }
  assert.ok(answers.some(({ status }) => status === 429));
});

test("without INBOX there is no inbox", async () => {
  const token = await off.create();
  const session = signed("session");
  const answers = [
    await visit(`${off.url}/inbox`),
    await visit(`${off.url}/inbox`, { session }),
    await visit(`${off.url}/inbox/sign-in`),
    await visit(`${off.url}/inbox/sign-in?link=${signed("link")}`),
    await visit(`${off.url}/inbox/${token.id}`, { session }),
    await visit(`${off.url}/inbox/sign-in`, { form: { key: KEY } }),
    await visit(`${off.url}/inbox/sign-out`, { session, form: {} }),
    await visit(`${off.url}/inbox/bulk`, { session, form: { id: token.id } }),
    await visit(`${off.url}/inbox`, { session, method: "DELETE" }),
  ];
  const unknown = await visit(`${off.url}/no-such-page`);
  const expected = await unknown.text();
  for (const answer of answers) {
    assert.deepEqual([answer.status, await answer.text()], [404, expected], answer.url);
    assert.deepEqual(answer.headers.getSetCookie(), []);
  }
  assert.equal((await off.retrieve(token.id)).status, "WAITING");
});

test("no session and no link is in a log", () => {
  const logs = JSON.stringify(worker.server.getLogs());
  assert.ok(made.length > 10);
  for (const credential of made) assert.ok(!logs.includes(credential.split(".").at(-1)));
});
