// The packed package in browsers that are still in use, and in those without WebAssembly.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { FLAGS } from "../../scripts/lib/browser.mjs";
import { chromiumOf, environmentRequire, find } from "../../scripts/lib/environments.mjs";
import { until, useWorker } from "../support/harness.mjs";
import { installed, useSite } from "../support/package.mjs";
import { freePort } from "../support/process.mjs";

const html = (script) =>
  `<!doctype html><title>An app</title><script type="module" src="${script}"></script>`;

const { folder } = installed({
  "app.js": `
    import * as waitpoint from "./node_modules/waitpoint/index.js";
    window.waitpoint = waitpoint;`,
  "index.html": html("./app.js"),
  "element.html": html("./node_modules/waitpoint/element.js"),
});
const worker = useWorker();
const site = useSite(folder);
const strict = useSite(folder, { "content-security-policy": "script-src 'self'" });

/**
 * What a page does with a token, one call after another. It is a text, as each browser is driven in
 * its own way.
 */
const visit = async (url, other) => {
  while (!window.waitpoint) await new Promise((resolve) => setTimeout(resolve, 10));
  const { completeToken, decodeToken, retrieveToken, waitForToken } = window.waitpoint;
  const code = (error) => error.code;
  const decode = () => {
    try {
      return decodeToken(url).environment;
    } catch (error) {
      return `${error.code} ${error.retryable}`;
    }
  };
  const before = decode();
  const { outcome } = await completeToken(url, { by: "click" });
  const after = decode();
  const { output } = await retrieveToken(url).catch((error) => ({ output: error.code }));
  const waited = waitForToken(other).then(({ output }) => output, code);
  await completeToken(other, 2);
  const refused = await completeToken("waitpoint_c1", 1, {
    accessToken: "nobody",
    baseURL: new URL(url).origin,
  }).catch(code);
  return { before, outcome, after, output, waited: await waited, refused };
};

const EVERYTHING = {
  outcome: "completed",
  after: "default",
  output: { by: "click" },
  waited: 2,
  refused: "invalid_api_key",
};
const AT_ONCE = { before: "default", ...EVERYTHING };
const FROM_THE_SECOND = { before: "wasm_unavailable true", ...EVERYTHING };
const WITHOUT = {
  ...{ before: "wasm_unavailable false", outcome: "completed", after: "wasm_unavailable false" },
  ...{ output: "wasm_unavailable", waited: "wasm_unavailable", refused: "invalid_api_key" },
};

// AWS Lambda's Chromium runs in one process.
const OLD = [
  ...FLAGS,
  "--no-zygote",
  "--single-process",
  "--use-gl=angle",
  "--use-angle=swiftshader",
];
const CHROMIUMS = {
  "Chromium 110": { executablePath: chromiumOf(110), args: OLD, expected: FROM_THE_SECOND },
  "Chromium 114": { executablePath: chromiumOf(114), args: OLD, expected: FROM_THE_SECOND },
  "Chromium without WebAssembly": {
    executablePath: process.env.CHROME,
    args: [...FLAGS, "--js-flags=--jitless"],
    expected: WITHOUT,
  },
  "Chromium whose page forbids WebAssembly": {
    executablePath: process.env.CHROME,
    args: FLAGS,
    on: strict,
    expected: WITHOUT,
  },
};

for (const [name, { executablePath, args, on = site, expected }] of Object.entries(CHROMIUMS)) {
  const skip = existsSync(executablePath ?? "") ? false : "it is for Linux on x64";
  test(`${name} completes, reads and waits as far as it can`, { skip }, async () => {
    const browser = await chromium.launch({ executablePath, args });
    try {
      const page = await (await browser.newContext()).newPage();
      const errors = [];
      page.on("pageerror", (error) => errors.push(error));
      const [token, other] = [await worker.create(), await worker.create()];
      await page.goto(`${on.url}/index.html`);
      const seen = await page.evaluate(
        `(${visit})(${JSON.stringify(token.url)}, ${JSON.stringify(other.url)})`,
      );
      assert.deepEqual(seen, expected);
      assert.equal((await worker.retrieve(token.id)).output, '{"by":"click"}');
      assert.deepEqual(errors, []);
    } finally {
      await browser.close();
    }
  });
}

