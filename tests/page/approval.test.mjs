// What an approval asks: what create checks and what the page shows of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEY, useWorker } from "../support/harness.mjs";
import { open } from "./requests.mjs";

const worker = useWorker();

test("labels that look the same, or like nothing, are refused with a way out", async () => {
  const create = async (...labels) => {
    const body = { approval: { choices: labels.map((label) => ({ label })) } };
    const answer = await worker.api("/api/v1/waitpoints/tokens", { key: KEY, body });
    return [answer.status, answer.status === 200 ? "" : (await answer.json()).error];
  };
  for (const same of [
    "\u0410pprove",
    "Approve\u200b",
    "Ap\ufe00prove",
    "Approve\u0338",
    "Ａｐｐｒｏｖｅ",
    "𝐀𝐩𝐩𝐫𝐨𝐯𝐞",
  ]) {
    const [status, error] = await create("Approve", same);
    assert.equal(status, 400, same);
    assert.match(error, /choices\[1\]\.label ".+" looks like choices\[0\]\.label\. /u);
    assert.match(error, /Use a label that a person can tell apart from it/u);
  }
  for (const blank of ["\u2800", "\u{e0100}", "\ufffc", "\u{1d173}", "\u0338", "\u{1107f}"]) {
    const [status, error] = await create("Approve", blank);
    assert.equal(status, 400, JSON.stringify(blank));
    assert.match(error, /choices\[1\]\.label is empty or invisible\. Use a text that can be seen/);
  }
  assert.deepEqual(await create("Approve", "Reject", "❤\ufe0f", "👩\u200d💻", "Да", "Нет"), [
    200,
    "",
  ]);
});

test("a page shows emoji and joined letters as they are, and nothing invisible", async () => {
  const title = "👩\u200d💻 می\u200cخواهم क्\u200dष 1\ufe0f\u20e3";
  const { url } = await worker.create({
    approval: { title: `${title}\u202e\u2060`, description: `a\u{e0041}b${"\u0301".repeat(50)}` },
  });
  const page = await (await open(url)).text();
  assert.ok(page.includes(title));
  assert.ok(page.includes(`ab${"\u0301".repeat(6)}<`));
  assert.doesNotMatch(page, /[\u202e\u2060\u{e0041}]/u);
});

test("what an approval asks is checked, kept, and comes back", async () => {
  const approval = {
    title: "Go?",
    choices: [{ label: "A", data: { n: 1 } }, { label: "B" }],
    confirm: "choose",
  };
  const token = await worker.create({ approval });
  assert.deepEqual((await worker.retrieve(token.id)).approval, approval);
  const refused = await worker.api("/api/v1/waitpoints/tokens", {
    key: KEY,
    body: { approval: { titel: "x" } },
  });
  assert.equal(refused.status, 400);
  assert.match((await refused.json()).error, /unknown field `titel`/);
  assert.equal(
    (await worker.retrieve((await worker.create({ approval: null })).id)).approval,
    undefined,
  );
});
