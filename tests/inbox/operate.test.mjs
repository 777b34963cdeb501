// What an operator does to tokens, by the pages' own forms.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SECRET_KEYS, TOKENS, until, useWorker } from "../support/harness.mjs";
import { idsOn, nonceOn, operatorOf } from "../support/inbox.mjs";
import { useReceiver, webhookSecret } from "../support/receiver.mjs";

const secrets = { SECRET_KEYS, WEBHOOK_SECRET: webhookSecret() };
const worker = useWorker({ secrets, vars: { INBOX: "on" } });
const receiver = await useReceiver();
const operator = () => operatorOf(worker.url);
const titled = (title, tag, fields) =>
  worker.create({ approval: { title }, tags: [tag], timeout: "1h", ...fields });
/** The ids in the list, once there are so many. */
const listed = (op, query, count) =>
  until(
    () => op.list(query),
    (ids) => ids.length === count,
  );
/** What a page says became of each token. */
const outcomes = (html) =>
  Object.fromEntries(
    [...html.matchAll(/href="\/inbox\/(waitpoint_\w+)".*?<span class="chip[^"]*">([^<]+)</g)].map(
      ([, id, outcome]) => [id, outcome],
    ),
  );
const count = (html, text) => Object.values(outcomes(html)).filter((one) => one === text).length;

test("200 are decided at once, others' decisions told apart; a reload does nothing", async () => {
  const tokens = await Promise.all(
    Array.from({ length: 200 }, (_, at) => titled(`Number ${at}?`, "many")),
  );
  const op = await operator();
  const ids = await listed(op, "?tag=many&size=200", 200);
  const summary = await op.send("/inbox/bulk", { id: ids });
  assert.equal(summary.status, 200);
  const shown = await summary.text();
  assert.equal(idsOn(shown).length, 200);
  await worker.complete(tokens[7].id, { status: "rejected" });
  await worker.api(`${TOKENS}/${tokens[8].id}/cancel`, { body: {} });

  const nonce = nonceOn(shown);
  const form = { id: ids, decide: "Approve", comment: "all of them" };
  const send = async () => {
    const answer = await op.send("/inbox/bulk", form, { nonce });
    assert.equal(answer.status, 200);
    return answer.text();
  };
  const first = await send();
  assert.equal(count(first, "Done"), 198);
  assert.equal(outcomes(first)[tokens[7].id], "Already decided");
  assert.equal(outcomes(first)[tokens[8].id], "Withdrawn");
  const before = await Promise.all(tokens.map(({ id }) => worker.retrieve(id)));
  assert.equal(before.filter(({ completedBy }) => completedBy === "inbox").length, 198);
  const decided = before.find(({ completedBy }) => completedBy === "inbox");
  assert.equal(decided.output, '{"status":"approved","comment":"all of them"}');

  assert.deepEqual(outcomes(await send()), outcomes(first));
  const plain = ({ url, shortUrl, ...token }) => token;
  const then = await Promise.all(tokens.map(({ id }) => worker.retrieve(id)));
  assert.deepEqual(then.map(plain), before.map(plain));
  await listed(op, "?tag=many", 0);
});

test("offered are the labels that all marked tokens share; what fits none is refused", async () => {
  const choices = (...labels) => labels.map((label) => ({ label }));
  const ship = (tag, fields) =>
    worker.create({ tags: [tag], approval: { title: "T", ...fields }, timeout: "1h" });
  const both = await ship("shared", { choices: choices("Ship", "Hold") });
  const hold = await ship("shared", { choices: choices("Hold", "Drop") });
  const typed = await ship("shared", { choices: choices("Hold"), confirm: "typed" });
  const form = { type: "object", properties: { why: { type: "string" } }, required: ["why"] };
  const filled = await ship("shared", { choices: choices("Hold"), form });
  const op = await operator();
  const labels = async (...tokens) => {
    const answer = await op.send("/inbox/bulk", { id: tokens.map(({ id }) => id) });
    const html = await answer.text();
    return [...html.matchAll(/name="decide" value="([^"]+)"/g)].map(([, label]) => label);
  };
  assert.deepEqual(await labels(both), ["Ship", "Hold"]);
  assert.deepEqual(await labels(both, hold), ["Hold"]);
  assert.deepEqual(await labels(both, hold, typed), []);
  assert.deepEqual(await labels(hold, filled), []);
  const id = [both.id, typed.id, filled.id, "waitpoint_nobody"];
  const html = await (await op.send("/inbox/bulk", { id, decide: "Hold" })).text();
  assert.equal(outcomes(html)[both.id], "Done");
  for (const { id } of [typed, filled])
    assert.equal((await worker.retrieve(id)).status, "WAITING", id);
  assert.equal(count(html, "Done"), 1);

  assert.equal((await op.send("/inbox/bulk", {})).status, 422, "none is marked");
  const many = Array.from({ length: 201 }, (_, at) => `waitpoint_c${at}`);
  assert.equal((await op.send("/inbox/bulk", { id: many })).status, 422, "too many are");
  const reason = "x".repeat(501);
  const long = await op.send("/inbox/bulk", { id: hold.id, withdraw: "1", reason });
  assert.equal(long.status, 422);
  const withdrawn = await op.send("/inbox/bulk", { id: hold.id, withdraw: "1", reason: "old" });
  assert.equal(count(await withdrawn.text(), "Done"), 1);
  const { cancelReason } = await worker.retrieve(hold.id);
  assert.equal(cancelReason, "old");
});

