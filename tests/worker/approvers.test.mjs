// Approvers: each votes by a link of their own, and enough equal votes decide.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeJwt } from "jose";
import { nonceOf, open, send, text } from "../page/requests.mjs";
import {
  OTHER_KEY,
  SECRET_KEYS,
  TOKENS,
  temporaryFolder,
  until,
  useWorker,
} from "../support/harness.mjs";
import { configWithMail, writtenMail } from "../support/mail.mjs";
import { useReceiver, webhookSecret } from "../support/receiver.mjs";

const worker = useWorker();
const receiver = await useReceiver();
const mailing = useWorker({
  secrets: { SECRET_KEYS, WEBHOOK_SECRET: webhookSecret() },
  vars: { EMAIL_FROM: "approvals@example.com" },
  configPath: configWithMail(temporaryFolder()),
  hasMail: true,
});

const PEOPLE = [
  { id: "ann", name: "Ann Miller" },
  { id: "bob", name: "Bob" },
  { id: "zoë", name: "Zoë" },
];
const asked = (approval = {}, fields = {}) =>
  worker.create({ approval: { approvers: PEOPLE, required: 2, ...approval }, ...fields });
const links = ({ links }) => Object.fromEntries(links.map((link) => [link.approver, link]));
const ends = async (id) => {
  const { status, output, completedBy, completedBySubject } = await worker.retrieve(id);
  return [status, output, completedBy, completedBySubject];
};

test("create gives each approver a link of their own, and so do retrieve and extend", async () => {
  const token = await asked({}, { timeout: "1h" });
  assert.deepEqual(
    token.links.map(({ approver }) => approver),
    ["ann", "bob", "zoë"],
  );
  const all = token.links.flatMap(({ url, shortUrl }) => [url, shortUrl]);
  assert.equal(new Set([...all, token.url, token.shortUrl]).size, 8);
  for (const { approver, url, shortUrl } of token.links) {
    assert.equal(decodeJwt(url.split("/").at(-1)).act.sub, approver);
    assert.ok(shortUrl.length <= 110, shortUrl);
  }
  assert.deepEqual((await worker.retrieve(token.id)).links, token.links);
  const extended = await worker.api(`${TOKENS}/${token.id}/extend`, { body: { timeout: "2h" } });
  assert.equal((await extended.json()).links.length, 3);
  const again = await worker.create({
    approval: { approvers: PEOPLE },
    idempotencyKey: "approvers",
  });
  const cached = await worker.create({ idempotencyKey: "approvers" });
  assert.deepEqual([cached.isCached, cached.links], [true, again.links]);
});

test("enough people who choose the same complete it, by either of their links", async () => {
  const token = await asked();
  const { ann, bob, zoë } = links(token);
  assert.equal((await send(ann.url, { choice: "0", comment: "fine" })).status, 303);
  assert.equal((await send(bob.shortUrl, { choice: "1" })).status, 303);
  assert.deepEqual(await ends(token.id), ["WAITING", undefined, undefined, undefined]);
  const { votes, history } = await worker.retrieve(token.id);
  assert.deepEqual(
    votes.map(({ approver, choice, comment }) => [approver, choice, comment]),
    [
      ["ann", "Approve", "fine"],
      ["bob", "Reject", undefined],
    ],
  );
  assert.deepEqual(
    history.map(({ type, by }) => [type, by]),
    [
      ["created", undefined],
      ["voted", "ann"],
      ["voted", "bob"],
    ],
  );
  assert.equal((await send(zoë.shortUrl, { choice: "0" })).status, 303);
  assert.deepEqual(await ends(token.id), ["COMPLETED", '{"status":"approved"}', "page", "zoë"]);
  // The same vote again leads to the page, another one is told that it came too late.
  assert.equal((await send(ann.url, { choice: "0", comment: "fine" })).status, 303);
  assert.equal((await send(bob.url, { choice: "0" })).status, 409);
});

