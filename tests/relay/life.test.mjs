// Cancel and extend in front of another API: its tokens are not changed from here.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEY, OTHER_KEY, TOKENS, temporaryFolder, until, useWorker } from "../support/harness.mjs";
import { freePort, interrupt, start } from "../support/process.mjs";
import { useRelay } from "../support/relay.mjs";

const { upstream, way, edge, delivered } = await useRelay();
const both = useWorker({ vars: { UPSTREAM: `prod=${way.url}` } });
const only = useWorker({ secrets: { SECRET_KEYS: KEY }, vars: { UPSTREAM: way.url } });
const changes = { cancel: {}, extend: { timeout: "1h" } };
const change = (worker, id, name, options) =>
  worker.api(`${TOKENS}/${id}/${name}`, { body: changes[name], ...options });
const NOT_SUPPORTED = {
  error: "The token lives at another API (UPSTREAM), so it cannot be cancelled or extended here.",
  code: "not_supported_upstream",
};
async function assertNotSupported(answer, what) {
  assert.deepEqual([answer.status, await answer.json()], [501, NOT_SUPPORTED], what);
  // trigger.dev's SDK would repeat any other 5xx.
  assert.equal(answer.headers.get("x-should-retry"), "false");
}

test("a token that lives upstream is neither cancelled nor extended: 501 says why", async () => {
  const [plain, asked, waited, decided] = await Promise.all(
    [{}, { approval: { title: "?" } }, { timeout: "1h" }, {}].map((fields) => edge.create(fields)),
  );
  const tokens = { plain, asked, waited };
  await (await edge.api(`${TOKENS}/${waited.id}/wait`, { headers: { prefer: "wait=1" } })).json();
  for (const name of Object.keys(changes)) {
    for (const [what, { id }] of Object.entries(tokens)) {
      await assertNotSupported(await change(edge, id, name), `${name}: ${what}`);
    }
    await assertNotSupported(await change(edge, "waitpoint_cnobody", name), name);
    // Nobody asks upstream whether it knows this key.
    const unknown = await change(only, plain.id, name, { key: "tr_dev_of_upstream" });
    assert.deepEqual([unknown.status, (await unknown.json()).code], [401, "invalid_api_key"]);
    const anonymous = await change(edge, plain.id, name, { key: "" });
    assert.equal(anonymous.status, 401);
  }
  for (const [what, { id }] of Object.entries(tokens)) {
    assert.equal((await upstream.retrieve(id)).status, "WAITING", what);
    const answer = await edge.complete(id, what);
    assert.equal(answer.headers.get("waitpoint-outcome"), "completed", what);
  }
  await edge.complete(decided.id, 1);
  await delivered(decided);
  await assertNotSupported(await change(edge, decided.id, "cancel"), "decided");
});

test("what cannot be read is told before where the token lives", async () => {
  const { id } = await edge.create();
  const missing = await change(edge, id, "extend", { body: {} });
  assert.deepEqual([missing.status, (await missing.json()).code], [400, "validation_error"]);
});

test("an environment without an upstream cancels and extends beside one that has it", async () => {
  const here = await both.create({ timeout: "2h" });
  assert.equal((await change(both, here.id, "extend")).status, 200);
  const cancelled = await change(both, here.id, "cancel");
  assert.equal(cancelled.headers.get("waitpoint-outcome"), "cancelled");
  const there = await both.create({}, { key: OTHER_KEY });
  await assertNotSupported(await change(both, there.id, "cancel", { key: OTHER_KEY }));
  const nobody = await change(both, here.id, "cancel", { key: "nobody" });
  assert.deepEqual([nobody.status, (await nobody.json()).code], [401, "invalid_api_key"]);
});

test("a token from before its environment had an upstream is cancelled and extended", async () => {
  const folder = temporaryFolder();
  const port = await freePort();
  const first = await start(port, folder);
  const tokens = await Promise.all([
    first.create({ timeout: "2h" }),
    first.create({ timeout: "2h" }),
    first.create({ timeout: "2h" }),
  ]);
  await interrupt(first);
  const second = await start(port, folder, "--var", `UPSTREAM:${way.url}`);
  const [cancelled, extended, ending] = tokens.map(({ id }) => `${TOKENS}/${id}`);
  const answer = await second.api(`${cancelled}/cancel`, { reason: "replaced" });
  assert.deepEqual([answer.status, answer.headers.get("waitpoint-outcome")], [200, "cancelled"]);
  const { status, timeoutAt } = await (
    await second.api(`${extended}/extend`, { timeout: "3h" })
  ).json();
  assert.equal(status, "WAITING");
  assert.ok(Math.abs(Date.parse(timeoutAt) - Date.now() - 3 * 3_600_000) < 10_000);
  assert.equal((await second.api(`${ending}/extend`, { timeout: "1s" })).status, 200);
  const refused = await second.api(`${cancelled}/extend`, { timeout: "1h" });
  assert.deepEqual([refused.status, (await refused.json()).code], [409, "token_ended"]);
  const late = await second.complete(tokens[0].id, 1);
  assert.equal(late.headers.get("waitpoint-outcome"), "cancelled");
  const ended = await until(
    () => second.retrieve(tokens[2].id),
    ({ status }) => status !== "WAITING",
  );
  assert.equal(ended.status, "TIMED_OUT");
  assert.doesNotMatch(first.output + second.output, /tr_dev_|eyJ/);
  await interrupt(second);
});
