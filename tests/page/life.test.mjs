// What an open page tells when the owner or the deadline is faster, in a real browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { until, useWorker } from "../support/harness.mjs";
import { useBrowser } from "../support/package.mjs";
import { button, heading, inEnglish, opener } from "./browser.mjs";

const worker = useWorker();
const open = opener(useBrowser());

const life = ({ id }, what, body) =>
  worker.api(`/api/v1/waitpoints/tokens/${id}/${what}`, { body });

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with JavaScript" : "without JavaScript";

  test(`a request that is withdrawn while its page is open, ${how}`, async () => {
    const token = await worker.create({ timeout: "1h", approval: { title: "Go?" } });
    const page = await open(token.url, { javaScriptEnabled });
    await life(token, "cancel", { reason: "Replaced by <b>another</b>" });
    if (!javaScriptEnabled) {
      await page.getByLabel("Comment").fill("my words");
      await button(page, "Approve").click();
      await page.getByText("Your decision was not recorded.").waitFor();
      await page.getByText("my words").waitFor();
    }
    await heading(page, "Withdrawn");
    await page.getByText("Replaced by <b>another</b>").waitFor();
    assert.equal(await page.locator("form").count(), 0);
    assert.deepEqual(page.errors, []);
  });

  test(`a deadline that moves, or comes, while the page is open, ${how}`, async () => {
    for (const timeout of ["1h", undefined]) {
      const token = await worker.create({ timeout });
      const page = await open(token.url, { javaScriptEnabled });
      const deadline = page.locator("#deadline");
      assert.equal(await deadline.isVisible(), timeout !== undefined);
      await page.getByLabel("Comment").fill("half a thought");
      const { timeoutAt } = await (await life(token, "extend", { timeout: "3d" })).json();
      if (!javaScriptEnabled) await page.reload();
      await page.locator(`#deadline[datetime="${timeoutAt}"]`).waitFor();
      assert.ok(await deadline.isVisible());
      const shown = await deadline.innerText();
      if (javaScriptEnabled) {
        assert.equal(shown, inEnglish(timeoutAt));
        await page.getByText("in 3 days").waitFor();
        const spoken = await page.locator("#reminder").textContent();
        assert.equal(spoken, `Decide by ${shown}`);
        assert.equal(await page.getByLabel("Comment").inputValue(), "half a thought");
      } else {
        assert.equal(shown, timeoutAt.replace(/T(.{5}).*/, " $1 UTC"));
      }
      await button(page, "Approve").click();
      await heading(page, "Approve");
      assert.deepEqual(page.errors, []);
    }
  });

  test(`a default decision is shown as such, ${how}`, async () => {
    const onTimeout = { data: { status: "rejected" } };
    const token = await worker.create({ timeout: "2s", onTimeout });
    const page = await open(token.url, { javaScriptEnabled });
    if (!javaScriptEnabled) {
      await until(
        () => worker.retrieve(token.id),
        ({ status }) => status === "COMPLETED",
      );
      await page.reload();
    }
    await heading(page, "Reject");
    await page.getByText("nobody; the default decision at the deadline").waitFor();
  });
}

test("what somebody has begun to write stays, whatever ends the token", async () => {
  const onTimeout = { data: { status: "rejected" } };
  for (const [fields, sentence, title] of [
    [{ timeout: "3s" }, "The deadline has passed.", "Time is up"],
    [{ timeout: "3s", onTimeout }, "The deadline has passed.", "Reject"],
    [{ timeout: "1h" }, "This request was withdrawn.", "Withdrawn"],
  ]) {
    const token = await worker.create(fields);
    const page = await open(token.url);
    await page.getByLabel("Comment").fill("half a thought");
    if (title === "Withdrawn") await life(token, "cancel", {});
    await page.getByRole("status").getByText(sentence).waitFor();
    assert.equal(await page.getByLabel("Comment").inputValue(), "half a thought");
    assert.equal(await page.locator("#deadline").isVisible(), false);
    await button(page, "Approve").click();
    await heading(page, title);
    await page.getByText("Your comment (not sent)").waitFor();
    await page.getByText("half a thought").waitFor();
    assert.deepEqual(page.errors, []);
  }
});

test("after a deadline that moved, the page waits for the new one", async () => {
  const token = await worker.create({ timeout: "30s" });
  const page = await open(token.url);
  // It learns of a new deadline within a minute.
  page.setDefaultTimeout(100_000);
  await life(token, "extend", { timeout: "1h" });
  await page.getByText(/in (60 minutes|1 hour)/).waitFor();
  await life(token, "extend", { timeout: "1s" });
  await heading(page, "Time is up");
  assert.deepEqual(page.errors, []);
});
