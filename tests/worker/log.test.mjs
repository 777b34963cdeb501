// LOG: which lines are logged.
import assert from "node:assert/strict";
import { test } from "node:test";
import { send } from "../page/requests.mjs";
import { TOKENS, until } from "../support/harness.mjs";
import { KEY, serve, waitpoint } from "../support/workerd.mjs";

const LIMIT = { timeout: 60_000 };
const WEBHOOK_SECRET = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const DECISIONS = ["cancelled", "completed", "extended", "voted"];

for (const [LOG, events] of [
  [undefined, [...DECISIONS, "created", "not delivered"]],
  ["all", [...DECISIONS, "created", "not delivered"]],
  ["decisions", [...DECISIONS, "not delivered"]],
  ["errors", ["not delivered"]],
  // Nothing is lost because of a typo.
  ["none", [...DECISIONS, "created", "not delivered"]],
]) {
  test(`LOG=${LOG} logs: ${events.join(", ")}`, LIMIT, async (t) => {
    const worker = await serve(waitpoint({ ...(LOG && { LOG }), WEBHOOK_SECRET }));
    t.after(() => worker.stop());
    const logged = await eventsOf(worker, events.includes("completed"));
    assert.deepEqual(logged, [...events].sort());
    const health = await api(worker, "/healthz");
    const wrong = 'LOG is "none". Use "all", "decisions" or "errors".';
    if (LOG === "none") {
      assert.equal(health.status, 500);
      const error = `The server is misconfigured: ${wrong}`;
      assert.deepEqual(await health.json(), { error, code: "misconfigured" });
      assert.ok(worker.log.includes(`everything is logged: ${wrong}`), "the log says why");
    } else {
      assert.equal((await health.json()).status, "ok");
    }
  });
}

const api = (worker, path, body) =>
  fetch(worker.url + path, {
    method: body ? "POST" : "GET",
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });

/** Has everything happen that can be logged, and returns which events were, each once. */
async function eventsOf(worker, logsDecisions) {
  const ask = async (path, body) => {
    const answer = await api(worker, TOKENS + path, body);
    assert.equal(answer.status, 200, `${path}: ${await answer.clone().text()}`);
    return await answer.json();
  };
  const logged = () => [...worker.log.matchAll(/^\{"event":"([^"]+)"/gm)].map(([, event]) => event);
  const approvers = ["ann", "bob"].map((id) => ({ id, name: id }));
  const voted = await ask("", { approval: { approvers, required: 2 } });
  assert.equal((await send(voted.links[0].url, { choice: "0" })).status, 303);
  const { id } = await ask("", { timeout: "1h" });
  await ask(`/${id}/extend`, { timeout: "2h" });
  await ask(`/${id}/cancel`, {});
  await ask("", { timeout: "1s", onTimeout: { data: 1 } });
  if (logsDecisions) await until(logged, (events) => events.includes("completed"));
  const byTimeout = /"event":"completed".*"by":"timeout"/;
  assert.equal(byTimeout.test(worker.log), logsDecisions);
  // Nobody listens there. Its line is the last of all.
  const last = await ask("", { webhook: { url: "http://127.0.0.1:1/" } });
  await ask(`/${last.id}/complete`, { data: 1 });
  await until(logged, (events) => events.includes("not delivered"));
  return [...new Set(logged())].sort();
}
