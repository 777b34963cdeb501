// Links that sign in to the inbox once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { KEY, OTHER_KEY, useWorker } from "../support/harness.mjs";
import { serve, waitpoint } from "../support/workerd.mjs";
import { HOUR, nonceOf, seconds, sessionOf, signed, signIn, visit } from "./requests.mjs";

const worker = useWorker({ vars: { INBOX: "on" } });
const inbox = (options, path = "/inbox") => visit(worker.url + path, options);
const follow = (credential, options) =>
  visit(`${worker.url}/inbox/sign-in?${new URLSearchParams({ link: credential })}`, options);
/** Links and sessions of the tests: none of them may be in a log. */
const made = [];
const remember = (credential) => {
  made.push(credential);
  return credential;
};

// wrangler's proxy names itself in a location.
let direct;
before(async () => (direct = await serve(waitpoint({ INBOX: "on" }))));
after(() => direct.stop());

test("a link signs in once", async () => {
  const link = remember(signed("link"));
  const first = await follow(link);
  assert.deepEqual([first.status, first.headers.get("location")], [303, "/inbox"]);
  const session = remember(sessionOf(first));
  assert.notEqual(session, undefined);
  assert.equal((await inbox({ session })).status, 200);
  for (const again of [await follow(link), await follow(link)]) {
    assert.deepEqual([again.status, sessionOf(again)], [401, undefined]);
    assert.ok(nonceOf(await again.text()), "with the form");
  }
  assert.equal((await inbox({ session })).status, 200, "the session goes on");
  const theirs = signed("link", { environment: "prod", key: OTHER_KEY });
  assert.equal((await follow(theirs)).status, 303, "of the other environment");
});

test("of twenty who follow a link at once, one is signed in", async () => {
  const link = remember(signed("link"));
  const answers = await Promise.all(Array.from({ length: 20 }, () => follow(link)));
  const statuses = answers.map(({ status }) => status).sort();
  assert.deepEqual(statuses, [303, ...Array(19).fill(401)]);
  assert.equal(answers.filter(sessionOf).length, 1);
});

test("a link that was used stays used when the Worker starts anew", async () => {
  const path = `/inbox/sign-in?link=${signed("link")}`;
  const first = await visit(direct.url + path);
  assert.equal(first.status, 303);
  const session = sessionOf(first);
  await direct.restart();
  assert.equal((await visit(direct.url + path)).status, 401);
  assert.equal((await visit(`${direct.url}/inbox`, { session })).status, 200, "a session goes on");
});

test("who only looks at a link does not use it up", async () => {
  const link = remember(signed("link"));
  for (const options of [
    { method: "HEAD" },
    { headers: { "sec-purpose": "prefetch" } },
    { headers: { "sec-purpose": "prefetch;prerender" } },
  ]) {
    const answer = await follow(link, options);
    assert.deepEqual([answer.status, sessionOf(answer)], [401, undefined]);
  }
  assert.equal((await follow(link, { method: "OPTIONS" })).status, 405);
  assert.equal((await follow(link)).status, 303);
});

test("what is no link of this Worker signs nobody in", async () => {
  const now = seconds();
  const link = signed("link");
  for (const forged of [
    "",
    "x",
    KEY,
    link.slice(0, -1),
    `${link}A`,
    signed("session"),
    remember(await signIn(worker.url)),
    signed("link", { expires: now - 1 }),
    signed("link", { expires: now + HOUR }),
    signed("link", { key: "tr_dev_another_key_of_24_chars" }),
    signed("link", { environment: "prod" }),
    signed("link", { named: "prod" }),
    signed("link", { random: "a.b" }),
  ]) {
    const answer = await follow(forged);
    assert.deepEqual([answer.status, sessionOf(answer)], [401, undefined], forged);
  }
  assert.equal((await follow(link)).status, 303, "no forgery has used it up");
});

test("plain HTTP is sent to HTTPS before anything is read", async () => {
  const plain = { "cf-visitor": '{"scheme":"http"}' };
  const url = `${direct.url}/inbox/sign-in?link=${signed("link")}`;
  const answer = await visit(url, { headers: plain });
  const location = url.replace("http:", "https:");
  assert.deepEqual([answer.status, answer.headers.get("location")], [308, location]);
  assert.equal((await visit(url)).status, 303, "the link is not used up");
});

test("no link is in a log", () => {
  const logs = JSON.stringify(worker.server.getLogs());
  assert.ok(made.length > 3);
  for (const credential of made) assert.ok(!logs.includes(credential.split(".").at(-1)));
});
