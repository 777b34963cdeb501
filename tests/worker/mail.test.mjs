// The mail service, and how it fails. wrangler's simulation takes every mail, so another one is in
// its place here, in the Worker's own isolate: there `send` can throw before there is a promise.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TOKENS, until } from "../support/harness.mjs";
import { withMailService } from "../support/mail.mjs";
import { useReceiver, webhookSecret } from "../support/receiver.mjs";
import { KEY, serve, waitpoint } from "../support/workerd.mjs";

const receiver = await useReceiver();
const SENDER = "Approvals <approvals@sender.example>";
/** What the service does with a mail to somebody of this name. */
const service = `{
  asked: new Set(),
  send(mail) {
    const [name] = mail.to.split("@");
    const isFirst = !this.asked.has(mail.to);
    this.asked.add(mail.to);
    const fails = (code) =>
      Object.assign(new Error(\`\${code}: cannot send to \${mail.to}\`), code && { code });
    if (name === "throws" && isFirst) throw fails("E_INTERNAL_SERVER_ERROR");
    if (name === "silent") return new Promise(() => {});
    if (name.startsWith("refused-")) return Promise.reject(fails(name.slice(8)));
    if (name === "limited" && isFirst) return Promise.reject(fails("E_RATE_LIMIT_EXCEEDED"));
    if (name === "broken") return Promise.reject(fails());
    if (name === "odd") return Promise.reject(\`no error, but \${mail.to}\`);
    if (name === "nothing") return undefined;
    const sent = { method: "POST", body: JSON.stringify(mail) };
    return fetch("${receiver.url}/mail", sent).then(() => ({ messageId: "1" }));
  },
}`;
let server;
before(async () => {
  const vars = { EMAIL_FROM: SENDER, WEBHOOK_SECRET: webhookSecret() };
  server = await serve(waitpoint(vars, withMailService(service)));
});
after(() => server.stop());

async function api(path, body) {
  const answer = await fetch(server.url + path, {
    method: body ? "POST" : "GET",
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text);
}
const deliveries = async ({ id }) => (await api(`${TOKENS}/${id}`)).deliveries;
/** The first delivery of a token for these, once it was attempted so often. */
async function attempted(notify, attempts = 1) {
  const token = await api(TOKENS, { notify });
  const first = async () => (await deliveries(token))[0];
  return until(first, (one) => one.attempts >= attempts);
}
const to = (name) => [{ email: `${name}@people.example` }];

test("the service gets the whole mail", async () => {
  const approval = { title: "Ship it?", description: "All of it" };
  const notify = [{ email: "ann@people.example", locale: "de" }];
  const { id, shortUrl } = await api(TOKENS, { approval, notify });
  const [{ body }] = await receiver.received("/mail", 1, "Ship it?");
  const { html, text, subject, ...mail } = JSON.parse(body);
  assert.deepEqual(mail, {
    from: { name: "Approvals", email: "approvals@sender.example" },
    to: "ann@people.example",
    headers: { "Auto-Submitted": "auto-generated" },
  });
  assert.match(subject, /Ship it\?/);
  for (const part of [html, text]) {
    assert.match(part, /All of it/);
    assert.ok(part.includes(shortUrl));
  }
  assert.match(html, /lang="de"/);
  const taken = await until(
    () => deliveries({ id }),
    ([{ status }]) => status !== "pending",
  );
  assert.deepEqual(
    taken.map(({ status, attempts, lastError, to }) => [status, attempts, lastError, to]),
    [["delivered", 1, undefined, "ann@people.example"]],
  );
});

test("what it refuses for good has failed at once", async () => {
  for (const code of [
    "E_RECIPIENT_SUPPRESSED",
    "E_VALIDATION_ERROR",
    "E_FIELD_MISSING",
    "E_CONTENT_TOO_LARGE",
  ]) {
    const one = await attempted(to(`refused-${code}`));
    assert.deepEqual(
      [one.status, one.attempts, one.nextAttemptAt, one.lastError],
      ["failed", 1, undefined, "the mail service refused the mail for good"],
      code,
    );
    assert.ok(server.log.includes(code), "an operator sees the code");
  }
});

test("what it may take later is tried again", async () => {
  const often = ["limited", "throws"].map(async (name) => {
    const first = await attempted(to(name));
    assert.deepEqual(
      [first.status, first.lastError],
      ["pending", "the mail service did not take the mail"],
      name,
    );
    assert.ok(Date.parse(first.nextAttemptAt) > Date.now(), name);
    await receiver.received("/mail", 1, `"${name}@people.example"`);
  });
  // An operator can mend the sender.
  const once = ["broken", "odd", "refused-E_SENDER_NOT_VERIFIED"].map(async (name) => {
    const one = await attempted(to(name));
    assert.deepEqual(
      [one.status, one.lastError],
      ["pending", "the mail service did not take the mail"],
      name,
    );
  });
  await Promise.all([...often, ...once]);
  assert.match(server.log, /an error without a code/);
  assert.match(server.log, /E_RATE_LIMIT_EXCEEDED/);
});

test("one that never answers holds the next delivery up for ten seconds", async () => {
  const began = Date.now();
  const notify = [...to("silent"), { webhook: `${receiver.url}/next` }];
  const token = await api(TOKENS, { notify });
  assert.deepEqual(
    (await deliveries(token)).map(({ attempts }) => attempts),
    [0, 0],
    "a read does not wait for it",
  );
  const [{ at }] = await receiver.received("/next");
  assert.ok(at - began > 9_900, `${at - began} ms`);
  const [silent, next] = await until(
    () => deliveries(token),
    (all) => all.every(({ attempts }) => attempts === 1),
  );
  assert.deepEqual(
    [silent.status, silent.lastError],
    ["pending", "not reached, or no answer within 10 seconds"],
  );
  assert.equal(next.status, "delivered");
});

test("a log has neither an address nor what an error says", async () => {
  assert.match(server.log, /"event":"not delivered"/);
  assert.doesNotMatch(server.log, /people\.example|cannot send|but /);
  assert.doesNotMatch(server.log, /a panic/);
});
