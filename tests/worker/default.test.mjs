// Default decisions: what completes a token at its timeout, instead of a timeout.
import assert from "node:assert/strict";
import { test } from "node:test";
import { TOKENS, until, useWorker } from "../support/harness.mjs";
import { events, waitPath } from "../support/waiters.mjs";

const worker = useWorker();
const finished = ({ status }) => status !== "WAITING";
const ended = (id) => until(() => worker.retrieve(id), finished);

test("at its timeout a token is completed by its default decision", async () => {
  const outputs = [
    ['{"data":{"status":"rejected"}}', '{"status":"rejected"}'],
    ['{"data":{ "a" : 1e400, "é": "\\ud800" }}', '{ "a" : 1e400, "é": "\\ud800" }'],
    ['{"data":null}', "null"],
    ["{}", undefined],
  ];
  await Promise.all(
    outputs.map(async ([onTimeout, output]) => {
      const created = await worker.api(TOKENS, {
        body: `{"timeout":"1s","onTimeout":${onTimeout}}`,
      });
      assert.equal(created.headers.get("waitpoint-hint"), null);
      const { id } = await created.json();
      const early = await worker.retrieve(id);
      assert.deepEqual([early.status, early.output], ["WAITING", undefined]);
      const token = await ended(id);
      assert.deepEqual(
        [token.status, token.output, token.outputType, token.outputIsError, token.completedBy],
        ["COMPLETED", output, "application/json", false, "timeout"],
      );
      assert.equal(token.completedAt, token.timeoutAt);
      assert.equal("output" in token, output !== undefined);
      // It was completed: whoever comes now is too late.
      const late = await worker.complete(id, 1);
      const said = [late.status, late.headers.get("waitpoint-outcome")];
      assert.deepEqual(said, [200, "already-completed"]);
      const cancel = await worker.api(`${TOKENS}/${id}/cancel`, { body: "" });
      assert.equal(cancel.headers.get("waitpoint-outcome"), "already-completed");
      assert.deepEqual(await worker.retrieve(id), token);
    }),
  );
});

test("whoever waits hears the default decision as any other", async () => {
  const token = await worker.create({ timeout: "1s", onTimeout: { data: "default" } });
  const headers = { accept: "text/event-stream" };
  const next = events(await worker.api(waitPath(token), { headers }));
  assert.equal((await next()).token.status, "WAITING");
  const last = (await next()).token;
  assert.deepEqual(
    [last.status, last.output, last.completedBy],
    ["COMPLETED", '"default"', "timeout"],
  );
});

test("a decision, a cancel or a new timeout comes before the default decision", async () => {
  const fields = { timeout: "1s", onTimeout: { data: "default" } };
  const [completed, cancelled, extended] = await Promise.all(
    Array.from({ length: 3 }, () => worker.create(fields)),
  );
  await worker.complete(completed.id, "decided");
  await worker.api(`${TOKENS}/${cancelled.id}/cancel`, { body: "" });
  // A token that is extended again keeps its default decision for the new timeout.
  for (const timeout of ["1h", "2s"]) {
    const answer = await worker.api(`${TOKENS}/${extended.id}/extend`, { body: { timeout } });
    assert.equal(answer.status, 200);
  }
  const late = await ended(extended.id);
  assert.deepEqual([late.output, late.completedBy], ['"default"', "timeout"]);
  assert.equal(late.completedAt, late.timeoutAt);
  const tokens = await Promise.all([completed, cancelled].map(({ id }) => worker.retrieve(id)));
  assert.deepEqual(
    tokens.map(({ status, completedBy }) => [status, completedBy]),
    [
      ["COMPLETED", "api"],
      ["TIMED_OUT", undefined],
    ],
  );
});

test("a default decision that would mean nothing is 400", async () => {
  const decision = (value) =>
    `${JSON.stringify(value)} is not a default decision. Use {"data": …} with any JSON.`;
  for (const [fields, message] of [
    [{ onTimeout: { data: 1 } }, "onTimeout needs a timeout, at which it decides. Add timeout."],
    [{ timeout: "1h", onTimeout: "reject" }, decision('"reject"')],
    [{ timeout: "1h", onTimeout: [1] }, decision("[1]")],
    [{ timeout: "1h", onTimeout: false }, decision("false")],
    [{ timeout: "1h", onTimeout: { dada: 1 } }, decision('{"dada":1}')],
    [{ timeout: "1h", onTimeout: { data: 1, by: "x" } }, decision('{"data":1,"by":"x"}')],
  ]) {
    const answer = await worker.api(TOKENS, { body: fields });
    const error = `Validation error at "onTimeout": ${message}`;
    assert.deepEqual(
      [answer.status, await answer.json()],
      [400, { error, code: "validation_error" }],
    );
  }
  // As with every other field, null is as if it were absent.
  assert.equal((await worker.api(TOKENS, { body: { onTimeout: null } })).status, 200);
});
