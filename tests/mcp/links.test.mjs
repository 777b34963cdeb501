// Whoever asks cannot approve: a key of AGENT_KEYS gets no link, unless AGENT_LINKS is on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEY } from "../support/harness.mjs";
import { call, useAgents } from "./messages.mjs";

const { worker, notify } = await useAgents({ AGENT_LINKS: "off" });

test("an agent gets no link: neither itself nor by a receiver of its own", async () => {
  for (const [more, problem] of [
    [{ returnLink: true }, /returnLink is not allowed here.*notify/],
    [{ notify }, /may not name a webhook here.*email, slack or teams/],
    [{}, /Nobody would hear/],
  ]) {
    const { result } = await call(worker, "ask_human", { title: "Mine", ...more });
    assert.equal(result.isError, true);
    assert.match(result.content[0].text, problem);
  }
});

test("a secret key gets it, because it can decide anyway", async () => {
  const args = { title: "The owner's", returnLink: true };
  const { result } = await call(worker, "ask_human", args, { key: KEY });
  assert.equal(new URL(result.structuredContent.link).origin, worker.url);
});
