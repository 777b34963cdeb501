// waitForToken of the packed package in a browser on another origin, and in a Worker.
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createTestHarness } from "wrangler";
import { KEY, useWorker } from "../support/harness.mjs";
import { installed, useBrowser, useSite } from "../support/package.mjs";
import { useProxy } from "../support/proxy.mjs";

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
const proxy = useProxy(worker);

/** A page of another origin that waits for a token. `heard()` is the next message of its socket. */
async function pageThatWaits(token, script = "") {
  const page = await browser.page();
  const sockets = new EventEmitter();
  page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => sockets.emit("heard", payload)),
  );
  page.heard = () => once(sockets, "heard");
  await page.addInitScript(script);
  await page.goto(`${site.url}/index.html`);
  await page.waitForFunction(() => window.waitpoint);
  await page.evaluate((token) => {
    Math.random = () => 0;
    window.controller = new AbortController();
    window.ask = (name) => window.waitpoint[name](token, { signal: window.controller.signal });
  }, token);
  page.start = () =>
    page.evaluate(() => {
      window.waited = window.ask("waitForToken").catch((error) => error.code);
    });
  page.told = () => page.evaluate(() => window.waited);
  return page;
}

test("a page is told by its socket, which is a new one when the network comes back", async () => {
  const token = await worker.create();
  const page = await pageThatWaits(token);
  const first = page.heard();
  await page.start();
  assert.equal(JSON.parse(await first).status, "WAITING");
  const again = page.heard();
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await again;
  await worker.complete(token.id, { go: true });
  const told = await page.told();
  assert.deepEqual(
    [told.status, told.output, told.completedAt instanceof Date],
    ["COMPLETED", { go: true }, true],
  );
  assert.deepEqual(told, await page.evaluate(() => window.ask("retrieveToken")));
  assert.deepEqual(page.errors, []);
});

test("a page without sockets waits by long poll, and one that gives up is let go", async () => {
  const token = await worker.create();
  const page = await pageThatWaits(token, "delete window.WebSocket");
  const [request] = await Promise.all([page.waitForRequest("**/wait"), page.start()]);
  assert.equal(request.headers().prefer, "wait=25");
  await worker.complete(token.id, 0);
  assert.equal((await page.told()).output, 0);
  const other = await pageThatWaits(await worker.create());
  await Promise.all([other.heard(), other.start()]);
  await other.evaluate(() => window.controller.abort());
  assert.equal(await other.told(), "aborted");
  assert.deepEqual([...page.errors, ...other.errors], []);
});

test("a Worker waits for what is decided elsewhere", async () => {
  writeFileSync(
    join(folder, "worker.js"),
    `import { waitForToken } from "waitpoint";
     export default {
       async fetch(request, { BASE, KEY }) {
         const id = new URL(request.url).pathname.slice(1);
         const options = { baseURL: BASE, accessToken: KEY, signal: AbortSignal.timeout(20_000) };
         const given = AbortSignal.abort();
         const waited = waitForToken(id, { ...options, signal: given });
         const code = await waited.catch(({ code }) => code);
         const { status, output } = await waitForToken(id, options);
         return Response.json({ code, status, output });
       },
     };`,
  );
  writeFileSync(
    join(folder, "wrangler.json"),
    JSON.stringify({ name: "app", main: "worker.js", compatibility_date: "2026-08-01" }),
  );
  const vars = { BASE: proxy.url, KEY };
  const server = createTestHarness({
    root: folder,
    workers: [{ configPath: join(folder, "wrangler.json"), vars }],
  });
  const { url } = await server.listen();
  try {
    const { id } = await worker.create();
    // Local Workers cannot open sockets to others, so this becomes a long poll.
    const asked = once(proxy, "asked");
    const answer = fetch(new URL(id, url));
    await asked;
    await worker.complete(id, "decided");
    assert.deepEqual(await (await answer).json(), {
      code: "aborted",
      status: "COMPLETED",
      output: "decided",
    });
  } finally {
    await server.close();
  }
});