test("a vote is replaced until the end, and one person alone is no quorum", async () => {
  const token = await asked();
  const { ann, bob } = links(token);
  for (const choice of ["0", "1", "0", "1"]) await send(ann.url, { choice });
  assert.equal((await worker.retrieve(token.id)).votes.length, 1);
  assert.equal((await ends(token.id))[0], "WAITING");
  await send(bob.url, { choice: "1" });
  assert.deepEqual((await ends(token.id)).slice(0, 2), ["COMPLETED", '{"status":"rejected"}']);
});

test("a veto decides at once", async () => {
  const token = await asked({
    required: 3,
    choices: [{ label: "Ship" }, { label: "Stop", veto: true, data: "stopped" }],
  });
  await send(links(token).bob.url, { choice: "1", comment: "the numbers are wrong" });
  assert.deepEqual(await ends(token.id), ["COMPLETED", '"stopped"', "page", "bob"]);
  const { votes } = await worker.retrieve(token.id);
  assert.equal(votes[0].comment, "the numbers are wrong");
});

test("nobody else decides it: 403 approvers_only; the secret key does", async () => {
  const token = await asked();
  const { ann } = links(token);
  const refused = async (response) =>
    assert.deepEqual([response.status, (await response.json()).code], [403, "approvers_only"]);
  await refused(await worker.complete(token.id, 1, { key: token.publicAccessToken }));
  await refused(await worker.complete(token.id, 1, { key: ann.url.split("/").at(-1) }));
  const json = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
  for (const url of [token.url, token.shortUrl, ann.url, ann.shortUrl])
    await refused(await fetch(url, json));
  // The page's own form at the token's url: there is none, and a made up one decides nothing.
  const page = await text(await open(token.url));
  assert.match(page, /each with a link of their own/);
  assert.doesNotMatch(page, /<form/);
  const nonce = nonceOf(await (await open(ann.url)).text());
  const body = new URLSearchParams({ waitpoint_nonce: nonce, choice: "0" });
  assert.equal((await open(token.url, { method: "POST", body })).status, 403);
  const headers = { accept: "application/json" };
  await refused(await open(token.url, { method: "POST", body, headers }));
  assert.equal((await ends(token.id))[0], "WAITING");
  assert.equal((await worker.retrieve(token.id)).votes, undefined);
  const owned = await worker.complete(token.id, { forced: true });
  assert.equal(owned.headers.get("waitpoint-outcome"), "completed");
  // What has ended is told as ever.
  const late = await worker.complete(token.id, 1, { key: token.publicAccessToken });
  assert.deepEqual(
    [late.status, late.headers.get("waitpoint-outcome")],
    [200, "already-completed"],
  );
});

test("a link votes for its own person and token only", async () => {
  const [token, other] = [await asked(), await asked()];
  const { ann, bob } = links(token);
  const [, head, credential] = /^(.*\/)0-(.*)$/.exec(ann.shortUrl);
  // Another approver's index, another token, another spelling of the index.
  const forged = [
    `${head}1-${credential}`,
    `${head}00-${credential}`,
    `${head}+0-${credential}`,
    `${head}${credential}`,
    ann.shortUrl.replace(token.id.replace("waitpoint_", ""), other.id.replace("waitpoint_", "")),
    bob.shortUrl.replace("/1-", "/0-"),
  ];
  for (const url of forged) assert.equal((await open(url)).status, 404, url);
  // A link of one token's approver is no link of another's.
  const jwt = ann.url.split("/").at(-1);
  assert.equal((await open(other.url.replace(/[^/]+$/, jwt))).status, 404);
  // Nor does the key of another environment vote.
  const foreign = await worker.complete(token.id, 1, { key: OTHER_KEY });
  assert.equal(foreign.status, 404);
});

