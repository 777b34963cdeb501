// Notices: whoever is named in `notify` hears of a token by mail, Slack, Teams or webhook, and is
// reminded. The mail goes to wrangler's simulation of the mail service.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Webhook } from "standardwebhooks";
import { SECRET_KEYS, TOKENS, temporaryFolder, until, useWorker } from "../support/harness.mjs";
import { configWithMail, writtenMail } from "../support/mail.mjs";
import { useReceiver, webhookSecret } from "../support/receiver.mjs";

const SECRET = webhookSecret();
const receiver = await useReceiver();
const { received } = receiver;
const channels = ["deploys", "ops", "gone", "slow"]
  .map((name) => `${name}=${receiver.url}/channel/${name}`)
  .join("\n");
const settings = { SECRET_KEYS, WEBHOOK_SECRET: SECRET, CHANNELS: channels };
const vars = { EMAIL_FROM: "Approvals <approvals@example.com>", NOTIFY_DOMAINS: "example.com" };
const configPath = configWithMail(temporaryFolder());
const worker = useWorker({ secrets: settings, vars, configPath, hasMail: true });
const withoutMail = useWorker({ secrets: settings, vars });
const withoutSender = useWorker({ configPath });
const misconfigured = useWorker({ secrets: { SECRET_KEYS, CHANNELS: "deploys" } });

/** Titles tell the notices of this file's tests apart. */
let titles = 0;
const approval = (fields = {}) => ({ title: `Release ${titles++}?`, ...fields });
const mailOf = (title) =>
  until(
    () => writtenMail().find(({ text }) => text.includes(title)),
    (mail) => mail !== undefined,
  );
const delivered = (id) =>
  until(
    () => worker.retrieve(id),
    ({ deliveries }) => deliveries.every(({ status }) => status === "delivered"),
  );

