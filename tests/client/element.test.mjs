// <waitpoint-approval> of the packed package in a real browser.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { button, useElement } from "../support/element.mjs";
import { sign, TOKENS, until, useWorker } from "../support/harness.mjs";

const worker = useWorker();
const { folder, browser, site, show } = useElement();

test("Approve completes the token, and the person is told", async () => {
  const token = await worker.create();
  const page = await show({ "token-url": token.url });
  await page.state("idle");
  await button(page, "Approve").click();
  await page.state("done");
  assert.equal(await page.getByRole("status").innerText(), "Your decision was recorded.");
  assert.equal(await button(page, "Approve").count(), 0);
  assert.deepEqual(await page.evaluate(() => window.events), [["waitpoint-complete", "completed"]]);
  assert.equal((await worker.retrieve(token.id)).output, `{"status":"approved"}`);
  assert.deepEqual(page.errors, []);
});

test("labels, data and a comment are the page's, the token its id and JWT", async () => {
  const token = await worker.create();
  const page = await show({
    "token-id": token.id,
    "access-token": token.publicAccessToken,
    "base-url": worker.url,
    approve: "Ja",
    reject: "Nein",
    "reject-data": `{"ok":false}`,
    comment: "required",
  });
  await page.getByLabel("Comment").fill("   ");
  await button(page, "Nein").click();
  assert.equal(await page.element.getAttribute("state"), "idle", "the comment is missing");
  await page.getByLabel("Comment").fill(" too early ");
  await button(page, "Nein").press("Enter");
  await page.state("done");
  assert.equal((await worker.retrieve(token.id)).output, `{"ok":false,"comment":"too early"}`);
});

test("only one button, and sentences of the page's own", async () => {
  const token = await worker.create();
  const page = await show({ "token-url": token.url, reject: "" }, `Go?<p slot="done">Danke!</p>`);
  assert.equal(await button(page, "Reject").count(), 0);
  await button(page, "Approve").click();
  await page.getByText("Danke!").waitFor();
});

test("a token that is over is shown so without a click", async () => {
  const token = await worker.create();
  await worker.complete(token.id, 1);
  await (await show({ "token-url": token.url })).state("decided");

  const late = await worker.create({ timeout: "1s" });
  await until(
    () => worker.retrieve(late.id),
    ({ status }) => status === "TIMED_OUT",
  );
  await (await show({ "token-url": late.url })).state("expired");

  const withdrawn = await worker.create();
  const page = await show({ "token-url": withdrawn.url });
  await page.state("idle");
  await worker.api(`${TOKENS}/${withdrawn.id}/cancel`, { method: "POST" });
  // To who had it open before, when they click.
  await button(page, "Approve").click();
  await page.state("withdrawn");
  assert.deepEqual(await page.evaluate(() => window.events), [["waitpoint-complete", "cancelled"]]);
  const other = await show({ "token-url": withdrawn.url });
  await other.state("withdrawn");
  assert.equal(
    await other.getByRole("status").innerText(),
    "This was withdrawn. Nothing is left to decide.",
  );
  assert.equal(await button(other, "Approve").count(), 0);

  const claims = { exp: Math.floor(Date.now() / 1000) - 1 };
  const accessToken = sign([`write:waitpoints:${token.id}`], { claims });
  await (
    await show({ "token-id": token.id, "access-token": accessToken, "base-url": worker.url })
  ).state("expired");
});

test("whoever decides second is told that it was decided", async () => {
  const token = await worker.create();
  const [first, second] = [
    await show({ "token-url": token.url }),
    await show({ "token-url": token.url }),
  ];
  await Promise.all([first.state("idle"), second.state("idle")]);
  await button(first, "Approve").click();
  await first.state("done");
  await button(second, "Reject").click();
  await second.state("decided");
  assert.equal((await worker.retrieve(token.id)).output, `{"status":"approved"}`);
});

test("a double click decides once", async () => {
  const token = await worker.create();
  const page = await show({ "token-url": token.url });
  let sent = 0;
  page.on("request", (request) => (sent += request.method() === "POST"));
  await button(page, "Approve").dblclick();
  await page.state("done");
  assert.equal(sent, 1);
});