test("an operator ends a token with approvers, which is no vote", async () => {
  const approvers = [
    { id: "ada", name: "Ada" },
    { id: "bob", name: "Bob" },
  ];
  const { id } = await worker.create({
    approval: { title: "Both?", approvers, required: 2 },
    timeout: "1h",
  });
  const op = await operator();
  const answer = await op.send(`/inbox/${id}`, { choice: "1" });
  assert.equal(answer.headers.get("location"), `/inbox/${id}?done=decided`);
  const { completedBy, votes, output } = await worker.retrieve(id);
  assert.deepEqual([completedBy, votes, output], ["inbox", undefined, '{"status":"rejected"}']);
  assert.equal((await op.send(`/inbox/${id}`, { choice: "0" })).status, 409, "too late");
});

test("what a form has done is told from what others did", async () => {
  const op = await operator();
  const form = async (fields) => {
    const { id } = await titled("Whose?", "whose");
    const nonce = nonceOn(await op.read(`/inbox/${id}`));
    const send = () => op.send(`/inbox/${id}`, fields, { nonce });
    return { id, send };
  };
  const own = await form({ choice: "0", comment: "mine" });
  assert.deepEqual([(await own.send()).status, (await own.send()).status], [303, 303]);
  const theirs = await form({ choice: "0" });
  await worker.complete(theirs.id, { status: "approved" });
  assert.equal((await theirs.send()).status, 409, "the same, decided by somebody else");
  const withdrawn = await form({ action: "withdraw", reason: "mine" });
  await worker.api(`${TOKENS}/${withdrawn.id}/cancel`, { body: { reason: "theirs" } });
  assert.equal((await withdrawn.send()).status, 409, "withdrawn by somebody else");
  assert.equal((await worker.retrieve(withdrawn.id)).cancelReason, "theirs");
  const odd = await form({ action: "nuke", choice: "0" });
  assert.equal((await odd.send()).status, 422, "no page sends this");
  for (const done of ["decided", "withdrawn", "extended", "notified"]) {
    const html = await op.read(`/inbox/${odd.id}?done=${done}`);
    assert.doesNotMatch(html, /class="good"/, `an address is not believed: ${done}`);
  }
});

test("several copies of one form at once have one outcome", async () => {
  const tokens = await Promise.all(Array.from({ length: 20 }, () => titled("Copy?", "copies")));
  const op = await operator();
  const id = tokens.map(({ id }) => id);
  const nonce = nonceOn(await (await op.send("/inbox/bulk", { id })).text());
  const send = () => op.send("/inbox/bulk", { id, decide: "Reject" }, { nonce });
  const answers = await Promise.all(Array.from({ length: 8 }, send));
  for (const answer of answers) assert.equal(count(await answer.text(), "Done"), 20);
});

test("what offers nothing for several is opened; a long output is shown in part", async () => {
  const { id } = await worker.create({ approval: { title: "T", confirm: "typed" } });
  const op = await operator();
  const answer = await op.send("/inbox/bulk", { id });
  assert.equal(answer.headers.get("location"), `/inbox/${id}`);
  await worker.complete(id, "long ".repeat(200_000));
  const html = await op.read(`/inbox/${id}`);
  assert.match(html, /long long/);
  assert.ok(html.length < 60_000, "a part of it");
});

