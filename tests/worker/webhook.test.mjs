// Webhooks: signed by the Standard Webhooks scheme, repeated until they are received, and visible.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Webhook } from "standardwebhooks";
import { SECRET_KEYS, TOKENS, until, useWorker } from "../support/harness.mjs";
import { useReceiver, webhookSecret } from "../support/receiver.mjs";

const [NEW, OLD] = [webhookSecret(), webhookSecret()];
const receiver = await useReceiver();
const { received } = receiver;

const settings = {
  SECRET_KEYS,
  WEBHOOK_URL: `${receiver.url}/all`,
  WEBHOOK_SECRET: `${NEW}\n${OLD}`,
};
const worker = useWorker({ secrets: settings });
const withoutSecret = useWorker();
const misconfigured = useWorker({ secrets: { ...settings, WEBHOOK_SECRET: "whsec_short" } });

let paths = 0;
/** A token with its own webhook, which answers like this. */
async function createWithWebhook(answers, fields = {}) {
  const path = `/own/${paths++}`;
  receiver.answers.set(path, answers);
  const token = await worker.create({ webhook: { url: receiver.url + path }, ...fields });
  return { ...token, path };
}
const own = async (id) =>
  (await worker.retrieve(id)).deliveries.find(({ target }) => target === "token");

test("the end goes to the environment's and the token's webhook, fully signed", async () => {
  const token = await createWithWebhook([[200]], { tags: ["a"], approval: { title: "?" } });
  await worker.complete(token.id, { ok: "é" });
  for (const path of ["/all", token.path]) {
    const [{ headers, body }] = await received(path, 1, token.id);
    for (const secret of [NEW, OLD]) {
      const { type, timestamp, data } = new Webhook(secret).verify(body, headers);
      const { deliveries, history, url, shortUrl, ...retrieved } = await worker.retrieve(token.id);
      assert.deepEqual([type, timestamp], ["waitpoint.completed", retrieved.completedAt]);
      // The receiver gets no credential.
      assert.deepEqual(data, { ...retrieved, url: `${worker.url}${TOKENS}/${token.id}` });
    }
    assert.throws(() => new Webhook(webhookSecret()).verify(body, headers));
    assert.throws(() => new Webhook(NEW).verify(body.replace("é", "e"), headers));
    assert.equal(headers["webhook-id"], `msg_${token.id.replace("waitpoint_", "")}`);
    assert.equal(headers["content-type"], "application/json");
  }
  const { deliveries } = await until(
    () => worker.retrieve(token.id),
    ({ deliveries }) => deliveries.every(({ status }) => status === "delivered"),
  );
  assert.deepEqual(
    deliveries.map(({ target, url, attempts, lastStatus }) => [target, url, attempts, lastStatus]),
    [
      ["environment", undefined, 1, 200],
      ["token", receiver.url + token.path, 1, 200],
    ],
  );
  // Only the owner may see where webhooks go.
  assert.equal(
    (await worker.retrieve(token.id, { key: token.publicAccessToken })).deliveries,
    undefined,
  );
});

test("a timeout is told as one", async () => {
  const token = await createWithWebhook([[204]], { timeout: "1s" });
  const [{ headers, body }] = await received(token.path);
  const { type, data } = new Webhook(NEW).verify(body, headers);
  assert.deepEqual(
    [type, data.status, data.outputIsError],
    ["waitpoint.timed_out", "TIMED_OUT", true],
  );
  await until(
    () => own(token.id),
    ({ status }) => status === "delivered",
  );
});

