// What happened to a token, in order: for its owner as `history`, for others as webhooks.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Webhook } from "standardwebhooks";
import { SECRET_KEYS, sign, TOKENS, until, useWorker } from "../support/harness.mjs";
import { useReceiver, webhookSecret } from "../support/receiver.mjs";

const SECRET = webhookSecret();
const receiver = await useReceiver();
const secrets = {
  SECRET_KEYS,
  WEBHOOK_URL: `${receiver.url}/environment`,
  WEBHOOK_SECRET: SECRET,
};
const worker = useWorker({ secrets });
const subscribed = useWorker({
  secrets,
  vars: { WEBHOOK_EVENTS: " waitpoint.created,waitpoint.extended , waitpoint.cancelled," },
});
const misspelt = useWorker({
  secrets,
  vars: { WEBHOOK_EVENTS: "waitpoint.created,waitpoint.canceled" },
});
const finished = ({ status }) => status !== "WAITING";
const cancel = (worker, id, reason) => worker.api(`${TOKENS}/${id}/cancel`, { body: { reason } });
const extend = async (worker, id, timeout) =>
  (await worker.api(`${TOKENS}/${id}/extend`, { body: { timeout } })).json();

test("the history is what happened, in order, and its owner's alone", async () => {
  const callback = { accept: { pointer: "/status", in: ["succeeded"] } };
  const { id, url, publicAccessToken } = await worker.create({ timeout: "1h", callback });
  const extended = await extend(worker, id, "2h");
  const post = (status) => fetch(url, { method: "POST", body: JSON.stringify({ status }) });
  for (const status of ["starting", "processing"]) {
    assert.equal((await post(status)).headers.get("waitpoint-outcome"), "ignored");
  }
  const again = await extend(worker, id, "3h");
  assert.equal((await post("succeeded")).headers.get("waitpoint-outcome"), "completed");
  const token = await worker.retrieve(id);
  assert.deepEqual(
    token.history.map(({ at, ...entry }) => entry),
    [
      { type: "created" },
      { type: "extended", timeoutAt: extended.timeoutAt },
      { type: "callback_ignored" },
      { type: "callback_ignored" },
      { type: "extended", timeoutAt: again.timeoutAt },
      { type: "completed", by: "callback" },
    ],
  );
  const times = token.history.map(({ at }) => at);
  assert.deepEqual(times, times.toSorted());
  assert.deepEqual([times[0], times.at(-1)], [token.createdAt, token.completedAt]);
  const key = sign(["admin"]);
  for (const credential of [publicAccessToken, key]) {
    assert.equal("history" in (await worker.retrieve(id, { key: credential })), false);
  }
  const { data } = await (await worker.api(TOKENS)).json();
  assert.ok(data.every((row) => !("history" in row)));
});

test("each end is an entry: by whom, or why", async () => {
  const tokens = await Promise.all(
    [{}, {}, { timeout: "1s" }, { timeout: "1s", onTimeout: { data: 1 } }].map((fields) =>
      worker.create(fields),
    ),
  );
  const [completed, cancelled] = tokens;
  const claims = { act: { sub: "ann" } };
  const key = sign([`write:waitpoints:${completed.id}`], { claims });
  await worker.complete(completed.id, 1, { key });
  await cancel(worker, cancelled.id, "The report was replaced.");
  const ends = await Promise.all(
    tokens.map(async ({ id }) => {
      const { history, completedAt } = await until(() => worker.retrieve(id), finished);
      const [created, { at, ...end }, ...more] = history;
      assert.deepEqual([created.type, at, more], ["created", completedAt, []]);
      return end;
    }),
  );
  assert.deepEqual(ends, [
    { type: "completed", by: "api", subject: "ann" },
    { type: "cancelled", reason: "The report was replaced." },
    { type: "timed_out" },
    { type: "completed", by: "timeout" },
  ]);
});

test("it has 100 entries at most: the first, and the last ones", async () => {
  const { id } = await worker.create({ timeout: "1h" });
  const moved = [];
  for (let n = 1; n <= 101; n++) moved.push((await extend(worker, id, `${n}h`)).timeoutAt);
  const waiting = (await worker.retrieve(id)).history;
  assert.equal(waiting.length, 100);
  assert.equal(waiting[0].type, "created");
  assert.deepEqual(
    waiting.slice(1).map(({ timeoutAt }) => timeoutAt),
    moved.slice(-99),
  );
  await cancel(worker, id);
  const { history } = await worker.retrieve(id);
  assert.deepEqual(
    [history.length, history[0].type, history.at(-1).type],
    [100, "created", "cancelled"],
  );
  assert.deepEqual(
    history.slice(1, -1).map(({ timeoutAt }) => timeoutAt),
    moved.slice(-98),
  );
});

test("an entry is a new version for the owner, and none for others", async () => {
  const callback = { accept: { pointer: "/status", in: ["succeeded"] } };
  const { id, url, publicAccessToken } = await worker.create({ callback });
  const tag = async (key) => (await worker.api(`${TOKENS}/${id}`, { key })).headers.get("etag");
  const before = [await tag(), await tag(publicAccessToken)];
  await fetch(url, { method: "POST", body: '{"status":"starting"}' });
  assert.notEqual(await tag(), before[0]);
  assert.equal(await tag(publicAccessToken), before[1]);
});

