// What <waitpoint-approval> offers of a token's approval: its choices, its form, its approvers.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { button, useElement } from "../support/element.mjs";
import { sign, useWorker } from "../support/harness.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core"), "utf8");
const worker = useWorker();
const { browser, site, show } = useElement();

const CHOICES = [
  { label: "Refund", data: { go: true }, style: "primary" },
  { label: "Half", data: 7 },
  { label: "Refuse", style: "danger", form: false },
];
const FORMLESS = CHOICES.map(({ form, ...choice }) => choice);
const EACH = {
  type: "object",
  properties: {
    name: { type: "string", title: "Your name", minLength: 2, maxLength: 40, default: "Ann" },
    why: { type: "string", title: "Reason", description: "In a sentence or two." },
    mail: { type: "string", title: "Copy to", format: "email" },
    day: { type: "string", title: "First day", format: "date" },
    at: { type: "string", title: "Window", format: "date-time" },
    amount: { type: "number", title: "Amount", minimum: 0, maximum: 5000 },
    seats: { type: "integer", title: "Seats", minimum: 1 },
    urgent: { type: "boolean", title: "Urgent" },
    size: { type: "string", title: "Size", enum: ["S", "M", "L"] },
    plan: {
      type: "string",
      title: "Plan",
      oneOf: [
        { const: "a", title: "Plan A" },
        { const: "b", title: "Plan B" },
      ],
    },
    teams: {
      type: "array",
      title: "Teams",
      items: { type: "string", enum: ["Ops", "Legal", "Finance"] },
      maxItems: 2,
    },
  },
  required: ["name", "amount", "size"],
};
const ask = (approval) => worker.create({ approval });
const output = async ({ id }) => JSON.parse((await worker.retrieve(id)).output);

test("the token's choices are offered, and what they send is what the page would", async () => {
  const approval = { title: "Refund?", choices: FORMLESS };
  for (const [label, comment, expected] of [
    ["Refund", "fine", { go: true, comment: "fine" }],
    ["Half", "", 7],
    ["Half", "fine", { data: 7, comment: "fine" }],
    ["Refuse", "", { choice: "Refuse" }],
  ]) {
    const token = await ask(approval);
    const page = await show({ "token-url": token.url });
    await button(page, "Refund").waitFor();
    assert.deepEqual(await page.getByRole("button").allInnerTexts(), ["Refund", "Half", "Refuse"]);
    await page.getByLabel("Comment").fill(comment);
    await button(page, label).click();
    await page.state("done");
    assert.deepEqual(await output(token), expected);
    assert.deepEqual(page.errors, []);
  }
});

test("markup wins over the token's choices and its comment", async () => {
  const token = await ask({ title: "Refund?", choices: [{ label: "Refund" }] });
  const page = await show({ "token-url": token.url, approve: "Ja", comment: "none" });
  await button(page, "Ja").waitFor();
  assert.equal(await button(page, "Refund").count(), 0);
  assert.equal(await page.getByLabel("Comment").isVisible(), false);
  await button(page, "Ja").click();
  await page.state("done");
  assert.deepEqual(await output(token), { status: "approved" });
});

test("a credential that may only write is offered Approve and Reject", async () => {
  const token = await ask({ title: "Refund?", choices: [{ label: "Refund" }] });
  const accessToken = sign([`write:waitpoints:${token.id}`]);
  const page = await show({
    "token-id": token.id,
    "access-token": accessToken,
    "base-url": worker.url,
  });
  await button(page, "Reject").click();
  await page.state("done");
  assert.deepEqual(await output(token), { status: "rejected" });
});

