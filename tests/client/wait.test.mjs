// waitForToken of the packed package: in Node, in a browser on another origin and in a Worker,
// against the real Worker, over connections that break.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter, getEventListeners, once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { createTestHarness } from "wrangler";
import { KEY, sign, useWorker } from "../support/harness.mjs";
import { installed, useBrowser, useSite } from "../support/package.mjs";

const { folder } = installed({
  "index.html": `<!doctype html><title>An app</title>
    <script type="module">import * as waitpoint from "/node_modules/waitpoint/index.js"; window.waitpoint = waitpoint;</script>`,
});
const { completeToken, retrieveToken, waitForToken } = await import(
  pathToFileURL(join(folder, "node_modules/waitpoint/index.js"))
);
const worker = useWorker();
const browser = useBrowser();
const site = useSite(folder);
const proxy = useProxy();

/**
 * A way to the Worker that can be cut. It tells when a wait is `asked` for and when a socket is
 * `opened`, and what it has `refused`.
 */
function useProxy() {
  const proxy = Object.assign(new EventEmitter(), { url: "", pairs: new Set(), refuses: false });
  const server = createServer((client) => {
    if (proxy.refuses) {
      client.destroy();
      return proxy.emit("refused");
    }
    const { hostname, port } = new URL(proxy.to ?? worker.url);
    const pair = { client, upstream: connect(port, hostname), mute: false };
    proxy.pairs.add(pair);
    const pass = (from, to, event, sign) => {
      from.on("data", (chunk) => {
        if (pair.mute) return;
        to.write(chunk);
        if (sign.test(chunk)) proxy.emit(event);
      });
      from.on("error", () => {});
      from.on("close", () => {
        to.destroy();
        proxy.pairs.delete(pair);
      });
    };
    pass(client, pair.upstream, "asked", /^GET \S+\/wait /);
    pass(pair.upstream, client, "opened", /^HTTP\/1.1 101 /);
  });
  proxy.cut = () => {
    for (const { client } of proxy.pairs) client.destroy();
  };
  /** What is connected stays so, but nothing more comes through. */
  proxy.mute = () => {
    for (const pair of proxy.pairs) pair.mute = true;
  };
  before(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
    proxy.url = `http://127.0.0.1:${server.address().port}`;
  });
  after(() => {
    proxy.cut();
    server.close();
  });
  return proxy;
}

/** The sockets that this process opened, and what they heard. */
const sockets = Object.assign(new EventEmitter(), { all: [] });
const { WebSocket, setTimeout } = globalThis;
const { random } = Math;
class Watched extends WebSocket {
  heard = [];
  constructor(...args) {
    super(...args);
    sockets.all.push(this);
    this.addEventListener("message", ({ data }) => {
      this.heard.push(data);
      sockets.emit("heard", data);
    });
    this.addEventListener("close", () => sockets.emit("closed"));
  }
}
const TRANSPORTS = { socket: Watched, "long poll": undefined };

afterEach(() => {
  Object.assign(globalThis, { WebSocket: Watched, setTimeout });
  Math.random = random;
  sockets.all = [];
});

const error = (promise) =>
  promise.then(
    () => assert.fail("it was not refused"),
    (error) => error,
  );

