// How SQLite runs the statements of the inbox: along an index in the order of the page, with
// neither a scan of the table nor a sort. The Worker is built to log the plan (the feature
// `faults`).
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildFaults } from "../../scripts/lib/build.mjs";
import { until } from "../support/harness.mjs";
import { built, serve, waitpoint } from "../support/workerd.mjs";

/** Passes a command on to a month of the index, and marks the end of what that has logged. */
const TO_INDEX = `
export * from "./index.js";
export default {
  async fetch(request, env) {
    const answer = await env.INDEX.getByName("default/2030-01").fetch(request);
    console.log("answered");
    return answer;
  },
};`;
const NOW = Date.now();
const NEVER = 253402300799999;
const QUERIES = [
  "",
  "due=1d",
  "due=none",
  "text=deploy",
  "tag=a&age=1d",
  "failed=1",
  "failed=1&text=deploy&tag=a",
  "view=decided",
  "view=decided&text=deploy",
  "view=timed-out",
  "view=timed-out&failed=1",
  "view=withdrawn&age=7d",
];
/** The query of a later page. */
const behind = (query) => {
  const end = query.includes("view") ? NOW - 1000 : query.includes("none") ? NEVER : NOW + 1000;
  return `${query}&after=${end}_${NOW - 1000}_c000000000000000000000000`;
};

test("no query of the inbox scans the table or sorts", async (t) => {
  const files = built(await buildFaults());
  const log = [];
  const server = await serve(
    { ...waitpoint({ INBOX: "on" }, TO_INDEX), files },
    { listen: (text) => log.push(text) },
  );
  t.after(() => server.stop());
  const call = async (command) => {
    log.length = 0;
    const answer = await fetch(server.url, { method: "POST", body: JSON.stringify(command) });
    assert.equal(answer.status, 200, await answer.text());
    await until(
      async () => log.join(""),
      (text) => text.includes("answered"),
    );
  };
  const put = { created: NOW, id: "c1", tags: "[]", title: "", timeout: NOW + 9_000_000 };
  await call({ put: [put] });
  for (const query of QUERIES.flatMap((query) => [query, behind(query)])) {
    await t.test(query, async () => {
      await call({ inbox: { query, now: NOW, limit: 51 } });
      const lines = log.join("").split("\n");
      const plans = lines.flatMap((line) => /query plan: (.*)/.exec(line)?.[1] ?? []);
      assert.ok(plans.length > 0, log.join(""));
      for (const plan of plans) {
        const steps = JSON.parse(plan).map(({ detail }) => detail);
        const ascends = /\(class=\? AND \(ends,created,id\)>\(\?,\?,\?\) AND ends<\?\)/;
        const descends = /\(class=\? AND ends>\? AND \(ends,created,id\)<\(\?,\?,\?\)\)/;
        const begins = /\(class=\? AND ends>\? AND ends<\?\)/;
        const seeks = query.includes("view") ? descends : ascends;
        const bounds = query.includes("after=") ? seeks : begins;
        const index = /^SEARCH tokens USING (COVERING )?INDEX by_(end|failure) /;
        assert.ok(
          steps.some((step) => index.test(step) && bounds.test(step)),
          steps.join("\n"),
        );
        for (const step of steps) assert.doesNotMatch(step, /SCAN tokens|TEMP B-TREE/);
        if (query.includes("failed")) assert.match(steps.join("\n"), /by_failure/);
      }
    });
  }
});