test("the list of what was decided says what", async () => {
  const choices = [{ label: "Ship" }, { label: "Hold", data: { go: false } }];
  const own = await worker.create({ tags: ["made"], approval: { title: "Own?", choices } });
  const plain = await titled("Plain?", "made");
  const other = await titled("Other?", "made");
  const op = await operator();
  await op.send(`/inbox/${own.id}`, { choice: "1", comment: "not yet" });
  await op.send(`/inbox/${plain.id}`, { choice: "1" });
  await worker.complete(other.id, { something: "else" });
  const shown = await until(
    () => op.read("/inbox?view=decided&tag=made"),
    (html) => html.match(/<li>/g)?.length === 3,
  );
  const made = [...shown.matchAll(/class="chip made"><bdi lang="">([^<]*)</g)];
  assert.deepEqual(made.map(([, label]) => label).sort(), ["Hold", "Reject"]);
});

test("a delivery that failed is found, and its people are notified again", async () => {
  receiver.answers.set("/gone", [[410], [200]]);
  const webhook = `${receiver.url}/gone`;
  const gone = await titled("Gone?", "failing", { notify: [{ webhook }] });
  await titled("Quiet?", "failing");
  const op = await operator();
  assert.deepEqual(await listed(op, "?tag=failing&failed=1", 1), [gone.id]);
  assert.equal((await listed(op, "?tag=failing", 2)).length, 2);
  assert.match(await op.read(`/inbox/${gone.id}`), /410/);

  const send = () => op.send(`/inbox/${gone.id}`, { action: "notify" });
  const sent = await send();
  assert.equal(sent.headers.get("location"), `/inbox/${gone.id}?done=notified`);
  const received = await receiver.received("/gone", 2);
  const types = received.map(({ body }) => JSON.parse(body).type);
  assert.deepEqual(types, ["waitpoint.created", "waitpoint.reminder"]);
  assert.equal((await send()).status, 429, "not twice in a minute");
  const quiet = (await op.list("?tag=failing&text=Quiet")).at(0);
  assert.equal((await op.send(`/inbox/${quiet}`, { action: "notify" })).status, 409);
  await worker.complete(gone.id, {});
  assert.equal((await send()).status, 409, "it has ended");
});

test("deadlines, reasons and ids that are none are told, and nothing is done", async () => {
  const { id } = await titled("Which?", "bad");
  const op = await operator();
  const status = async (fields) => (await op.send(`/inbox/${id}`, fields)).status;
  for (const timeout of ["", "soon", "2020-01-01T10:00", "2027-13-01T10:00", "9".repeat(9999)])
    assert.equal(await status({ action: "extend", timeout }), 422, timeout.slice(0, 20));
  assert.equal(await status({ action: "withdraw", reason: "x".repeat(501) }), 422);
  assert.equal(await status({ choice: "9" }), 422);
  assert.equal(await status({}), 422);
  assert.equal(await status({ choice: "0", comment: "x".repeat(2_001) }), 422);
  assert.equal(await status({ choice: "0", comment: "x".repeat(300_000) }), 413);
  const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, at) => [`f${at}`, ""]));
  assert.equal(await status({ choice: "0", ...many }), 413);
  for (const path of ["waitpoint_nobody", "x".repeat(65), "%00", "waitpoint_"])
    assert.equal((await op.ask(`/inbox/${path}`)).status, 404, path);
  const { status: stays, timeoutAt } = await worker.retrieve(id);
  assert.equal(stays, "WAITING");
  await op.send(`/inbox/${id}`, { action: "extend", timeout: "2099-01-01T10:00" });
  const extended = await worker.retrieve(id);
  assert.notEqual(extended.timeoutAt, timeoutAt);
  assert.equal(extended.timeoutAt, "2099-01-01T10:00:00.000Z");
});

test("a whole id leads to its page, and pages of a long list follow each other", async () => {
  const tokens = await Promise.all(Array.from({ length: 60 }, () => titled("One of 60?", "sixty")));
  const op = await operator();
  const [{ id }] = tokens;
  const found = await op.ask(`/inbox?text=${id}`);
  assert.equal(found.headers.get("location"), `/inbox/${id}`);
  await listed(op, "?tag=sixty&size=200", 60);
  const first = await op.read("/inbox?tag=sixty");
  const next = /href="(\/inbox\?[^"]*after=[^"]*)"/.exec(first)[1].replaceAll("&#38;", "&");
  const second = await op.read(next);
  const seen = new Set([...idsOn(first), ...idsOn(second)]);
  assert.deepEqual([idsOn(first).length, idsOn(second).length, seen.size], [50, 10, 60]);
});