for (const [name, Socket] of Object.entries(TRANSPORTS)) {
  /** Waits by this transport, and tells when it listens. */
  const wait = async (token, options) => {
    globalThis.WebSocket = Socket;
    const listens = Socket ? once(sockets, "heard") : once(proxy, "asked");
    const waited = waitForToken(token, { baseURL: proxy.url, ...options });
    waited.catch(() => {});
    await listens;
    return { waited };
  };

  test(`by ${name} a decision ends the wait, as retrieveToken tells it`, async () => {
    for (const data of [{ go: "é\u{1f600}" }, null, "x".repeat(300_000)]) {
      const token = await worker.create({ timeout: "1h", tags: ["a"] });
      const { waited } = await wait(token);
      await worker.complete(token.id, data);
      const end = await waited;
      assert.deepEqual([end.status, end.output], ["COMPLETED", data]);
      assert.deepEqual(end, await retrieveToken(token, { baseURL: proxy.url }));
    }
    assert.equal(sockets.all.length, Socket ? 3 : 0);
  });

  test(`by ${name} a token that times out ends the wait and rejects nothing`, async () => {
    const token = await worker.create({ timeout: "1s" });
    const { waited } = await wait(token, { accessToken: KEY });
    const { status, error, output } = await waited;
    assert.deepEqual([status, error.code, output], ["TIMED_OUT", "timed_out", undefined]);
  });

  test(`by ${name} a wait ends when it is aborted, and leaves nothing at its signal`, async () => {
    const token = await worker.create();
    const controller = new AbortController();
    const { signal } = controller;
    const others = [await wait(token, { signal }), await wait(token, { signal })];
    const { waited } = await wait(token, { signal: AbortSignal.any([signal]) });
    controller.abort("enough");
    for (const promise of [waited, ...others.map(({ waited }) => waited)]) {
      const { code, cause, retryable } = await error(promise);
      assert.deepEqual([code, cause, retryable], ["aborted", "enough", false]);
    }
    assert.equal(getEventListeners(signal, "abort").length, 0);
    for (const socket of sockets.all)
      if (socket.readyState !== WebSocket.CLOSED) await once(socket, "close");
    assert.equal((await worker.retrieve(token.id)).status, "WAITING");
  });

  test(`by ${name} connections that are cut are made again, and a server that is down is waited for`, async () => {
    Math.random = () => 0.01;
    const token = await worker.create();
    const { signal } = new AbortController();
    const { waited } = await wait(token, { signal });
    const again = Socket ? once(sockets, "heard") : once(proxy, "asked");
    proxy.cut();
    await again;
    proxy.refuses = true;
    proxy.cut();
    // More than the five attempts of a call.
    for (let n = 0; n < 12; n++) await once(proxy, "refused");
    await worker.complete(token.id, "meanwhile");
    proxy.refuses = false;
    assert.equal((await waited).output, "meanwhile");
    assert.equal(getEventListeners(signal, "abort").length, 0);
  });
}

test("a token that is finished is told at once, without a socket", async () => {
  const token = await worker.create();
  await completeToken(token, "before");
  assert.equal((await waitForToken(token)).output, "before");
  assert.equal((await waitForToken(token.url)).output, "before");
  assert.equal(sockets.all.length, 0);
});

test("a refusal rejects with its code, and so does a server that never answered", async () => {
  const token = await worker.create();
  const other = await worker.create();
  const baseURL = worker.url;
  for (const [of, options, code, status] of [
    [token.id, { accessToken: "nobody" }, "invalid_api_key", 401],
    [
      token.id,
      { accessToken: sign([`read:waitpoints:${token.id}`], { claims: { exp: 1 } }) },
      "public_token_expired",
      401,
    ],
    [token.id, { accessToken: other.publicAccessToken }, "unauthorized", 403],
    ["waitpoint_cnobody", { accessToken: KEY }, "token_not_found", 404],
    ["no token", {}, "invalid_argument", undefined],
    [token.id, {}, "invalid_argument", undefined],
    [token, { timeout: 1 }, "invalid_argument", undefined],
    [token, { signal: AbortSignal.abort() }, "aborted", undefined],
    [
      token,
      { baseURL: "http://127.0.0.1:9", retry: { maxAttempts: 2, minTimeoutInMs: 1 } },
      "network_error",
      undefined,
    ],
  ]) {
    const refused = await error(waitForToken(of, { baseURL, ...options }));
    assert.deepEqual(
      [refused.name, refused.code, refused.status],
      ["WaitpointError", code, status],
    );
  }
  assert.equal(sockets.all.length, 0);
});