test("the element decides without WebAssembly, or links to the page if that fails", async () => {
  const browser = await chromium.launch({
    executablePath: process.env.CHROME,
    args: [...FLAGS, "--js-flags=--jitless"],
  });
  try {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`${site.url}/element.html`);
    const show = (url) =>
      page.evaluate((url) => {
        const element = `<waitpoint-approval token-url="${url}">Go?</waitpoint-approval>`;
        document.body.innerHTML = element;
      }, url);
    const token = await worker.create();
    await show(token.url);
    await page.getByRole("button", { name: "Approve" }).click();
    await page.locator("waitpoint-approval[state=done]").waitFor();
    assert.equal((await worker.retrieve(token.id)).output, '{"status":"approved"}');
    const other = await worker.create();
    await show(other.url);
    await page.route("**/complete", (route) => route.abort());
    await page.getByRole("button", { name: "Reject" }).click();
    const link = page.getByRole("link", { name: "Decide on the page" });
    await link.waitFor();
    assert.equal(await link.getAttribute("href"), other.url);
  } finally {
    await browser.close();
  }
});

test("Firefox completes, reads and waits", {
  skip: find("firefox-esr") ? false : "there is no firefox-esr",
}, async () => {
  const puppeteer = await import(pathToFileURL(environmentRequire.resolve("puppeteer-core")));
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: find("firefox-esr"),
    headless: true,
  });
  try {
    const [token, other] = [await worker.create(), await worker.create()];
    for (const [on, expected] of [
      [site, AT_ONCE],
      [strict, { ...WITHOUT, outcome: "already-completed" }],
    ]) {
      const page = await browser.newPage();
      await page.goto(`${on.url}/index.html`);
      assert.deepEqual(
        await page.evaluate(
          `(${visit})(${JSON.stringify(token.url)}, ${JSON.stringify(other.url)})`,
        ),
        expected,
      );
    }
  } finally {
    await browser.close();
  }
});

const webkit = find("WebKitWebDriver") && find("xvfb-run");

test("WebKitGTK completes, reads and waits", {
  skip: webkit ? false : "there is no WebKitWebDriver or xvfb-run",
}, async () => {
  const port = await freePort();
  const env = { ...process.env, WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1" };
  const driver = spawn("xvfb-run", ["-a", "WebKitWebDriver", `--port=${port}`], {
    env,
    stdio: "ignore",
    detached: true,
  });
  const ask = async (path, body, method = "POST") => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      body: JSON.stringify(body),
    });
    const { value } = await answer.json();
    assert.ok(answer.ok, JSON.stringify(value));
    return value;
  };
  try {
    await until(
      () => fetch(`http://127.0.0.1:${port}/status`).catch(() => {}),
      (answer) => answer?.ok,
    );
    const { sessionId } = await ask("/session", { capabilities: {} });
    const session = `/session/${sessionId}`;
    await ask(`${session}/timeouts`, { script: 60_000 });
    const [token, other] = [await worker.create(), await worker.create()];
    const script = `
      const done = arguments[2];
      (${visit})(arguments[0], arguments[1]).then(done, (error) => done(String(error)));`;
    for (const [on, expected] of [
      [site, AT_ONCE],
      [strict, { ...WITHOUT, outcome: "already-completed" }],
    ]) {
      await ask(`${session}/url`, { url: `${on.url}/index.html` });
      assert.deepEqual(
        await ask(`${session}/execute/async`, { script, args: [token.url, other.url] }),
        expected,
      );
    }
    await ask(session, undefined, "DELETE");
  } finally {
    const ended = once(driver, "exit");
    process.kill(-driver.pid);
    await ended;
  }
});
