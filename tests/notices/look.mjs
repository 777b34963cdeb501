// How a mail looks in Chromium: that it fits, is legible, and has one link; and pictures of it.
//
// `cargo test write_the_mails -- --ignored && node tests/notices/look.mjs` checks what stands in
// `target/mails` and writes a picture of each mail beside it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { ensureBrowser, FLAGS } from "../../scripts/lib/browser.mjs";
import { root } from "../../scripts/lib/process.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core"), "utf8");
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** The mail as a strict program shows it: without style sheets, <html>, <head> and <body>. */
export const stripped = (html) =>
  html
    .replace(/<style>.*?<\/style>/s, "")
    .replace(/<head>.*?<\/head>/s, "")
    .replace(/<\/?(?:html|body)\b[^>]*>/g, "");

/**
 * Checks a mail's HTML at the widths of a phone and of a reading pane, light and dark, as it is and
 * as strict programs show it. `picture(how)` names the file of a picture, or nothing.
 */
export async function checkLook(browser, html, picture = () => undefined) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [320, 600]) {
      for (const [kind, shown] of Object.entries({ full: html, stripped: stripped(html) })) {
        const how = `${kind}-${colorScheme}-${width}`;
        const viewport = { width, height: 600 };
        const page = await (await browser.newContext({ colorScheme, viewport })).newPage();
        const loaded = [];
        page.on("request", (request) => loaded.push(request.url()));
        await page.setContent(shown);
        const path = picture(how);
        if (path) await page.screenshot({ path, fullPage: true });

        assert.deepEqual(loaded, [], "a mail loads nothing");
        const look = await page.evaluate(() => ({
          width: document.documentElement.scrollWidth,
          links: [...document.querySelectorAll("[href], [src], form, button")].map(
            ({ localName }) => localName,
          ),
          button: document.querySelector("a").getBoundingClientRect().height,
        }));
        assert.equal(look.width, width, `${how}: no scrolling sideways`);
        assert.deepEqual(look.links, ["a"], how);
        assert.ok(look.button >= 44, `${how}: a button for thumbs, ${look.button} px`);

        await page.evaluate(axe);
        // The title and the language around a fragment are the mail program's.
        const off = { enabled: kind === "full" };
        const options = { runOnly: RULES, rules: { "document-title": off, "html-has-lang": off } };
        const { violations } = await page.evaluate((options) => window.axe.run(options), options);
        const found = violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
        assert.deepEqual(found, [], how);
        await page.context().close();
      }
    }
  }
}

if (process.argv[1] === import.meta.filename) {
  const folder = process.argv[2] ?? join(root, "target", "mails");
  const browser = await chromium.launch({
    executablePath: ensureBrowser().CHROME,
    args: FLAGS,
  });
  for (const file of (await readdir(folder)).filter((name) => name.endsWith(".html"))) {
    const html = await readFile(join(folder, file), "utf8");
    await checkLook(browser, html, (how) => join(folder, `${file}-${how}.png`));
    console.log(file);
  }
  await browser.close();
}
