// Forms and votes by the packed package against the real Worker.
import assert from "node:assert/strict";
import { join } from "node:path";
import { beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { send } from "../page/requests.mjs";
import { KEY, useWorker } from "../support/harness.mjs";
import { installed } from "../support/package.mjs";

const { folder } = installed();
const { completeToken, configure, createToken, extendToken, retrieveToken, waitForToken } =
  await import(pathToFileURL(join(folder, "node_modules/waitpoint/server.js")));
const worker = useWorker();
beforeEach(() => configure({ baseURL: worker.url, accessToken: KEY }));

const FORM = {
  type: "object",
  properties: { amount: { type: "number", maximum: 5000 }, "a/b": { type: "boolean" } },
  required: ["amount"],
};

test("fields are part of the data, and details tell what is wrong with each", async () => {
  const token = await createToken({ approval: { form: FORM, validate: "all" } });
  const data = (fields) => ({ status: "approved", fields });
  await assert.rejects(
    completeToken(token.url, data({ amount: 9000, "a/b": 1 }), { baseURL: worker.url }),
    ({ name, code, status, retryable, details }) => {
      assert.deepEqual(
        [name, code, status, retryable],
        ["WaitpointError", "invalid_fields", 422, false],
      );
      assert.deepEqual(
        details.map(({ pointer }) => pointer),
        ["/fields/amount", "/fields/a~1b"],
      );
      assert.match(details[0].message, /^9000 is too large\. Use at most 5000\.$/);
      return true;
    },
  );
  await completeToken(token.url, data({ amount: 12.5 }));
  const { output, approval } = await retrieveToken(token);
  assert.deepEqual(output, { status: "approved", fields: { amount: 12.5 } });
  assert.deepEqual(approval, { form: FORM, validate: "all" });
});

test("each approver has a link, and their votes are told with dates", async () => {
  const approvers = ["ann", "bob"].map((id) => ({ id, name: id }));
  const token = await createToken({ timeout: "1h", approval: { approvers, required: 2 } });
  assert.deepEqual(
    token.links.map(({ approver }) => approver),
    ["ann", "bob"],
  );
  const [ann, bob] = token.links;
  await assert.rejects(completeToken(token, 1), { code: "approvers_only", status: 403 });
  await assert.rejects(completeToken(ann.url, 1), { code: "approvers_only", status: 403 });
  const waits = waitForToken(token);
  assert.equal((await send(ann.shortUrl, { choice: "0", comment: "fine" })).status, 303);
  const { links, votes } = await retrieveToken(token.id);
  assert.deepEqual(links.map(Object.keys), token.links.map(Object.keys));
  assert.ok(votes[0].at instanceof Date);
  assert.equal((await retrieveToken(token)).votes, undefined, "others do not see it yet");
  const extended = await extendToken(token, { timeout: "2h" });
  assert.equal(extended.links.length, 2);
  assert.equal((await send(bob.url, { choice: "0" })).status, 303);
  const ended = await waits;
  assert.deepEqual(ended.output, { status: "approved" });
  assert.deepEqual(
    ended.votes.map(({ approver, choice, comment }) => [approver, choice, comment]),
    [
      ["ann", "Approve", "fine"],
      ["bob", "Approve", undefined],
    ],
  );
  const { history, completedBySubject } = await retrieveToken(token.id);
  assert.equal(completedBySubject, "bob");
  assert.deepEqual(
    history.filter(({ type }) => type === "voted").map(({ by }) => by),
    ["ann", "bob"],
  );
});
