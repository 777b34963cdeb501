// What an earlier build stored is read by this one. The fixture was written by 0.1.0, before tokens
// had titles in the index: tests/fixtures/README.md says how.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { root, TOKENS, temporaryFolder, until } from "../support/harness.mjs";
import { operatorOf } from "../support/inbox.mjs";
import { KEY, serve, waitpoint } from "../support/workerd.mjs";

const WAITS_UNTIL_2100 = "waitpoint_cnyjq1daustxp5igpcs9haucz";
const WAITS = "waitpoint_cv97ouz16fnfthojal7h0xxsj";
const WITHOUT_TITLE = "waitpoint_chd5r4dwrbfh69wxok4ns5sea";
const DECIDED = "waitpoint_cec7wxqcwwl8etr1rvlcotpev";
const TIMED_OUT = "waitpoint_ct474s88x3bd3mpc3yefypgmw";
const OWES_A_WEBHOOK = "waitpoint_ck2c6j5hrjm7vo02hi0ijkipj";
const LISTED = new Map([
  ...[WAITS_UNTIL_2100, WAITS, WITHOUT_TITLE].map((id) => [id, "WAITING"]),
  ...[DECIDED, OWES_A_WEBHOOK].map((id) => [id, "COMPLETED"]),
  [TIMED_OUT, "TIMED_OUT"],
]);

test("tokens, keys, the index and what is owed are taken over", async (t) => {
  const storage = temporaryFolder();
  const fixture = join(root, "tests", "fixtures", "storage-of-0.1.0.tar.gz");
  execFileSync("tar", ["-xzf", fixture, "-C", storage]);
  const vars = {
    INBOX: "on",
    RETENTION: "36500d",
    WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 7).toString("base64")}`,
  };
  const server = await serve(waitpoint(vars), { storage, internet: false });
  t.after(() => server.stop());
  const call = async (path, body) => {
    const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
    const method = body ? "POST" : "GET";
    const answer = await fetch(server.url + path, { method, headers, body: JSON.stringify(body) });
    assert.equal(answer.status, 200, await answer.clone().text());
    return answer.json();
  };

  const operator = await operatorOf(server.url);
  assert.deepEqual(await operator.list(), [WAITS_UNTIL_2100, WAITS, WITHOUT_TITLE]);
  assert.match(await operator.read("/inbox"), /Deploy the shop\?/, "the object knew the title");
  // It has sent its row anew, so now the index knows it too.
  await until(
    () => operator.list("?text=DEPLOY"),
    (found) => found.length === 1,
  );
  assert.deepEqual(await operator.list("?tag=refund&text=the%20order"), [WAITS]);
  assert.match(await operator.read("/inbox?view=decided"), /Hire Ada\?/);
  assert.match(await operator.read("/inbox?view=timed-out"), /Too late\?/);
  for (const id of [DECIDED, TIMED_OUT, OWES_A_WEBHOOK, WITHOUT_TITLE])
    assert.ok((await operator.read(`/inbox/${id}`)).includes(id));

  const { data } = await call(TOKENS);
  assert.deepEqual(new Map(data.map(({ id, status }) => [id, status])), LISTED);
  assert.equal((await call(`${TOKENS}/${DECIDED}`)).output, '{"status":"approved"}');
  const again = await call(TOKENS, { idempotencyKey: "order-1" });
  assert.deepEqual([again.id, again.isCached], [WAITS, true]);
  const { deliveries } = await until(
    () => call(`${TOKENS}/${OWES_A_WEBHOOK}`),
    ({ deliveries }) => deliveries[0].attempts > 0,
  );
  assert.equal(deliveries[0].status, "pending", "nobody is reached, so it is tried again");

  const decided = await operator.send(`/inbox/${WAITS_UNTIL_2100}`, { choice: "0" });
  assert.equal(decided.headers.get("location"), `/inbox/${WAITS_UNTIL_2100}?done=decided`);
  assert.equal((await call(`${TOKENS}/${WAITS_UNTIL_2100}`)).completedBy, "inbox");
  await call(`${TOKENS}/${WAITS}/complete`, { data: "yes" });
  assert.deepEqual((await call(`${TOKENS}/${WAITS}`)).output, '"yes"');
});