test("a refusal ends the wait also later, such as of a credential that has expired", async () => {
  Math.random = () => 0;
  const token = await worker.create();
  const server = createHttpServer((_, response) =>
    response.writeHead(401).end(`{"code":"public_token_expired"}`),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  const listens = once(sockets, "heard");
  const refused = error(waitForToken(token, { baseURL: proxy.url }));
  await listens;
  proxy.to = `http://127.0.0.1:${server.address().port}`;
  proxy.cut();
  const { code, status } = await refused;
  assert.deepEqual([code, status], ["public_token_expired", 401]);
  proxy.to = undefined;
  server.close();
});

test("a connection that is dead is noticed by its silence; one that lives is left alone", async () => {
  Math.random = () => 0;
  // Half a minute of silence.
  globalThis.setTimeout = (wake, millis, ...args) =>
    setTimeout(wake, millis === 30_000 ? 20 : millis, ...args);
  const token = await worker.create();
  const waited = waitForToken(token, { baseURL: proxy.url, timeoutInMs: 1_000 });
  const heard = [];
  while (heard.filter((data) => data === "pong").length < 3)
    heard.push((await once(sockets, "heard"))[0]);
  assert.equal(sockets.all.length, 1);
  proxy.mute();
  while (sockets.all.length < 2) await once(sockets, "heard");
  await worker.complete(token.id, "told");
  assert.equal((await waited).output, "told");
});

test("where no socket can be opened it is a long poll; a refused one asks why", async () => {
  const token = await worker.create();
  // A key that may be no subprotocol, and a policy that forbids sockets.
  const key = { accessToken: "not/a@token" };
  assert.equal((await error(waitForToken(token.id, { ...key, baseURL: worker.url }))).status, 401);
  globalThis.WebSocket = class extends EventTarget {
    constructor() {
      super();
      queueMicrotask(() => this.dispatchEvent(new Event("error")));
    }
    close() {}
  };
  const asked = once(proxy, "asked");
  const waited = waitForToken(token, { baseURL: proxy.url });
  await asked;
  await worker.complete(token.id, 1);
  assert.equal((await waited).output, 1);
  globalThis.WebSocket = class {
    constructor() {
      throw new Error("forbidden");
    }
  };
  const other = await worker.create({ timeout: "1s" });
  assert.equal((await waitForToken(other, { baseURL: proxy.url })).status, "TIMED_OUT");
});

test("where nobody can wait, as at trigger.dev, the token is read again and again", async () => {
  Math.random = () => 0.1;
  const paths = [];
  const waiting = {
    id: "waitpoint_c1",
    url: "https://x",
    status: "WAITING",
    tags: [],
    createdAt: "2026-01-01T00:00:00.000Z",
  };
  const answers = [
    waiting,
    waiting,
    "<p>a portal</p>",
    undefined,
    { ...waiting, status: "COMPLETED", output: "1", outputType: "application/json" },
  ];
  const server = createHttpServer(({ url }, response) => {
    paths.push(url);
    if (url.endsWith("/wait")) return response.writeHead(404).end("<h1>404</h1>");
    const answer = answers.shift();
    if (!answer) return response.writeHead(503, { "retry-after": "0" }).end();
    response.writeHead(200).end(typeof answer === "string" ? answer : JSON.stringify(answer));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const baseURL = `http://127.0.0.1:${server.address().port}`;
  const { output, status } = await waitForToken("waitpoint_c1", { baseURL, accessToken: "key" });
  server.close();
  assert.deepEqual([status, output], ["COMPLETED", 1]);
  assert.deepEqual(
    paths.map((path) => path.endsWith("/wait")),
    [false, true, true, false, false, false, false],
  );
});

test("a process ends by itself when its wait has ended, whatever became of it", async () => {
  const script = `
    import { waitForToken } from "waitpoint";
    const [token, baseURL, socket] = process.argv.slice(1);
    if (!socket) delete globalThis.WebSocket;
    const controller = new AbortController();
    process.stdin.once("data", () => controller.abort()).unref();
    process.on("unhandledRejection", () => console.log("unhandled"));
    const { status, code } = await waitForToken(token, { baseURL, signal: controller.signal }).catch((error) => error);
    console.log(status ?? code);`;
  const run = async (socket, end) => {
    const token = await worker.create();
    const listens = once(proxy, socket ? "opened" : "asked");
    const child = spawn(
      process.execPath,
      ["--input-type=module", "-e", script, token.url, proxy.url, socket],
      { cwd: folder },
    );
    const settled = once(child.stdout, "data");
    const ended = once(child, "exit");
    await listens;
    await end(token, child);
    const [said] = await settled;
    // Sooner than any timer of a wait, and than workerd ends the connection of a socket that it
    // closed.
    const late = setTimeout(() => child.kill(), 8_000);
    const [code] = await ended;
    clearTimeout(late);
    return [`${said}`.trim(), code];
  };
  const complete = ({ id }) => worker.complete(id, 1);
  const abort = (_, child) => child.stdin.write("x");
  for (const socket of ["socket", ""]) {
    assert.deepEqual(await run(socket, complete), ["COMPLETED", 0]);
    assert.deepEqual(await run(socket, abort), ["aborted", 0]);
  }
  const dead = (...args) => {
    proxy.mute();
    return abort(...args);
  };
  assert.deepEqual(await run("socket", dead), ["aborted", 0]);
});

/**
 * A page of another origin that waits for a token; `heard()` is the next thing that a socket of it
 * hears.
 */
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

test("a page that may open no sockets is told by long poll, and one that gives up is let go", async () => {
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
         const code = await waitForToken(id, { ...options, signal: given }).catch(({ code }) => code);
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
    // The local runtime's way out knows no sockets, so this comes to be a long poll.
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
