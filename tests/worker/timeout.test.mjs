import assert from "node:assert/strict";
import { test } from "node:test";
import { until, useWorker } from "../support/harness.mjs";

const worker = useWorker();
const shortRetention = useWorker({ vars: { RETENTION: "1s" } });
const finished = ({ status }) => status !== "WAITING";

test("a token times out at its moment, and its output says so", async () => {
  const { id } = await worker.create({ timeout: "1s" });
  const token = await until(() => worker.retrieve(id), finished);
  assert.equal(token.status, "TIMED_OUT");
  assert.equal(token.outputIsError, true);
  assert.equal(token.completedAt, token.timeoutAt);
  const message = `Waitpoint timed out at ${token.timeoutAt}`;
  assert.equal(token.output, JSON.stringify({ code: "TRIGGER_WAITPOINT_TIMEOUT", message }));
  const late = await worker.complete(id, 1);
  assert.equal(late.status, 200);
  assert.equal(late.headers.get("waitpoint-outcome"), "timed-out");
  assert.deepEqual(await worker.retrieve(id), token);
});

test("completions around the timeout: each token ends once, and all responses agree", async () => {
  const tokens = await Promise.all(
    Array.from({ length: 60 }, () => worker.create({ timeout: "1s" })),
  );
  await Promise.all(
    tokens.map(async ({ id }, n) => {
      const { timeoutAt } = await worker.retrieve(id);
      // From 30 ms before the moment to 30 ms after it.
      await new Promise((resolve) =>
        setTimeout(resolve, Date.parse(timeoutAt) - Date.now() - 30 + n),
      );
      const answers = await Promise.all([worker.complete(id, "a"), worker.complete(id, "b")]);
      const outcomes = answers.map(({ headers }) => headers.get("waitpoint-outcome")).sort();
      const token = await worker.retrieve(id);
      if (token.status === "COMPLETED") {
        assert.deepEqual(outcomes, ["already-completed", "completed"]);
        assert.ok(token.completedAt < token.timeoutAt);
      } else {
        assert.deepEqual(outcomes, ["timed-out", "timed-out"]);
        assert.equal(token.completedAt, token.timeoutAt);
      }
    }),
  );
});

test("a timeout may lie as far away as the year 9999", async () => {
  const { id } = await worker.create({ timeout: "9999-12-31T23:59:59.999Z" });
  assert.equal((await worker.complete(id, 1)).headers.get("waitpoint-outcome"), "completed");
  assert.equal((await worker.retrieve(id)).timeoutAt, "9999-12-31T23:59:59.999Z");
});

test("an object that is evicted loses nothing", async () => {
  const waiting = await worker.create({ timeout: "1h", tags: ["kept"] });
  const completed = await worker.create();
  await worker.complete(completed.id, "kept");
  // An eviction waits for ten seconds without a request, and the alarm is to come after it.
  const timed = await worker.create({ timeout: "15s" });
  await Promise.all([waiting, completed, timed].map(({ id }) => worker.evict(id)));
  assert.deepEqual((await worker.retrieve(waiting.id)).tags, ["kept"]);
  assert.equal((await worker.retrieve(completed.id)).output, '"kept"');
  const outcome = (await worker.complete(waiting.id, 1)).headers.get("waitpoint-outcome");
  assert.equal(outcome, "completed");
  assert.equal((await until(() => worker.retrieve(timed.id), finished)).status, "TIMED_OUT");
});

test("a finished token is forgotten when its retention ends", async () => {
  const { id } = await shortRetention.create();
  await shortRetention.complete(id, 1);
  assert.equal(
    (
      await until(
        () => shortRetention.retrieve(id),
        ({ error }) => error,
      )
    ).error,
    "Waitpoint not found",
  );
  assert.equal((await shortRetention.complete(id, 1)).status, 404);
});