test("each recipient is told, with one link that decides", async () => {
  const question = approval({ description: "Version 2 <b>with</b> & all", requestedBy: "CI" });
  const { title } = question;
  const own = "/own/created";
  const token = await worker.create({
    timeout: "2h",
    approval: question,
    notify: [
      { email: "ann@example.com", locale: "de" },
      { slack: "deploys" },
      { teams: "ops" },
      { webhook: receiver.url + own },
    ],
  });
  const mail = await mailOf(title);
  const [slack] = await received("/channel/deploys", 1, title);
  const [teams] = await received("/channel/ops", 1, title);
  const [webhook] = await received(own);

  const { type, timestamp, data } = new Webhook(SECRET).verify(webhook.body, webhook.headers);
  const created = await worker.retrieve(token.id);
  assert.deepEqual([type, timestamp], ["waitpoint.created", created.createdAt]);
  assert.equal(webhook.headers["webhook-id"], `msg_${token.id.slice(10)}_created`);
  assert.equal(data.status, "WAITING");
  assert.equal(data.url, `${worker.url}${TOKENS}/${token.id}`, "no credential there");
  const link = data.shortUrl;
  assert.equal(new URL(link).origin, worker.url);

  assert.ok(mail.html.includes('lang="de"'));
  assert.match(
    mail.html,
    /Version 2 &(lt|#60);b&(gt|#62);with&(lt|#60);\/b&(gt|#62); &(amp|#38); all/,
  );
  assert.ok(mail.text.includes("Version 2 <b>with</b> & all"));
  for (const text of [mail.html, mail.text, slack.body, teams.body]) {
    assert.ok(text.includes(link), "the same link");
    assert.deepEqual([...new Set(text.match(/https?:\/\/127[^\s"'<>|\\]*/g))], [link]);
  }
  assert.equal(mail.html.match(/<a\b/g).length, 1);
  assert.equal(slack.headers["content-type"], "application/json");
  assert.ok(JSON.parse(slack.body).blocks.length > 1);
  assert.equal(JSON.parse(teams.body).attachments[0].content.type, "AdaptiveCard");

  // It decides, and the deliveries and the history tell whom was told.
  const page = await fetch(link, { headers: { accept: "text/html" } });
  assert.match(await page.text(), /<form/);
  assert.equal((await fetch(link, { method: "POST", body: '{"by":"link"}' })).status, 200);
  const { deliveries, history, output } = await delivered(token.id);
  assert.equal(output, '{"by":"link"}');
  assert.deepEqual(
    deliveries.map(({ event, target, to, url }) => [event, target, to ?? url]),
    [
      ["waitpoint.created", "email", "ann@example.com"],
      ["waitpoint.created", "slack", "deploys"],
      ["waitpoint.created", "teams", "ops"],
      ["waitpoint.created", "webhook", receiver.url + own],
    ],
  );
  const told = history.filter(({ type }) => type === "notified").map(({ to }) => to);
  assert.deepEqual(told, [
    { email: "ann@example.com" },
    { slack: "deploys" },
    { teams: "ops" },
    { webhook: receiver.url + own },
  ]);
  assert.deepEqual([history[0].type, history.at(-1).type], ["created", "completed"]);
  const seen = await worker.retrieve(token.id, { key: token.publicAccessToken });
  assert.deepEqual(
    [seen.deliveries, seen.history, seen.shortUrl],
    [undefined, undefined, undefined],
  );
});

test("a repeated create tells nobody a second time", async () => {
  const path = "/own/once";
  const fields = { idempotencyKey: "once", notify: [{ webhook: receiver.url + path }] };
  const first = await worker.create(fields);
  await received(path);
  const again = await worker.create(fields);
  assert.deepEqual([again.id, again.isCached], [first.id, true]);
  const { deliveries } = await delivered(first.id);
  assert.deepEqual(
    deliveries.map(({ attempts }) => attempts),
    [1],
  );
  assert.equal((await received(path)).length, 1);
});

test("reminders come after and before, and not once it is decided", async () => {
  const path = "/own/reminded";
  const { id } = await worker.create({
    timeout: "3s",
    notify: [{ webhook: receiver.url + path }],
    reminders: [{ after: "1s" }],
  });
  const [, reminder] = await received(path, 2);
  const { type, timestamp, data } = new Webhook(SECRET).verify(reminder.body, reminder.headers);
  const { createdAt } = await worker.retrieve(id);
  assert.equal(type, "waitpoint.reminder");
  assert.equal(Date.parse(timestamp), Date.parse(createdAt) + 1_000);
  assert.equal(
    reminder.headers["webhook-id"],
    `msg_${id.slice(10)}_reminder_${Date.parse(timestamp)}`,
  );
  assert.equal(data.status, "WAITING");
  assert.ok(data.shortUrl);
  const { history } = await until(
    () => worker.retrieve(id),
    ({ status }) => status === "TIMED_OUT",
  );
  assert.deepEqual(
    history.map(({ type }) => type),
    ["created", "notified", "reminded", "timed_out"],
  );

  const decided = "/own/decided";
  const early = await worker.create({
    timeout: "2s",
    notify: [{ webhook: receiver.url + decided }],
    reminders: [{ before: "1s" }],
  });
  await received(decided);
  await worker.complete(early.id, 1);
  // Another token's reminder of the same moment has come by then.
  const later = "/own/later";
  await worker.create({
    timeout: "1h",
    notify: [{ webhook: receiver.url + later }],
    reminders: [{ after: "2s" }],
  });
  await received(later, 2);
  assert.equal((await received(decided)).length, 1);
});

test("an extended timeout moves the reminders before it", async () => {
  const path = "/own/moved";
  const { id } = await worker.create({
    timeout: "1h",
    notify: [{ webhook: receiver.url + path }],
    reminders: [{ before: "10m" }],
  });
  await received(path);
  await worker.api(`${TOKENS}/${id}/extend`, { body: { timeout: "601s" } });
  const [, reminder] = await received(path, 2);
  const { type, data } = new Webhook(SECRET).verify(reminder.body, reminder.headers);
  const { timeoutAt } = await worker.retrieve(id);
  assert.deepEqual([type, data.timeoutAt], ["waitpoint.reminder", timeoutAt]);

  // Past the reminder's time, and to before the token was created: at once.
  const near = await worker.create({
    timeout: "1h",
    notify: [{ webhook: `${receiver.url}/own/near` }],
    reminders: [{ before: "30m" }],
  });
  await received("/own/near");
  await worker.api(`${TOKENS}/${near.id}/extend`, { body: { timeout: "10m" } });
  await received("/own/near", 2);
});

test("a mail in each language and for a token without a question", async () => {
  const locales = ["en", "de", "fr", "es", "pt", "ja", "zh", "ar"];
  for (const locale of locales) {
    const { title, ...rest } = approval();
    await worker.create({
      approval: { title, ...rest },
      notify: [{ email: `${locale}@example.com`, locale }],
    });
    const { html } = await mailOf(title);
    assert.ok(html.includes(`lang="${locale}"`), locale);
    assert.equal(html.includes('dir="rtl"'), locale === "ar", locale);
  }
  await worker.create({ notify: [{ email: "bob@example.com", locale: "tlh" }] });
  const { html } = await mailOf("Your decision is needed");
  assert.ok(html.includes('lang="en"'));
});

test("a notice that fails is repeated, and fails for good where its channel is gone", async () => {
  receiver.answers.set("/channel/gone", [[410]]);
  receiver.answers.set("/channel/slow", [[429, { "retry-after": "1" }], [200]]);
  const gone = await worker.create({ notify: [{ slack: "gone" }] });
  const slow = await worker.create({ notify: [{ slack: "slow" }] });
  const one = async (id) => (await worker.retrieve(id)).deliveries[0];
  const failed = await until(
    () => one(gone.id),
    ({ status }) => status !== "pending",
  );
  assert.deepEqual([failed.status, failed.lastStatus, failed.to], ["failed", 410, "gone"]);
  const received = await until(
    () => one(slow.id),
    ({ status }) => status !== "pending",
  );
  assert.deepEqual([received.status, received.attempts], ["delivered", 2]);
});

test("what cannot be told is refused at create, with what to set", async () => {
  const refused = async (notify, of = worker, fields = {}) => {
    const answer = await of.api(TOKENS, { body: { notify, ...fields } });
    const { code, error } = await answer.json();
    assert.deepEqual([answer.status, code], [400, "validation_error"], error);
    return error;
  };
  const mail = [{ email: "ann@example.com" }];
  assert.match(
    await refused(mail, withoutMail),
    /entry 0: .*\[\[send_email\]\] with name = "EMAIL"/,
  );
  assert.match(await refused(mail, withoutSender), /entry 0: mail needs a sender. Set EMAIL_FROM/);
  assert.match(
    await refused([{ slack: "deploys" }, { email: "eve@evil.example" }]),
    /entry 1: the domain of "eve@evil.example" is not in NOTIFY_DOMAINS/,
  );
  assert.match(
    await refused([{ teams: "nowhere" }]),
    /"nowhere" is not a name in CHANNELS. Add it/,
  );
  assert.match(
    await refused([{ webhook: "https://10.0.0.1/" }]),
    /names its host by an IP address/,
  );
  assert.match(
    await refused([{ webhook: receiver.url }], withoutSender),
    /WEBHOOK_SECRET is not set/,
  );
  assert.match(await refused([{ sms: "1" }]), /"sms" is not a channel/);
  assert.match(await refused(Array(11).fill({ slack: "ops" })), /notify has 11 entries/);
  for (const [fields, said] of [
    [{ reminders: [{ after: "1h" }] }, /"reminders": reminders need somebody to remind/],
    [
      { reminders: [{ after: "1h" }], notify: [] },
      /"reminders": reminders need somebody to remind/,
    ],
    [{ reminders: [{ before: "1h" }], notify: [{ slack: "ops" }] }, /before needs a timeout/],
    [
      { reminders: [{ after: "2h" }], notify: [{ slack: "ops" }], timeout: "1h" },
      /it is not before the timeout/,
    ],
    [{ onTimeout: { data: 1 } }, /onTimeout needs a timeout/],
  ]) {
    assert.match(await refused(fields.notify, worker, fields), said);
  }
  const health = await misconfigured.api("/healthz");
  assert.equal(health.status, 500);
  assert.match((await health.json()).error, /line 1 of CHANNELS is not a valid entry/);
});