test("until the end nobody with a link learns how others voted, nor who they are", async () => {
  const token = await asked({
    approvers: [{ id: "ann", name: "Ann Miller", email: undefined }, ...PEOPLE.slice(1)],
  });
  const { ann, bob } = links(token);
  await send(ann.url, { choice: "1", comment: "secret reason" });
  const page = await text(await open(bob.url));
  assert.match(page, /Votes so far: 1 of 3\. Equal votes needed: 2\./);
  assert.doesNotMatch(page, /Ann Miller|secret reason/);
  const read = (key) => worker.retrieve(token.id, { key });
  for (const key of [token.publicAccessToken, bob.url.split("/").at(-1)]) {
    const { votes, links, approval, history } = await read(key);
    assert.deepEqual([votes, links, history], [undefined, undefined, undefined]);
    assert.deepEqual(approval, { required: 2 });
  }
  assert.match(
    await text(await open(ann.url)),
    /Your vote<\/dt><dd class="strong"><bdi lang="">Reject/,
  );
  await send(bob.url, { choice: "1" });
  const after = await read(token.publicAccessToken);
  assert.equal(after.votes.length, 2);
  assert.match(await text(await open(bob.url)), /Ann Miller.*Reject.*secret reason/);
});

test("votes at once: one end, and each of them is counted or told", async () => {
  const people = Array.from({ length: 20 }, (_, n) => ({ id: `p${n}`, name: `Person ${n}` }));
  const token = await asked({ approvers: people, required: 7 });
  const answers = await Promise.all(
    token.links.map(({ url }, n) => send(url, { choice: String(n % 2) })),
  );
  const { status, votes, completedBySubject } = await worker.retrieve(token.id);
  assert.equal(status, "COMPLETED");
  const counted = (label) => votes.filter(({ choice }) => choice === label).length;
  assert.equal(Math.max(counted("Approve"), counted("Reject")), 7);
  assert.equal(votes.at(-1).approver, completedBySubject);
  assert.equal(answers.filter(({ status }) => status === 303).length, votes.length);
  assert.ok(answers.every(({ status }) => [303, 409].includes(status)));
});

test("a cancel, and a deadline, end a vote under way", async () => {
  const token = await asked();
  await send(links(token).ann.url, { choice: "0" });
  await worker.api(`${TOKENS}/${token.id}/cancel`, { body: {} });
  assert.equal((await send(links(token).bob.url, { choice: "0" })).status, 410);
  const timed = await asked({}, { timeout: "1s", onTimeout: { data: "late" } });
  await send(links(timed).ann.url, { choice: "0" });
  await until(
    () => worker.retrieve(timed.id),
    ({ status }) => status !== "WAITING",
  );
  assert.deepEqual((await ends(timed.id)).slice(0, 3), ["COMPLETED", '"late"', "timeout"]);
  assert.equal((await send(links(timed).bob.url, { choice: "0" })).status, 410);
});