test("a form is filled in with native controls, and becomes fields of the output", async () => {
  const token = await ask({ choices: CHOICES, form: EACH, validate: "all" });
  const page = await show({ "token-url": token.url });
  const fill = (label, text) => page.getByLabel(label).fill(text);
  await fill("Your name", " Bob ");
  await fill("Reason", "so <b>\nthere");
  await fill("First day", "2027-02-01");
  await fill("Window (UTC)", "2027-02-01T14:30");
  await fill("Amount", "12.5");
  await fill("Seats", "3");
  await page.getByRole("radiogroup", { name: "Size" }).getByLabel("M").check();
  await page.getByLabel("Plan").selectOption("Plan B");
  await page.getByRole("group", { name: "Teams" }).getByLabel("Legal").check();
  await button(page, "Half").click();
  await page.state("done");
  assert.deepEqual(await output(token), {
    data: 7,
    fields: {
      name: "Bob",
      why: "so <b>\nthere",
      day: "2027-02-01",
      at: "2027-02-01T14:30:00Z",
      amount: 12.5,
      seats: 3,
      urgent: false,
      size: "M",
      plan: "b",
      teams: ["Legal"],
    },
  });
  assert.equal(await page.getByLabel("Amount").isVisible(), false);
  assert.deepEqual(page.errors, []);
});

test("faults are told beside their fields, all at once, and nothing is sent or lost", async () => {
  const token = await ask({ choices: CHOICES, form: EACH });
  const page = await show({ "token-url": token.url });
  let sent = 0;
  page.on("request", (request) => (sent += request.method() === "POST"));
  await page.getByLabel("Your name").fill("B");
  await page.getByLabel("Copy to").fill("bob");
  await page.getByLabel("Amount").fill("5001");
  await page.getByLabel("Seats").pressSequentially("1e");
  for (const team of ["Ops", "Legal", "Finance"]) await page.getByLabel(team).check();
  await button(page, "Refund").click();
  const faults = page.locator("[part=fault]:visible");
  assert.equal(await faults.count(), 6);
  assert.equal(await faults.first().innerText(), "Use at least 2 characters.");
  assert.match(await faults.nth(2).innerText(), /5000/);
  assert.equal(await faults.last().innerText(), "Choose at most 2.");
  const focused = await page.element.evaluate(({ shadowRoot }) => {
    const { id, ariaInvalid } = shadowRoot.activeElement;
    const described = shadowRoot.activeElement.getAttribute("aria-describedby");
    return [id, ariaInvalid, shadowRoot.getElementById(described).textContent];
  });
  assert.deepEqual(focused, ["field-0", "true", "Use at least 2 characters."]);
  assert.deepEqual([sent, await page.element.getAttribute("state")], [0, "idle"]);
  await page.getByLabel("Your name").fill("Bo");
  await page.getByLabel("Copy to").fill("");
  await page.getByLabel("Amount").fill("5000");
  await page.getByLabel("Seats").fill("");
  await page.getByRole("radiogroup").getByLabel("L").check();
  await page.getByLabel("Legal").uncheck();
  await button(page, "Refund").click();
  await page.state("done");
  const { fields } = await output(token);
  assert.deepEqual(fields, {
    name: "Bo",
    amount: 5000,
    urgent: false,
    size: "L",
    teams: ["Ops", "Finance"],
  });
});

test("a choice that sends no form needs none", async () => {
  const token = await ask({ choices: CHOICES, form: EACH, validate: "all" });
  const page = await show({ "token-url": token.url });
  await page.getByLabel("Your name").fill("");
  await button(page, "Refuse").click();
  await page.state("done");
  assert.deepEqual(await output(token), { choice: "Refuse" });
});

test("what the server finds wrong is told beside the field, and can be corrected", async () => {
  const form = {
    type: "object",
    properties: { "a/b~": { type: "string", format: "email", title: "Copy to" } },
  };
  const token = await ask({ form, validate: "all" });
  const page = await show({ "token-url": token.url });
  // Browsers take it for an address.
  await page.getByLabel("Copy to").fill("bob@localhost");
  await button(page, "Approve").click();
  await page.locator("[part=fault]:visible").waitFor();
  assert.match(await page.locator("[part=fault]").innerText(), /^"bob@localhost" is not valid\./);
  assert.equal(await page.element.getAttribute("state"), "idle");
  assert.deepEqual(await page.evaluate(() => window.events), [
    ["waitpoint-error", "invalid_fields"],
  ]);
  await page.getByLabel("Copy to").fill("bob@example.com");
  await button(page, "Approve").click();
  await page.state("done");
  assert.deepEqual(await output(token), {
    status: "approved",
    fields: { "a/b~": "bob@example.com" },
  });
});

