// The form of an approval on the page: filled in by people, with and without JavaScript.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { useWorker } from "../support/harness.mjs";
import { useBrowser } from "../support/package.mjs";
import { button, heading, opener } from "./browser.mjs";
import { nonceOf, open, send } from "./requests.mjs";

const require = createRequire(import.meta.url);
const worker = useWorker();
const browser = useBrowser();
const visit = opener(browser);

const CHOICES = [
  { label: "Approve", data: { status: "approved" }, style: "primary" },
  { label: "Reject", data: { status: "rejected" }, style: "danger", form: false },
];
const FIELDS = {
  name: { type: "string", title: "Your name", maxLength: 40, default: "Ann" },
  why: { type: "string", title: "Reason", description: "In a sentence or two." },
  mail: { type: "string", title: "Copy to", format: "email" },
  link: { type: "string", title: "Ticket", format: "uri" },
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
    items: { type: "string", enum: ["Operations", "Legal", "Finance"] },
    maxItems: 2,
  },
};
const form = (...names) => ({
  type: "object",
  properties: Object.fromEntries(names.map((name) => [name, FIELDS[name]])),
});
const EACH = { ...form(...Object.keys(FIELDS)), required: ["name", "day", "size"] };
const FIVE = { ...form("name", "amount", "day", "size", "teams"), required: ["name", "size"] };

const ask = (form, more) =>
  worker.create({ timeout: "1h", approval: { title: "Go?", choices: CHOICES, form, ...more } });
const output = async ({ id }) => JSON.parse((await worker.retrieve(id)).output);
const isWaiting = async ({ id }) => (await worker.retrieve(id)).status === "WAITING";

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with JavaScript" : "without JavaScript";

  test(`every kind of field is filled in and decided, ${how}`, async () => {
    const token = await ask(EACH);
    const page = await visit(token.url, { javaScriptEnabled });
    assert.equal(await page.getByLabel("Your name").inputValue(), "Ann");
    await page.getByLabel("Reason").fill("so <b>\nthere");
    await page.getByLabel("Copy to").fill("bob@example.com");
    await page.getByLabel("Ticket").fill("https://example.com/1");
    await page.getByLabel("First day").fill("2027-02-01");
    await page.getByLabel("Window").fill("2027-02-01T14:30");
    await page.getByLabel("Amount").fill("12.50");
    await page.getByLabel("Seats").fill("3");
    await page.getByLabel("Urgent").check();
    await page.getByRole("radiogroup", { name: "Size" }).getByLabel("M").check();
    await page.getByLabel("Plan").selectOption("Plan B");
    await page.getByLabel("Operations").check();
    await page.getByLabel("Finance").check();
    await page.getByLabel("Comment").fill("fine");
    await button(page, "Approve").click();
    await heading(page, "Approve");
    assert.deepEqual(await output(token), {
      status: "approved",
      fields: {
        name: "Ann",
        why: "so <b>\nthere",
        mail: "bob@example.com",
        link: "https://example.com/1",
        day: "2027-02-01",
        at: "2027-02-01T14:30:00Z",
        amount: 12.5,
        seats: 3,
        urgent: true,
        size: "M",
        plan: "b",
        teams: ["Operations", "Finance"],
      },
      comment: "fine",
    });
    const details = await page.locator("dl").innerText();
    for (const shown of ["Your name", "so <b>", "Plan B", "Operations", "Yes"])
      assert.ok(details.includes(shown), `${shown}: ${details}`);
    assert.deepEqual(page.errors, []);
  });

  test(`all faults are told, beside their fields, and nothing is lost, ${how}`, async () => {
    const token = await ask(EACH);
    const page = await visit(token.url, { javaScriptEnabled });
    // The browser's own checks are helpful and no more.
    await page.locator("form").evaluate((form) => (form.noValidate = true));
    await page.getByLabel("Your name").fill("");
    await page.getByLabel("Copy to").fill("bob");
    await page.getByLabel("Amount").fill("5001");
    await page.getByLabel("Urgent").check();
    await page.getByLabel("Plan").selectOption("Plan A");
    for (const team of ["Operations", "Legal", "Finance"]) await page.getByLabel(team).check();
    await button(page, "Approve").click();
    const alert = page.getByRole("alert");
    await alert.getByText("Please correct the following:").waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), "alert");
    assert.deepEqual(
      (await alert.getByRole("link").allInnerTexts()).map((text) => text.split(":")[0]),
      ["Your name", "Copy to", "First day", "Amount", "Size", "Teams"],
    );
    assert.ok(await isWaiting(token));
    assert.equal(await page.getByLabel("Your name").inputValue(), "", "no default returns");
    assert.equal(await page.getByLabel("Copy to").inputValue(), "bob");
    assert.equal(await page.getByLabel("Amount").inputValue(), "5001");
    assert.ok(await page.getByLabel("Urgent").isChecked());
    assert.equal(await page.getByLabel("Plan").inputValue(), "0");
    for (const team of ["Operations", "Legal", "Finance"])
      assert.ok(await page.getByLabel(team).isChecked());

    // A link of the summary leads to the field, whose sentence is tied to it.
    await alert.getByRole("link", { name: /^Amount/ }).click();
    const focused = await page.evaluate(() => {
      const { id, ariaInvalid } = document.activeElement;
      const texts = document.activeElement.getAttribute("aria-describedby").split(" ");
      return [id, ariaInvalid, texts.map((id) => document.getElementById(id).textContent)];
    });
    assert.deepEqual(focused, ["field-6", "true", ["Enter 5000 or less."]]);
    await alert.getByRole("link", { name: /^Size/ }).click();
    assert.equal(await page.evaluate(() => document.activeElement.type), "radio");

    await page.getByLabel("Your name").fill("Bob");
    await page.getByLabel("Copy to").fill("");
    await page.getByLabel("First day").fill("2027-02-01");
    await page.getByLabel("Amount").fill("5000");
    await page.getByRole("radiogroup", { name: "Size" }).getByLabel("L").check();
    await page.getByLabel("Legal").uncheck();
    await button(page, "Approve").click();
    await heading(page, "Approve");
    const { fields } = await output(token);
    assert.deepEqual(fields, {
      name: "Bob",
      day: "2027-02-01",
      amount: 5000,
      urgent: true,
      size: "L",
      plan: "a",
      teams: ["Operations", "Finance"],
    });
  });

  test(`a choice that sends no form needs none, ${how}`, async () => {
    for (const confirm of ["click", "choose"]) {
      const token = await ask(EACH, { confirm });
      const page = await visit(token.url, { javaScriptEnabled });
      await page.getByLabel("Your name").fill("");
      if (confirm === "choose") {
        await page.getByLabel("Reject").check();
        await button(page, "Send decision").click();
      } else await button(page, "Reject").click();
      await heading(page, "Reject");
      assert.deepEqual(await output(token), { status: "rejected" });
    }
  });

  test(`Enter in a field decides nothing, ${how}`, async () => {
    const token = await ask(form("name", "amount"));
    const page = await visit(token.url, { javaScriptEnabled });
    let posts = 0;
    page.on("request", (request) => (posts += request.method() === "POST"));
    for (const label of ["Your name", "Amount"]) await page.getByLabel(label).press("Enter");
    await page.waitForTimeout(300);
    assert.equal(posts, 0);
    assert.ok(await isWaiting(token));
  });
}

