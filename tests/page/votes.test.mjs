// Votes on the page, as people cast them: with and without JavaScript, by keyboard.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { until, useWorker } from "../support/harness.mjs";
import { useBrowser } from "../support/package.mjs";
import { button, heading } from "./browser.mjs";
import { open, send, text } from "./requests.mjs";

const require = createRequire(import.meta.url);
const worker = useWorker();
const browser = useBrowser();

const APPROVERS = [
  { id: "ann", name: "Ann Miller" },
  { id: "bob", name: "Bob <b>Stone" },
  { id: "zoe", name: "زوي" },
];
const CHOICES = [
  { label: "Ship", style: "primary" },
  { label: "Stop", style: "danger", veto: true, form: false },
];
const form = {
  type: "object",
  properties: { when: { type: "string", title: "When", format: "date" } },
  required: ["when"],
};
const ask = (fields = {}) =>
  worker.create({
    approval: {
      title: "Ship?",
      approvers: APPROVERS,
      required: 2,
      choices: CHOICES,
      form,
      ...fields,
    },
  });

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with" : "without";
  test(`a vote by keyboard, changed, then decided by another, ${how} JavaScript`, async () => {
    const token = await ask();
    const page = await browser.page({ javaScriptEnabled });
    await page.goto(token.links[0].url);
    await page.getByLabel("When").fill("2026-12-01");
    await button(page, "Ship").focus();
    await page.keyboard.press("Enter");
    await page.getByText("Your vote", { exact: true }).waitFor();
    assert.match(page.url(), /callback/);
    assert.equal(await page.getByLabel("When").inputValue(), "2026-12-01");
    // A reload does not vote again.
    await page.reload();
    await page.getByLabel("When").fill("2026-12-24");
    await button(page, "Ship").click();
    const { votes } = await until(
      () => worker.retrieve(token.id),
      ({ votes }) => votes[0].fields.when !== "2026-12-01",
    );
    assert.deepEqual([votes.length, votes[0].fields], [1, { when: "2026-12-24" }]);
    await send(token.links[1].url, { choice: "0", "field-0": "2026-12-25" });
    await page.goto(token.links[0].url);
    await heading(page, "Ship");
    assert.match(await page.innerText("main"), /Bob <b>Stone\s+Ship\s+When\s+2026-12-25/);
    assert.deepEqual(page.errors, []);
    await page.close();
  });
}

test("a fault in a vote keeps what was typed and who votes; nothing is counted", async () => {
  const token = await ask();
  const answer = await send(token.links[0].url, { choice: "0", comment: "<i>later" });
  assert.equal(answer.status, 422);
  const page = await text(answer);
  assert.match(page, /Ann Miller/);
  assert.match(page, /&#60;i&#62;later<\/textarea>/);
  assert.match(page, /href="#field-0"/);
  assert.equal((await worker.retrieve(token.id)).votes, undefined);
  // The choice that sends no form needs none.
  assert.equal((await send(token.links[0].url, { choice: "1" })).status, 303);
  assert.equal((await worker.retrieve(token.id)).status, "COMPLETED");
});

test("the page of votes is one response of at most 14 KB and asks nobody else", async () => {
  const token = await ask({ required: 3 });
  await send(token.links[1].url, { choice: "0", "field-0": "2026-12-25" });
  for (const url of [token.url, token.links[0].url]) {
    const page = await (await open(url)).text();
    assert.doesNotMatch(page, /(src|href)="?https?:/);
    assert.ok(gzipSync(page, { level: 6 }).length < 13_000);
  }
});

test("no state of a vote fails axe's rules, light and dark, from left and right", async () => {
  const axe = readFileSync(require.resolve("axe-core"), "utf8");
  const [voting, ended] = [await ask({ required: 3 }), await ask()];
  for (const { url } of voting.links.slice(0, 2))
    await send(url, { choice: "0", "field-0": "2026-12-25", comment: "as planned" });
  for (const { url } of ended.links.slice(0, 2))
    await send(url, { choice: "0", "field-0": "2026-12-25", comment: "as planned" });
  const states = {
    voted: voting.links[0].url,
    fresh: voting.links[2].url,
    others: voting.url,
    ended: ended.links[2].url,
  };
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  for (const colorScheme of ["light", "dark"]) {
    for (const lang of ["en", "ar"]) {
      const page = await browser.page({ colorScheme, viewport: { width: 320, height: 600 } });
      for (const [state, url] of Object.entries(states)) {
        const what = `${state}, ${colorScheme}, ${lang}`;
        await page.goto(`${url}?lang=${lang}`);
        await page.evaluate(axe);
        const found = await page.evaluate((runOnly) => window.axe.run({ runOnly }), rules);
        assert.deepEqual(
          found.violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
          [],
          what,
        );
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${what}: ${wide} px too wide`);
      }
      await page.close();
    }
  }
});