test("a token with approvers is decided on its page, to which the element links", async () => {
  const approvers = [{ id: "ann", name: "Ann" }];
  const { url, links } = await ask({ choices: CHOICES.slice(0, 1), approvers });
  for (const link of [url, links[0].url]) {
    const page = await show({ "token-url": link });
    await button(page, "Refund").click();
    await page.state("failed");
    assert.match(await page.getByRole("status").innerText(), /decided by its approvers/);
    assert.equal(
      await page.getByRole("link", { name: "Decide on the page" }).getAttribute("href"),
      link,
    );
    assert.equal(await button(page, "Try again").count(), 0);
  }
});

test("a question that cannot be loaded is not guessed, and can be loaded again", async () => {
  const token = await ask({ choices: [{ label: "Refund" }] });
  const page = await browser.page();
  await page.route(`${worker.url}/**`, (route) => route.abort());
  await page.clock.install();
  await page.goto(`${site.url}/index.html`);
  await page.evaluate((url) => {
    document.querySelector("main").innerHTML =
      `<waitpoint-approval token-url="${url}"></waitpoint-approval>`;
  }, token.url);
  for (let second = 0; second < 20; second++) await page.clock.runFor(1_000);
  await page.locator("waitpoint-approval[state=failed]").waitFor();
  assert.deepEqual(await page.getByRole("button").allInnerTexts(), ["Try again"]);
  await page.unroute(`${worker.url}/**`);
  await button(page, "Try again").click();
  await button(page, "Refund").click();
  await page.locator("waitpoint-approval[state=done]").waitFor();
  assert.deepEqual(await output(token), { choice: "Refund" });
});

test("what was filled in stays if the element is moved, and goes with its token", async () => {
  const [first, second] = [await ask({ form: EACH }), await ask({ form: EACH })];
  const page = await show({ "token-url": first.url });
  await page.getByLabel("Reason").fill("because");
  await page.element.evaluate((element) => document.body.append(element));
  await button(page, "Approve").waitFor();
  assert.equal(await page.getByLabel("Reason").inputValue(), "because");
  await page.element.evaluate((element, url) => element.setAttribute("token-url", url), second.url);
  await button(page, "Approve").waitFor();
  assert.equal(await page.getByLabel("Reason").inputValue(), "");
});

test("decide() takes the label of a choice, and waits until it is known", async () => {
  const token = await ask({ choices: FORMLESS });
  const page = await show({});
  const told = await page.element.evaluate(async (element, url) => {
    element.setAttribute("token-url", url);
    const refused = await element.decide("approve").catch(({ message }) => message);
    await element.decide("Refuse");
    return [refused, element.state];
  }, token.url);
  assert.deepEqual(told, ["approve is not a decision. Use Refund or Half or Refuse.", "done"]);
});

for (const colorScheme of ["light", "dark"]) {
  test(`no state fails axe's rules, ${colorScheme}`, async () => {
    const token = await ask({ choices: CHOICES, form: EACH });
    const page = await show({ "token-url": token.url, comment: "optional" }, "<h1>Publish?</h1>", {
      colorScheme,
    });
    for (const step of [
      () => button(page, "Refund").waitFor(),
      () => button(page, "Refund").click(),
      () =>
        button(page, "Refuse")
          .click()
          .then(() => page.state("done")),
    ]) {
      await step();
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() =>
        window.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }),
      );
      assert.deepEqual(
        violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
        [],
      );
    }
  });
}