test("a failed delivery is repeated as it was, by schedule or as Retry-After asks", async () => {
  const failures = [
    [500, {}],
    [503, { "retry-after": "1" }],
    [404, {}],
    [429, { "retry-after": "7" }],
    [0, {}],
  ];
  await Promise.all(
    failures.map(async ([status, headers]) => {
      const token = await createWithWebhook([[status, headers], [200]]);
      await worker.complete(token.id, "x".repeat(200_000));
      const pending = await until(
        () => own(token.id),
        ({ attempts }) => attempts === 1,
      );
      // The local harness between workerd and the network turns a broken connection into a 500.
      assert.deepEqual([pending.status, pending.lastStatus], ["pending", status || 500]);
      const pause = Date.parse(pending.nextAttemptAt) - Date.parse(pending.lastAttemptAt);
      const least = status === 429 ? 7000 : 5000;
      assert.ok(pause >= least && pause <= least * 1.1, `${status}: ${pause}`);
      const got = await received(token.path, 2);
      assert.equal(new Set(got.map(({ headers }) => headers["webhook-id"])).size, 1);
      assert.equal(new Set(got.map(({ body }) => body)).size, 1);
      for (const { headers, body } of got) new Webhook(NEW).verify(body, headers);
      const delivery = await until(
        () => own(token.id),
        ({ status }) => status === "delivered",
      );
      assert.deepEqual(
        [delivery.attempts, delivery.lastStatus, delivery.nextAttemptAt],
        [2, 200, undefined],
      );
    }),
  );
  const logs = JSON.stringify(worker.server.getLogs());
  assert.match(logs, /not delivered/);
  assert.doesNotMatch(logs, /\/own\//, "the URL of a webhook may be a credential");
});

test("a receiver that hangs is left after ten seconds, and nobody waits for it", async () => {
  const token = await createWithWebhook([[undefined], [200, {}]]);
  await worker.complete(token.id, 1);
  await received(token.path);
  const began = Date.now();
  assert.equal((await worker.retrieve(token.id)).status, "COMPLETED");
  assert.equal(
    (await worker.complete(token.id, 2)).headers.get("waitpoint-outcome"),
    "already-completed",
  );
  assert.ok(Date.now() - began < 5000);
  const delivery = await until(
    () => own(token.id),
    ({ attempts }) => attempts === 1,
  );
  assert.equal(delivery.lastError, "not reached, or no answer within 10 seconds");
});

test("410 is the end of it", async () => {
  const token = await createWithWebhook([[410]]);
  await worker.complete(token.id, 1);
  const delivery = await until(
    () => own(token.id),
    ({ status }) => status !== "pending",
  );
  assert.deepEqual([delivery.status, delivery.attempts, delivery.lastStatus], ["failed", 1, 410]);
});

test("retrieve has a new version with each attempt", async () => {
  const token = await createWithWebhook([[500], [200]]);
  const tag = async (key) =>
    (await worker.api(`${TOKENS}/${token.id}`, { key })).headers.get("etag");
  assert.deepEqual([await tag(), await tag(token.publicAccessToken)], ['"v1"', '"v1"']);
  await worker.complete(token.id, 1);
  await until(
    () => own(token.id),
    ({ status }) => status === "delivered",
  );
  assert.deepEqual([await tag(), await tag(token.publicAccessToken)], ['"v2.3"', '"v2"']);
});

test("where a webhook may not go, or nothing could be signed, create says so", async () => {
  for (const [url, said] of [
    ["ftp://example.com/x", /does not begin with https/],
    ["http://example.com/x", /does not begin with https/],
    ["https://169.254.169.254/latest", /IP address/],
    ["https://[::ffff:127.0.0.1]/", /webhook/],
    ["https://metadata.google.internal/", /not public/],
    ["https://user:secret@example.com/", /user name or a password/],
    ["", /webhook/],
  ]) {
    const answer = await worker.api(TOKENS, { body: { webhook: { url } } });
    const { error } = await answer.json();
    assert.equal(answer.status, 400, url);
    assert.match(error, said);
    assert.doesNotMatch(error, /secret/);
  }
  for (const webhook of ["https://example.com", 5, [], {}, { url: 5 }]) {
    assert.equal(
      (await worker.api(TOKENS, { body: { webhook } })).status,
      400,
      JSON.stringify(webhook),
    );
  }
  const unsigned = await withoutSecret.api(TOKENS, {
    body: { webhook: { url: "https://example.com/" } },
  });
  assert.deepEqual(
    [unsigned.status, /WEBHOOK_SECRET is not set/.test((await unsigned.json()).error)],
    [400, true],
  );
});

test("unreadable settings are logged for the operator, and deliveries wait for them", async () => {
  const health = await misconfigured.api("/healthz");
  const { error, code } = await health.json();
  assert.deepEqual([health.status, code], [500, "misconfigured"]);
  assert.match(error, /line 1 of WEBHOOK_SECRET/);
  assert.doesNotMatch(error, /short/);
  assert.equal(
    (await misconfigured.api(TOKENS, { body: { webhook: { url: "https://example.com" } } })).status,
    500,
  );
  const { id } = await misconfigured.create();
  await misconfigured.complete(id, 1);
  const { deliveries } = await until(
    () => misconfigured.retrieve(id),
    ({ deliveries }) => deliveries[0].attempts > 0,
  );
  assert.deepEqual(
    [deliveries[0].status, deliveries[0].lastError],
    ["pending", "its URL, its secret, its channel or the mail binding cannot be used"],
  );
});
