// Notices of tokens that live upstream: the edge sends them, and its link decides.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Webhook } from "standardwebhooks";
import { SECRET_KEYS, TOKENS, until } from "../support/harness.mjs";
import { useReceiver, webhookSecret } from "../support/receiver.mjs";
import { useRelay } from "../support/relay.mjs";

const SECRET = webhookSecret();
const receiver = await useReceiver();
const { upstream, edge, delivered } = await useRelay({ SECRET_KEYS, WEBHOOK_SECRET: SECRET });

test("the edge tells, reminds and takes the decision; upstream learns that alone", async () => {
  const token = await edge.create({
    timeout: "1h",
    tags: ["noticed"],
    notify: [{ webhook: `${receiver.url}/told` }],
    reminders: [{ after: "1s" }],
  });
  const [created, reminder] = await receiver.received("/told", 2);
  const said = [created, reminder].map(({ body, headers }) =>
    new Webhook(SECRET).verify(body, headers),
  );
  assert.deepEqual(
    said.map(({ type }) => type),
    ["waitpoint.created", "waitpoint.reminder"],
  );
  const { shortUrl } = said[0].data;
  assert.equal(new URL(shortUrl).origin, edge.url);
  const page = await fetch(shortUrl, { headers: { accept: "text/html" } });
  assert.match(await page.text(), /<form/);
  assert.equal((await fetch(shortUrl, { method: "POST", body: '"by the link"' })).status, 200);
  await delivered(token);
  const there = await upstream.retrieve(token.id);
  assert.deepEqual([there.output, there.tags], ['"by the link"', ["noticed"]]);
  assert.equal(receiver.got.length, 2, "upstream tells nobody");
  const { history } = await edge.retrieve(token.id);
  assert.deepEqual(
    history.map(({ type }) => type),
    ["created", "notified", "reminded", "completed"],
  );
});

test("nobody is reminded of what was decided upstream", async () => {
  const token = await edge.create({
    notify: [{ webhook: `${receiver.url}/decided` }],
    reminders: [{ after: "2s" }],
  });
  await receiver.received("/decided");
  await upstream.complete(token.id, 1);
  const { history } = await until(
    () => edge.retrieve(token.id),
    ({ status, history }) => status === "COMPLETED" && history.length === 3,
  );
  assert.deepEqual(
    history.map(({ type }) => type),
    ["created", "notified", "completed"],
  );
  // Another token's reminder of a later moment has come by then.
  await edge.create({
    notify: [{ webhook: `${receiver.url}/later` }],
    reminders: [{ after: "3s" }],
  });
  await receiver.received("/later", 2);
  assert.equal((await receiver.received("/decided")).length, 1);
});

test("what only upstream could do, or knows, is refused", async () => {
  const form = { type: "object", properties: { a: { type: "string" } } };
  const notify = [{ webhook: receiver.url }];
  for (const [fields, said] of [
    [{ timeout: "1h", notify, reminders: [{ before: "1m" }] }, /before is not known of a token/],
    [{ timeout: "1h", onTimeout: { data: 1 } }, /times out there, without a default decision/],
    [{ approval: { approvers: [{ id: "a", name: "A" }] } }, /votes are not counted/],
    [{ approval: { validate: "all", form } }, /without a check of the form/],
    [{ reminders: [{ after: "1m" }] }, /Add notify/],
    [{ notify: [{ slack: "nowhere" }] }, /"nowhere" is not a name in CHANNELS/],
  ]) {
    const answer = await edge.api(TOKENS, { body: fields });
    assert.equal(answer.status, 400);
    assert.match((await answer.json()).error, said);
  }
});