test("the keyboard is enough to fill in and decide", async () => {
  const token = await ask(FIVE);
  const page = await visit(token.url);
  const { keyboard } = page;
  await keyboard.press("Tab");
  await keyboard.type("Bob");
  await keyboard.press("Tab");
  await keyboard.type("7");
  await page.getByLabel("First day").focus();
  // A day that is the same whichever of its numbers comes first.
  await keyboard.type("03032027");
  await page.getByRole("radiogroup").getByLabel("S").focus();
  await keyboard.press("Space");
  await keyboard.press("ArrowDown");
  await keyboard.press("Tab");
  await keyboard.press("Space");
  await button(page, "Approve").focus();
  await keyboard.press("Enter");
  await heading(page, "Approve");
  assert.deepEqual(await output(token), {
    status: "approved",
    fields: { name: "Bob", amount: 7, day: "2027-03-03", size: "M", teams: ["Operations"] },
  });
});

test("seconds of a default, and a whole number that was none, do not catch anybody", async () => {
  const token = await ask({
    type: "object",
    properties: {
      at: { ...FIELDS.at, default: "2027-02-01T14:30:15+02:00" },
      seats: { type: "integer", title: "Seats" },
    },
  });
  const page = await visit(token.url);
  const window = page.getByLabel("Window");
  assert.equal(await window.inputValue(), "2027-02-01T12:30:15");
  await window.fill("2027-02-01T12:31");
  await page.locator("form").evaluate((form) => (form.noValidate = true));
  await page.getByLabel("Seats").fill("1.5");
  await button(page, "Approve").click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Seats").fill("2");
  await button(page, "Approve").click();
  await heading(page, "Approve");
  assert.deepEqual((await output(token)).fields, { at: "2027-02-01T12:31:00Z", seats: 2 });
});

