// An agent cannot approve what it asks for: its key gets no link, unless AGENT_LINKS is on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEY } from "../support/harness.mjs";
import { call, modern, TASKS, useAgents } from "./messages.mjs";

const { worker, notify } = await useAgents({
  AGENT_LINKS: "off",
  CHANNELS: "ops=http://127.0.0.1:9",
});
const abroad = await useAgents({
  AGENT_LINKS: "off",
  PUBLIC_URL: "https://approve.example",
  EMAIL_FROM: "a@waitpoint.example",
});
const limited = await useAgents({
  AGENT_LINKS: "off",
  PUBLIC_URL: "https://approve.example",
  NOTIFY_DOMAINS: "good.example",
});

async function refusal(of, args, options) {
  const { result } = await call(of, "ask_human", { title: "Mine", ...args }, options);
  assert.equal(result.isError, true, JSON.stringify(result));
  return result.content[0].text;
}

test("an agent gets no link: neither itself nor by a receiver of its own", async () => {
  for (const capabilities of [{}, TASKS])
    for (const [more, problem] of [
      [{ returnLink: true }, /returnLink is not allowed here.*notify/],
      [{ notify }, /may not name a webhook here.*email, slack or teams/],
      [{ notify: [{ slack: "ops" }, ...notify] }, /may not name a webhook here/],
      [{}, /Nobody would hear.*your user has named/],
    ])
      assert.match(await refusal(worker, more, { capabilities }), problem);
  const { tools } = (await modern(worker, "tools/list")).result;
  const { properties } = tools[0].inputSchema;
  assert.ok(!("returnLink" in properties || "webhook" in properties.notify.items.properties));
  const owned = await modern(worker, "tools/list", {}, { key: KEY });
  assert.ok("returnLink" in owned.result.tools[0].inputSchema.properties);
  assert.equal(owned.result.cacheScope, "private");
});

test("an agent mails nobody that it chooses, unless the operator has said where", async () => {
  const notify = [{ email: "me@agent.example" }];
  assert.match(await refusal(abroad.worker, { notify }), /address could be your own. Use slack/);
  // With the domains named, or a secret key, the rest of the settings is looked at.
  assert.match(await refusal(limited.worker, { notify }), /^Mail is not set up here/);
  assert.match(await refusal(abroad.worker, { notify }, { key: KEY }), /^Mail is not set up here/);
});

test("an agent is told what it can do, and not how a guard is removed", async () => {
  for (const [to, problem] of [
    [{ slack: "sales" }, /"sales" is not a channel here. Use one of: ops/],
    [{ teams: "sales" }, /"sales" is not a channel here/],
    [{ email: "ann@good.example" }, /Mail is not set up here/],
  ]) {
    const text = await refusal(worker, { notify: [to] });
    assert.match(text, problem);
    assert.doesNotMatch(text, /CHANNELS|NOTIFY_DOMAINS|EMAIL_FROM|wrangler/);
  }
});

test("a secret key gets it, because it can decide anyway", async () => {
  for (const capabilities of [{}, TASKS]) {
    const args = { title: "The owner's", returnLink: true };
    const { result } = await call(worker, "ask_human", args, { key: KEY, capabilities });
    assert.equal(new URL(result.structuredContent.link).origin, worker.url);
  }
});
