// The pages of the inbox in a real browser: what operators do there, with and without JavaScript.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { inboxLink } from "../../scripts/lib/inbox-link.mjs";
import { button, heading, opener } from "../page/browser.mjs";
import { OTHER_KEY, until, useWorker } from "../support/harness.mjs";
import { useBrowser } from "../support/package.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core"), "utf8");
const worker = useWorker({ vars: { INBOX: "on" } });
const browser = useBrowser();
const open = opener(browser);

/** The list of the environment `prod`, signed in. `query` narrows it to what one test created. */
async function signedIn(query = "", options = {}) {
  const page = await open(`${worker.url}/inbox${query}`, options);
  await page.getByLabel("Secret key").fill(OTHER_KEY);
  await button(page, "Sign in").click();
  await page.getByRole("navigation", { name: "Status" }).waitFor();
  return page;
}
const create = (title, tag, fields) =>
  worker.create({ approval: { title }, tags: [tag], timeout: "1h", ...fields }, { key: OTHER_KEY });
const link = (page, title) => page.getByRole("link", { name: title });
/** The list is read again, as when one comes back to its tab. */
const comeBack = (page) =>
  page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
const focused = (page) => page.evaluate(() => document.activeElement.textContent.trim());

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with JavaScript" : "without JavaScript";

  test(`several are marked, reviewed and decided, ${how}`, async () => {
    const tag = `several-${javaScriptEnabled}`;
    const [one, two, three] = await Promise.all(["A?", "B?", "C?"].map((it) => create(it, tag)));
    const page = await signedIn(`?tag=${tag}`, { javaScriptEnabled });
    for (const title of ["A?", "B?"]) await page.getByRole("checkbox", { name: title }).check();
    await button(page, "Review marked").click();
    await heading(page, /^Marked requests/);
    assert.equal(await link(page, "C?").count(), 0);
    await page.getByLabel("Comment").fill("both");
    await button(page, "Approve").click();
    await heading(page, "Approve");
    assert.equal(await page.locator(".chip.ok").count(), 2);
    const output = `{"status":"approved","comment":"both"}`;
    for (const { id } of [one, two]) {
      assert.equal((await worker.retrieve(id, { key: OTHER_KEY })).output, output);
    }
    assert.equal((await worker.retrieve(three.id, { key: OTHER_KEY })).status, "WAITING");
    assert.deepEqual(page.errors, []);
  });

  test(`one is opened and decided, and the way leads back to the list, ${how}`, async () => {
    const tag = `one-${javaScriptEnabled}`;
    await create("Ship it?", tag);
    const page = await signedIn(`?tag=${tag}`, { javaScriptEnabled });
    await link(page, "Ship it?").click();
    await heading(page, "Ship it?");
    await button(page, "Reject").click();
    await heading(page, "Reject");
    await page.getByText("Your decision was recorded.").waitFor();
    await page.getByText("an operator").first().waitFor();
    await page.getByRole("link", { name: "Inbox" }).click();
    await page.getByRole("navigation", { name: "Status" }).waitFor();
    const query = javaScriptEnabled ? `?tag=${tag}` : "";
    assert.equal(new URL(page.url()).search, query, "with the filters that one came from");
    assert.deepEqual(page.errors, []);
  });
}

test("the list is live, and keeps marks, focus and place", async () => {
  const first = await create("First?", "live");
  const page = await signedIn("?tag=live");
  await page.getByRole("checkbox", { name: "First?" }).check();
  await link(page, "First?").focus();
  const second = await create("Second?", "live", { timeout: "30m" });
  await comeBack(page);
  await link(page, "Second?").waitFor();
  await page.getByRole("status").getByText("New requests have arrived.").waitFor();
  assert.equal(await page.getByRole("checkbox", { name: "First?" }).isChecked(), true);
  assert.equal(await focused(page), "First?");

  await worker.complete(second.id, {}, { key: OTHER_KEY });
  await worker.complete(first.id, {}, { key: OTHER_KEY });
  await until(
    async () => {
      await comeBack(page);
      return page.getByText("Nothing matches these filters.").count();
    },
    (count) => count === 1,
  );
  assert.deepEqual(page.errors, []);
});