test("what somebody has begun to fill in stays when somebody else decides", async () => {
  const begin = {
    "Your name (optional)": (field) => field.fill("Bob"),
    Urgent: (field) => field.check(),
    "Plan (optional)": (field) => field.selectOption("Plan B"),
    S: (field) => field.check(),
    untouched: undefined,
    corrected: undefined,
  };
  await Promise.all(
    Object.entries(begin).map(async ([label, change]) => {
      const more = label === "corrected" ? { confirm: "choose", comment: "required" } : {};
      const token = await ask(
        { ...form("name", "urgent", "plan", "size"), required: ["size"] },
        more,
      );
      const page = await visit(token.url);
      if (change) await change(page.getByLabel(label, { exact: true }));
      if (label === "corrected") {
        await page.locator("form").evaluate((form) => (form.noValidate = true));
        await page.getByLabel("Your name").fill("Bob");
        await button(page, "Send decision").click();
        await page.getByRole("alert").waitFor();
      }
      await worker.complete(token.id, { status: "rejected" });
      if (label === "untouched") return heading(page, "Reject");
      await page.getByRole("link", { name: "Show the decision" }).waitFor();
      if (label === "corrected")
        assert.equal(await page.getByLabel("Your name").inputValue(), "Bob");
    }),
  );
});

test("odd forms are faults or ignored, never trouble", async () => {
  const token = await ask({ ...FIVE, required: ["size"] });
  const nonce = nonceOf(await (await open(token.url)).text());
  const post = (pairs) => {
    const body = new URLSearchParams([["waitpoint_nonce", nonce], ["choice", "0"], ...pairs]);
    return open(token.url, { method: "POST", body });
  };
  for (const pairs of [
    [],
    [["field-3", "9"]],
    [["field-3", "S\u0000"]],
    [["field-1", "1e999"]],
    [["field-2", "2027-02-30"]],
    [["field-0", "x".repeat(41)]],
    [["field-0", "‹".repeat(20_000)]],
    Array.from({ length: 900 }, () => ["field-4", "0"]),
    [
      ["field-4", "0"],
      ["field-4", "0"],
    ],
  ]) {
    const answer = await post(pairs);
    assert.equal(answer.status, 422, JSON.stringify(pairs).slice(0, 80));
    assert.match(await answer.text(), /role="alert"/);
  }
  const long = await post([["field-0", "x".repeat(272 * 1024)]]);
  assert.equal(long.status, 413);
  assert.match(await long.text(), /Go back and shorten what you wrote/);
  assert.ok(await isWaiting(token));
  const odd = [
    ["field-99", "x"],
    ["field--1", "x"],
    ["field-", "x"],
    ["field-07", "x"],
    ["field-3", "1"],
    ["field-3", "2"],
  ];
  assert.equal((await post(odd)).status, 303);
  assert.deepEqual((await output(token)).fields, { size: "M" });
});

test("a form's page fits into 14 KB, compressed, with its headers", async () => {
  const token = await ask(FIVE);
  const pages = [await open(token.url), await send(token.url, { choice: "0" })];
  assert.deepEqual(
    pages.map(({ status }) => status),
    [200, 422],
  );
  for (const page of pages) {
    const head = [...page.headers].map((header) => header.join(": ")).join("\r\n");
    const body = await page.text();
    for (const compressed of [gzipSync(body, { level: 6 }), brotliCompressSync(body)]) {
      const size = head.length + compressed.length;
      assert.ok(size <= 14_000, `${size} bytes`);
    }
  }
});

test("forms fail none of axe's rules, and fit, light and dark, from left and right", async () => {
  const axe = readFileSync(require.resolve("axe-core"), "utf8");
  const [each, typed, done] = [
    await ask(EACH),
    await ask(EACH, { confirm: "typed" }),
    await ask(FIVE),
  ];
  const decision = { choice: "0", "field-0": "Bob", "field-3": "1", "field-4": "0" };
  assert.equal((await send(done.url, decision)).status, 303);
  const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  for (const options of [
    { colorScheme: "light" },
    { colorScheme: "dark" },
    { colorScheme: "light", forcedColors: "active" },
  ]) {
    for (const lang of ["en", "ar"]) {
      const page = await browser.page({ ...options, viewport: { width: 320, height: 600 } });
      const check = async (what) => {
        await page.evaluate(axe);
        const run = (rules) => window.axe.run({ runOnly: rules });
        const { violations } = await page.evaluate(run, RULES);
        const found = violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
        assert.deepEqual(found, [], `${what} ${JSON.stringify(options)} ${lang}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${what}: ${wide} px too wide, ${JSON.stringify(options)} ${lang}`);
        const targets = "button:not([hidden]), select, textarea, .option, .field > input";
        for (const target of await page.locator(targets).all()) {
          const { height } = await target.boundingBox();
          assert.ok(height >= 44, `${what}: ${height} px, ${await target.innerText()}`);
        }
      };
      for (const [what, { url }] of Object.entries({ each, typed, done })) {
        await page.goto(`${url}?lang=${lang}`);
        await check(what);
        if (what === "done") continue;
        await page.locator("form").evaluate((form) => (form.noValidate = true));
        await page.locator("#field-0").fill("");
        await page.locator("button:not([hidden])").first().click();
        await page.getByRole("alert").waitFor();
        await check(`${what} with faults`);
      }
      await page.close();
    }
  }
});