/** The messages about a token at a path, verified: as soon as there are so many. */
async function messages(path, id, count) {
  const got = await receiver.received(path, count, id);
  return got.map(({ headers, body }) => ({
    id: headers["webhook-id"],
    ...new Webhook(SECRET).verify(body, headers),
  }));
}
const webhook = { url: `${receiver.url}/own` };

test("a cancel is told as one, and nothing else is by default", async () => {
  const { id } = await worker.create({ timeout: "1h", webhook });
  await extend(worker, id, "2h");
  await cancel(worker, id, "withdrawn");
  for (const path of ["/environment", "/own"]) {
    const [message, ...more] = await messages(path, id, 1);
    assert.deepEqual(more, []);
    const token = await worker.retrieve(id);
    assert.deepEqual(
      [message.type, message.timestamp, message.id],
      ["waitpoint.cancelled", token.cancelledAt, `msg_${id.replace("waitpoint_", "")}`],
    );
    const { deliveries, history, shortUrl, url, ...shown } = token;
    assert.deepEqual(message.data, { ...shown, url: `${worker.url}${TOKENS}/${id}` });
    assert.deepEqual([shown.status, shown.cancelReason], ["TIMED_OUT", "withdrawn"]);
  }
});

test("a default decision is told as a completion", async () => {
  const fields = { timeout: "1s", onTimeout: { data: { go: false } }, webhook };
  const { id } = await worker.create(fields);
  const [{ type, data }] = await messages("/own", id, 1);
  assert.deepEqual(
    [type, data.status, data.output, data.completedBy],
    ["waitpoint.completed", "COMPLETED", '{"go":false}', "timeout"],
  );
});

test("WEBHOOK_EVENTS says which events both webhooks get, each with an id of its own", async () => {
  const { id } = await subscribed.create({ timeout: "1h", webhook });
  // Whoever has not received an extension when the next one comes gets only that.
  const delivered = () =>
    until(
      () => subscribed.retrieve(id),
      ({ deliveries }) => deliveries.every(({ status }) => status === "delivered"),
    );
  await delivered();
  const first = await extend(subscribed, id, "2h");
  await delivered();
  const second = await extend(subscribed, id, "3h");
  await delivered();
  await cancel(subscribed, id);
  const token = await subscribed.retrieve(id);
  const extensions = token.history.filter(({ type }) => type === "extended");
  const internal = id.replace("waitpoint_", "");
  for (const path of ["/environment", "/own"]) {
    const told = await messages(path, id, 4);
    assert.deepEqual(
      told.map(({ type, timestamp, id }) => [type, timestamp, id]),
      [
        ["waitpoint.created", token.createdAt, `msg_${internal}_created`],
        ...extensions.map(({ at }) => [
          "waitpoint.extended",
          at,
          `msg_${internal}_extended_${Date.parse(at)}`,
        ]),
        ["waitpoint.cancelled", token.cancelledAt, `msg_${internal}`],
      ],
    );
    // Only the end tells of an end, and none holds a credential.
    assert.deepEqual(
      told.map(({ data }) => [data.status, "cancelledAt" in data, data.url, data.shortUrl]),
      told.map(({ type }) => [
        type === "waitpoint.cancelled" ? "TIMED_OUT" : "WAITING",
        type === "waitpoint.cancelled",
        `${subscribed.url}${TOKENS}/${id}`,
        undefined,
      ]),
    );
    assert.deepEqual(
      told.slice(1, 3).map(({ data }) => data.timeoutAt),
      [first.timeoutAt, second.timeoutAt],
    );
  }
  assert.deepEqual(
    (await delivered()).deliveries.map(({ event, target, url }) => [event, target, url]),
    ["created", "extended", "extended", "cancelled"].flatMap((event) => [
      [`waitpoint.${event}`, "environment", undefined],
      [`waitpoint.${event}`, "token", webhook.url],
    ]),
  );
});

test("an end that WEBHOOK_EVENTS leaves out is told nobody", async () => {
  const [completed, cancelled] = [await subscribed.create(), await subscribed.create()];
  await subscribed.complete(completed.id, 1);
  await cancel(subscribed, cancelled.id);
  await messages("/environment", cancelled.id, 2);
  const { deliveries } = await subscribed.retrieve(completed.id);
  assert.deepEqual(
    deliveries.map(({ event }) => event),
    ["waitpoint.created"],
  );
});

test("a name that no event has is told the operator, and ends wait for a valid one", async () => {
  const health = await misspelt.api("/healthz");
  const error =
    'The server is misconfigured: "waitpoint.canceled" in WEBHOOK_EVENTS is not an event. Use ' +
    "waitpoint.created, waitpoint.reminder, waitpoint.extended, waitpoint.completed, " +
    "waitpoint.timed_out, waitpoint.cancelled, with commas between.";
  assert.deepEqual([health.status, await health.json()], [500, { error, code: "misconfigured" }]);
  assert.equal((await misspelt.api(TOKENS, { body: { webhook } })).status, 500);
  const { id } = await misspelt.create();
  await cancel(misspelt, id);
  const { deliveries } = await until(
    () => misspelt.retrieve(id),
    ({ deliveries }) => deliveries[0].attempts > 0,
  );
  assert.deepEqual(
    deliveries.map(({ event, status }) => [event, status]),
    [["waitpoint.cancelled", "pending"]],
  );
});