test("rules that nobody can satisfy are refused at create, and named", async () => {
  const refused = async (approval, part, fields = {}) => {
    const response = await worker.api(TOKENS, { body: { approval, ...fields } });
    const { error } = await response.json();
    assert.equal(response.status, 400, error);
    assert.match(error, part);
  };
  const many = Array.from({ length: 21 }, (_, n) => ({ id: `p${n}`, name: "P" }));
  await refused({ approvers: PEOPLE, required: 4 }, /required is 4, but there are 3 approvers/);
  await refused({ approvers: PEOPLE, required: 0 }, /required is 0\. Use a number from 1/);
  await refused({ approvers: PEOPLE, required: "2" }, /required must be a whole number from 1/);
  await refused({ required: 1 }, /Add approvers/);
  await refused({ approvers: [] }, /approvers has 0 entries\. Use 1 to 20/);
  await refused({ approvers: many }, /approvers has 21 entries/);
  await refused({ approvers: "ann" }, /approvers is "ann"/);
  await refused({ approvers: [{ id: "a" }] }, /approvers\[0\] has no name/);
  await refused({ approvers: [{ id: "a", name: " " }] }, /approvers\[0\]\.name is empty/);
  await refused(
    { approvers: [PEOPLE[0], PEOPLE[0]] },
    /approvers\[1\]\.id "ann" is, or looks like, that of approvers\[0\]/,
  );
  await refused(
    { approvers: [PEOPLE[0], { id: "Ann2", name: "Ann  Miller" }] },
    /approvers\[1\]\.name .* is, or looks like, that of approvers\[0\]/,
  );
  const email = "a@example.com";
  await refused(
    {
      approvers: [
        { ...PEOPLE[0], email },
        { ...PEOPLE[1], email: "A@example.com" },
      ],
    },
    /approvers\[1\]\.email "A@example\.com" is, or looks like, that of approvers\[0\]/,
  );
  await refused({ approvers: [{ ...PEOPLE[0], email }] }, /approvers\[0\]\.email: mail needs the/);
  await refused({ approvers: PEOPLE }, /email to an approver/, { reminders: [{ after: "1m" }] });
  await refused({ approvers: [{ ...PEOPLE[0], mail: "x" }] }, /has a field "mail"/);
  await refused(
    { approvers: [{ ...PEOPLE[0], email: "ann" }] },
    /approvers\[0\]\.email: "ann" has no @/,
  );
  await refused({ choices: [{ label: "No", veto: true }] }, /choices\[0\]\.veto needs approvers/);
  const callback = { accept: { pointer: "/a", in: [1] } };
  await refused({ approvers: PEOPLE }, /no callback decides a token with approvers/, { callback });
});

test("each approver is sent their own link; who has voted is not reminded", async () => {
  const token = await mailing.create({
    approval: {
      title: "Ship it?",
      required: 2,
      approvers: [
        { id: "ann", name: "Ann", email: "ann@example.com", locale: "de" },
        { id: "bob", name: "Bob", email: "bob@example.com" },
        { id: "zoë", name: "Zoë" },
      ],
    },
    notify: [{ email: "all@example.com" }],
    reminders: [{ after: "2s" }],
  });
  const [ann, bob] = token.links;
  const mailsWith = (text) => writtenMail().filter((mail) => mail.text.includes(text));
  const few = (text, count) =>
    until(
      () => mailsWith(text),
      (found) => found.length === count,
    );
  const [mail] = await few(ann.shortUrl, 1);
  assert.match(mail.text, /Anfrage/);
  for (const { shortUrl } of [bob, token]) await few(shortUrl, 1);
  await send(ann.url, { choice: "0" });
  // A reminder's link lives from then on, so it is another one of the same person.
  const personal = (index) => `/t/${token.id.replace("waitpoint_", "")}/${index}-`;
  await few(personal(1), 2);
  const told = ({ deliveries }) => deliveries.length === 5 && deliveries.every(isDelivered);
  const isDelivered = ({ status }) => status === "delivered";
  await until(() => mailing.retrieve(token.id), told);
  assert.equal(mailsWith(personal(0)).length, 1);
});

test("nobody with a link keeps an approver from voting", async () => {
  const token = await asked();
  const { ann, bob } = links(token);
  const busy = async (url) => {
    for (let sent = 0; sent < 40; sent++) {
      const { status } = await send(url, { choice: "none" });
      if (status === 429) return true;
    }
    return false;
  };
  assert.ok(await busy(ann.url), "one person's attempts are limited");
  assert.equal((await send(bob.url, { choice: "0" })).status, 303);
});

test("a recipient of notices learns neither the votes nor who votes", async () => {
  const token = await mailing.create({
    approval: { approvers: PEOPLE, required: 2 },
    notify: [{ webhook: `${receiver.url}/told` }],
    reminders: [{ after: "1s" }],
  });
  await send(links(token).ann.url, { choice: "0", comment: "secret reason" });
  const told = await receiver.received("/told", 2);
  for (const { body } of told) {
    const { data } = JSON.parse(body);
    assert.deepEqual([data.votes, data.approval], [undefined, { required: 2 }]);
    assert.doesNotMatch(data.shortUrl, /\/\d+-[^/]*$/, "not the link of an approver");
  }
});