test("what failed can be tried again, with the same decision", async () => {
  const token = await worker.create();
  const page = await show({ "token-url": token.url });
  await page.route("**/complete", (route) => route.abort());
  await page.clock.install();
  await button(page, "Reject").click();
  // The test does not wait for the delays between attempts.
  for (let second = 0; second < 40; second++) await page.clock.runFor(1_000);
  await page.state("failed");
  assert.deepEqual(await page.evaluate(() => window.events), [
    ["waitpoint-error", "network_error"],
  ]);
  await page.unroute("**/complete");
  await button(page, "Try again").click();
  await page.state("done");
  assert.equal((await worker.retrieve(token.id)).output, `{"status":"rejected"}`);
});

test("what cannot succeed offers no second try", async () => {
  const { url } = await worker.create();
  const page = await show({ "token-url": url, "access-token": sign([]), "approve-data": "{" });
  await button(page, "Approve").click();
  await page.state("failed");
  assert.equal(await button(page, "Try again").count(), 0);
  assert.deepEqual(await page.evaluate(() => window.events), [
    ["waitpoint-error", "invalid_argument"],
  ]);
});

test("markup that was there before the script works as well", async () => {
  const token = await worker.create();
  const page = await browser.page();
  const markup = `
    <waitpoint-approval
      token-id="${token.id}"
      access-token="${token.publicAccessToken}"
      base-url="${worker.url}"
    >`;
  const script = `<script type="module" src="/node_modules/waitpoint/element.js"></script>`;
  writeFileSync(
    join(folder, "static.html"),
    `<!doctype html>${markup}Go?</waitpoint-approval>${script}`,
  );
  let looked = 0;
  page.on(
    "request",
    (request) => (looked += request.method() === "GET" && request.url().startsWith(worker.url)),
  );
  await page.goto(`${site.url}/static.html`);
  await button(page, "Approve").click();
  await page.locator("waitpoint-approval[state=done]").waitFor();
  assert.deepEqual([page.errors, looked], [[], 1]);
  // A copy of it starts anew and asks for the state itself.
  await page.evaluate(() =>
    document.body.append(document.querySelector("waitpoint-approval").cloneNode(true)),
  );
  await page.locator("waitpoint-approval[state=decided]").waitFor();
});

test("an answer about the token before is not shown for the one after", async () => {
  const [first, second] = [await worker.create(), await worker.create()];
  const page = await show({ "token-url": first.url });
  let answer;
  await page.route("**/complete", (route) => (answer = () => route.continue()));
  await Promise.all([page.waitForRequest("**/complete"), button(page, "Approve").click()]);
  await page.element.evaluate((element, url) => element.setAttribute("token-url", url), second.url);
  await page.state("idle");
  await Promise.all([page.waitForResponse("**/complete"), answer()]);
  await page.unroute("**/complete");
  await button(page, "Reject").click();
  await page.state("done");
  assert.equal((await worker.retrieve(second.id)).output, `{"status":"rejected"}`);
  assert.equal((await worker.retrieve(first.id)).output, `{"status":"approved"}`);
});

test("moved in the page while it sends, it goes on", async () => {
  const token = await worker.create();
  const page = await show({ "token-url": token.url });
  await page.evaluate(() => {
    const element = document.querySelector("waitpoint-approval");
    element.decide("approve");
    document.body.append(element);
  });
  await page.state("done");
  assert.deepEqual(await page.evaluate(() => window.events), [["waitpoint-complete", "completed"]]);
});

test("focus that is elsewhere stays there", async () => {
  const token = await worker.create();
  const page = await show({ "token-url": token.url });
  await page.evaluate(() => {
    document.querySelector("main").append(document.createElement("input"));
    document.querySelector("input").focus();
    document.querySelector("waitpoint-approval").decide("approve");
  });
  await page.state("done");
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "INPUT");
});

test("the parser's own element, a later token and removal all work", async () => {
  const [first, second] = [await worker.create(), await worker.create()];
  await worker.complete(first.id, 1);
  const page = await show({ "token-url": first.url });
  await page.state("decided");
  await page.element.evaluate((element, url) => element.setAttribute("token-url", url), second.url);
  await button(page, "Approve").click();
  await page.state("done");
  await page.element.evaluate((element) => element.remove());
  await page.evaluate(
    () => (document.querySelector("main").innerHTML = "<waitpoint-approval></waitpoint-approval>"),
  );
  await page.state("idle");
  assert.deepEqual(page.errors, []);
});