test("who was signed out signs in again, and what was marked is still there to send", async () => {
  await create("Mark?", "out");
  const page = await signedIn("?tag=out");
  const mark = page.getByRole("checkbox", { name: "Mark?" });
  await mark.check();
  await page.context().clearCookies();
  await comeBack(page);
  const status = page.getByRole("status");
  await status.getByText("You were signed out. Sign in").waitFor();
  assert.equal(await mark.isChecked(), true);
  // The same answer does not take the focus away from the link.
  const signIn = status.getByRole("link", { name: "Sign in" });
  await signIn.focus();
  const answered = page.waitForResponse((it) => it.url().includes("/inbox/sign-in"));
  await comeBack(page);
  await (await answered).finished();
  await page.evaluate(() => new Promise(requestAnimationFrame));
  assert.equal(await focused(page), "Sign in");

  const [other] = await Promise.all([page.waitForEvent("popup"), signIn.click()]);
  await other.getByLabel("Secret key").fill(OTHER_KEY);
  await button(other, "Sign in").click();
  await link(other, "Mark?").waitFor();
  assert.equal(new URL(other.url()).search, "?tag=out");
  // The nonces of the first session are not valid in the second.
  await comeBack(page);
  await status.getByText("signed out").waitFor({ state: "detached" });
  assert.equal(await mark.isChecked(), true);
  await button(page, "Review marked").click();
  await heading(page, /^Marked requests/);
  await link(page, "Mark?").waitFor();
  assert.deepEqual(page.errors, []);
});

test("who was signed out of a page on which nothing is written is asked to sign in", async () => {
  await create("Idle?", "idle");
  const page = await signedIn("?tag=idle");
  await link(page, "Idle?").waitFor();
  await page.context().clearCookies();
  await comeBack(page);
  await heading(page, "Sign in");
});

test("keys move, mark, open and begin a decision, and can be turned off", async () => {
  await create("Late?", "keys", { timeout: "2h" });
  const soon = await create("Soon?", "keys");
  const page = await signedIn("?tag=keys");
  for (const key of ["j", "j", "x", "k"]) await page.keyboard.press(key);
  assert.equal(await focused(page), "Soon?");
  assert.equal(await page.getByRole("checkbox", { name: "Late?" }).isChecked(), true);
  await page.keyboard.press("a");
  await heading(page, /^Marked requests/);
  assert.equal(await link(page, "Late?").count(), 1, "what is marked");
  assert.equal(await link(page, "Soon?").count(), 0);
  await page.goto(`${worker.url}/inbox?tag=keys`);
  for (const key of ["j", "r"]) await page.keyboard.press(key);
  await heading(page, /^Marked requests/);
  assert.equal(await link(page, "Late?").count(), 0, "without marks, the row alone");
  assert.equal(await focused(page), "Reject");
  await page.goto(`${worker.url}/inbox?tag=keys`);
  for (const key of ["j", "a"]) await page.keyboard.press(key);
  await heading(page, /^Marked requests/);
  assert.equal(await focused(page), "Approve");
  const { status } = await worker.retrieve(soon.id, { key: OTHER_KEY });
  assert.equal(status, "WAITING", "nothing is decided before it is confirmed");
  await page.keyboard.press("Enter");
  await heading(page, "Approve");

  await page.keyboard.press("u");
  await page.getByRole("searchbox").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("jx?");
  assert.equal(await page.getByRole("searchbox").inputValue(), "jx?", "while one types");
  await page.keyboard.press("Tab");
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
  await page.getByLabel("Use these shortcuts").uncheck();
  await button(page, "Close").click();
  await page.keyboard.press("j");
  assert.notEqual(await focused(page), "Late?");
  await page.reload();
  await page.keyboard.press("?");
  assert.equal(await page.getByRole("dialog").count(), 0, "also on other pages");
  await button(page, "Keyboard shortcuts").click();
  await page.getByRole("dialog").waitFor();
  assert.deepEqual(page.errors, []);
});

