// A click counts even though its page goes away at once.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { until, useWorker } from "../support/harness.mjs";
import { installed, useBrowser, useSite } from "../support/package.mjs";

const { folder } = installed({
  "index.html": `<!doctype html><title>An app</title>
    <script type="module">
      import * as waitpoint from "/node_modules/waitpoint/index.js";
      window.waitpoint = waitpoint;
    </script>`,
});
const worker = useWorker();
const browser = useBrowser();
const site = useSite(folder);

/** A page that has imported the package. */
async function open() {
  const page = await browser.page();
  await page.goto(`${site.url}/index.html`);
  await page.waitForFunction(() => window.waitpoint);
  return page;
}

test("a click completes though the tab goes away at once, 10 of 10", async () => {
  const tokens = await Promise.all(Array.from({ length: 10 }, () => worker.create()));
  for (const [n, token] of tokens.entries()) {
    const page = await open();
    const leaves = n % 2 === 0;
    await page.evaluate(
      ([token, leaves]) => {
        window.waitpoint.completeToken(token, "clicked");
        // In the same task, so that deferred work would not run.
        if (leaves) location.href = "about:blank";
      },
      [token, leaves],
    );
    if (!leaves) await page.close();
  }
  for (const { id } of tokens) {
    const { output } = await until(
      () => worker.retrieve(id),
      ({ status }) => status === "COMPLETED",
    );
    assert.equal(output, '"clicked"');
  }
});

/** A server on another origin that delays each preflight and counts the requests. */
async function slowServer(millis) {
  const arrived = [];
  const cors = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "*",
    "access-control-max-age": "0",
  };
  const server = createServer((request, response) => {
    if (request.method === "OPTIONS")
      return setTimeout(() => response.writeHead(204, cors).end(), millis);
    arrived.push(request.url);
    response.writeHead(200, cors).end('{"success":true}');
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    arrived,
    baseURL: `http://127.0.0.1:${server.address().port}`,
    close: () => server.close(),
  };
}

test("a click whose tab closes at once outlives a preflight of 300 ms, 10 of 10", async () => {
  const server = await slowServer(300);
  for (let n = 0; n < 10; n++) {
    const page = await open();
    const preflight = page
      .waitForRequest((request) => request.url().startsWith(server.baseURL))
      .catch(() => {});
    await page.evaluate(
      ([n, baseURL]) =>
        void window.waitpoint.completeToken(`w${n}`, 1, { baseURL, accessToken: "a" }),
      [n, server.baseURL],
    );
    await preflight;
    await page.close();
  }
  await until(
    () => server.arrived,
    ({ length }) => length === 10,
  );
  server.close();
});

test("a request leaves before what the page does next, such as an alert, 10 of 10", async () => {
  const server = await slowServer(0);
  for (let n = 0; n < 10; n++) {
    const page = await open();
    const shown = page.waitForEvent("dialog");
    const script = ([n, baseURL]) => {
      window.waitpoint.completeToken(`w${n}`, 1, { baseURL, accessToken: "a" });
      alert("Thanks");
    };
    page.evaluate(script, [n, server.baseURL]).catch(() => {});
    await shown;
    await page.close({ runBeforeUnload: false });
  }
  await until(
    () => server.arrived,
    ({ length }) => length === 10,
  );
  server.close();
});
