// How the pages of the inbox look in Chromium: that they fit and are legible; and pictures of them.
//
// `INBOX_SAMPLES=target/inbox cargo test write_the_pages_of_the_inbox -- --ignored && node
// tests/inbox/look.mjs target/inbox` writes a picture of each page beside it. Names of pages and
// languages after the folder limit it to these.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { ensureBrowser, FLAGS } from "../../scripts/lib/browser.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const WIDTHS = [320, 360, 640, 1280];

/** The policy that the Worker sends with these pages. */
export function policy(html) {
  const hashes = (element) =>
    [...html.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, "gs"))]
      .map(([, text]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`)
      .join(" ");
  return [
    "default-src 'none'",
    `style-src ${hashes("style")}`,
    `script-src ${hashes("script") || "'none'"}`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join("; ");
}

/** Opens a page as the Worker would serve it. */
export async function open(browser, html, options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (line) => line.type() === "error" && errors.push(line.text()));
  await page.route("http://inbox.test/**", (route) =>
    route.fulfill({
      contentType: "text/html; charset=utf-8",
      headers: { "Content-Security-Policy": policy(html) },
      body: html,
    }),
  );
  await page.goto("http://inbox.test/inbox");
  return Object.assign(page, { errors });
}

/** Checks a page in both colours and at every width. `picture(how)` names a picture's file. */
export async function checkLook(browser, html, picture = () => undefined) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of WIDTHS) {
      const how = `${colorScheme}-${width}`;
      const page = await open(browser, html, { colorScheme, viewport: { width, height: 800 } });
      const path = picture(how);
      if (path) await page.screenshot({ path, fullPage: true });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${how}: no scrolling sideways, ${wide} px`);
      assert.deepEqual(page.errors, [], how);
      if (width === 360 || width === 1280) {
        const session = await page.context().newCDPSession(page);
        await session.send("Page.setBypassCSP", { enabled: true });
        await page.reload();
        await page.evaluate(axe);
        const options = { runOnly: RULES };
        const { violations } = await page.evaluate((options) => window.axe.run(options), options);
        const found = violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
        assert.deepEqual(found, [], how);
      }
      await page.context().close();
    }
  }
}

if (process.argv[1] === import.meta.filename) {
  const [folder, ...only] = process.argv.slice(2);
  const browser = await chromium.launch({ executablePath: ensureBrowser().CHROME, args: FLAGS });
  const files = await readdir(folder, { recursive: true });
  for (const file of files.filter((name) => name.endsWith(".html"))) {
    const parts = file.replace(".html", "").split("/");
    if (only.length > 0 && !parts.every((part) => only.includes(part))) continue;
    const html = await readFile(join(folder, file), "utf8");
    try {
      await checkLook(browser, html, (how) => join(folder, `${file}-${how}.png`));
      console.log(file);
    } catch (error) {
      process.exitCode = 1;
      console.log(file, error.message);
    }
  }
  await browser.close();
}