test("what others do to an open token is shown, and never wipes what was typed", async () => {
  const token = await create("Which?", "open");
  const [idle, typing] = [await signedIn("?tag=open"), await signedIn("?tag=open")];
  for (const page of [idle, typing]) {
    await link(page, "Which?").click();
    await heading(page, "Which?");
  }
  await typing.getByLabel("Comment").fill("because");
  await worker.complete(token.id, { status: "rejected" }, { key: OTHER_KEY });
  await comeBack(idle);
  await heading(idle, "Reject");
  await comeBack(typing);
  await typing.getByRole("status").getByText("This request has changed.").waitFor();
  assert.equal(await typing.getByLabel("Comment").inputValue(), "because");
  await link(typing, "Show the changes").click();
  await heading(typing, "Reject");
});

test("the deadline is changed, in UTC; a request is withdrawn", async () => {
  await create("When?", "when");
  const page = await signedIn("?tag=when");
  await link(page, "When?").click();
  await page.locator("summary", { hasText: "Change the deadline" }).click();
  await page.getByLabel("New deadline").fill("2020-01-01T10:00");
  await button(page, "Change the deadline").click();
  await page.getByText("Enter a time that is still to come.").waitFor();
  assert.equal(await page.getByLabel("New deadline").inputValue(), "2020-01-01T10:00");
  await page.getByLabel("New deadline").fill("2099-01-01T10:00");
  await button(page, "Change the deadline").click();
  await page.getByText("The deadline was changed.").waitFor();
  const deadline = await page.locator("#deadline").getAttribute("datetime");
  assert.equal(deadline, "2099-01-01T10:00:00.000Z");
  await page.locator("summary", { hasText: "Withdraw" }).click();
  await page.getByLabel("Reason").fill("no need");
  await button(page, "Withdraw").click();
  await heading(page, "Withdrawn");
  await page.getByText("no need").first().waitFor();
});

test("a reason that comes too late is shown again, and the form above is as before", async () => {
  const properties = { where: { type: "string", default: "Berlin" } };
  const form = { type: "object", properties };
  await create("Stale?", "stale", { approval: { title: "Stale?", form } });
  const page = await signedIn("?tag=stale");
  await link(page, "Stale?").click();
  await page.locator("summary", { hasText: "Withdraw" }).click();
  await page.getByLabel("Reason").fill("no need");
  await page.locator(".manage [name=waitpoint_nonce]").evaluateAll((inputs) => {
    for (const input of inputs) input.value = "old";
  });
  await button(page, "Withdraw").click();
  await page.getByText("Nothing was changed. Please try again.").waitFor();
  assert.equal(await page.getByLabel("Reason").inputValue(), "no need");
  assert.equal(await page.getByLabel("where").inputValue(), "Berlin");
  await button(page, "Withdraw").click();
  await heading(page, "Withdrawn");
});

test("the pages pass axe and fit 320 pixels", async () => {
  await create("Pay 1,240 to a-supplier-with-a-rather-long-name?", "axe");
  const page = await signedIn("?tag=axe", {
    viewport: { width: 320, height: 640 },
    bypassCSP: true,
  });
  const check = async (what) => {
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 320, `${what}: no scrolling sideways, ${wide} px`);
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => window.axe.run());
    const found = violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
    assert.deepEqual(found, [], what);
  };
  await check("list");
  await link(page, "Pay").click();
  await heading(page, /Pay/);
  await check("token");
  await page.goto(`${worker.url}/inbox?tag=axe`);
  await page.getByRole("checkbox", { name: "Pay" }).check();
  await button(page, "Review marked").click();
  await heading(page, /^Marked requests/);
  await check("summary");
  await button(page, "Approve").click();
  await heading(page, "Approve");
  await check("outcomes");
  await button(page, "Sign out").click();
  await heading(page, "Sign in");
  await check("sign-in");
});

test("links on other sites lead to the inbox, and sign in", async () => {
  await create("From a chat?", "elsewhere");
  const page = await signedIn("?tag=elsewhere");
  const follow = async (from, href) => {
    await from.goto(`data:text/html,<a href="${encodeURIComponent(href)}">go</a>`);
    await from.getByRole("link", { name: "go" }).click();
    await from.getByRole("navigation", { name: "Status" }).waitFor();
  };
  await follow(page, `${worker.url}/inbox?tag=elsewhere`);
  await link(page, "From a chat?").waitFor();
  await follow(page, `${worker.url}/inbox/sign-in`);
  const other = await open("about:blank");
  await follow(other, worker.url + inboxLink("prod", OTHER_KEY));
});
