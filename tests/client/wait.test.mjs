// waitForToken of the packed package in Node against the real Worker, over connections that break.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter, getEventListeners, once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { KEY, sign, TOKENS, useWorker } from "../support/harness.mjs";
import { installed } from "../support/package.mjs";
import { useProxy } from "../support/proxy.mjs";

const { folder } = installed();
const { completeToken, retrieveToken, waitForToken } = await import(
  pathToFileURL(join(folder, "node_modules/waitpoint/index.js"))
);
const worker = useWorker();
const proxy = useProxy(worker);

/** The sockets that this process opened, and their messages. */
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

const rejection = (promise) =>
  promise.then(
    () => assert.fail("it was not refused"),
    (error) => error,
  );

for (const [name, Socket] of Object.entries(TRANSPORTS)) {
  /** Waits by this transport. It resolves once the wait has begun. */
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

  test(`by ${name} a timeout that is moved ends no wait, and a cancellation does`, async () => {
    const token = await worker.create({ timeout: "1h" });
    const { waited } = await wait(token);
    const path = `${TOKENS}/${token.id}`;
    const told = Socket && once(sockets, "heard");
    const moved = await worker.api(`${path}/extend`, { body: { timeout: "2h" } });
    const { timeoutAt } = await moved.json();
    if (Socket) assert.equal(JSON.parse((await told)[0]).timeoutAt, timeoutAt);
    await worker.api(`${path}/cancel`, { body: { reason: "a mistake" } });
    const end = await waited;
    assert.deepEqual(
      [end.status, end.error.code, end.error.message, end.cancelReason, end.output],
      ["TIMED_OUT", "cancelled", "a mistake", "a mistake", undefined],
    );
    assert.deepEqual([end.timeoutAt, end.cancelledAt], [new Date(timeoutAt), end.completedAt]);
    const read = await retrieveToken(token, { baseURL: proxy.url });
    assert.deepEqual([end.error.code, end.cancelledAt], [read.error.code, read.cancelledAt]);
    assert.equal(sockets.all.length, Socket ? 1 : 0);
  });

  test(`by ${name} a wait ends when it is aborted, and leaves nothing at its signal`, async () => {
    const token = await worker.create();
    const controller = new AbortController();
    const { signal } = controller;
    const others = [await wait(token, { signal }), await wait(token, { signal })];
    const { waited } = await wait(token, { signal: AbortSignal.any([signal]) });
    controller.abort("enough");
    for (const promise of [waited, ...others.map(({ waited }) => waited)]) {
      const { code, cause, retryable } = await rejection(promise);
      assert.deepEqual([code, cause, retryable], ["aborted", "enough", false]);
    }
    assert.equal(getEventListeners(signal, "abort").length, 0);
    for (const socket of sockets.all)
      if (socket.readyState !== WebSocket.CLOSED) await once(socket, "close");
    assert.equal((await worker.retrieve(token.id)).status, "WAITING");
  });

  test(`by ${name} a wait survives cut connections and a server that is down`, async () => {
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
    const refused = await rejection(waitForToken(of, { baseURL, ...options }));
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
  const server = createServer((_, response) =>
    response.writeHead(401).end(`{"code":"public_token_expired"}`),
  );
  await once(server.listen(0, "127.0.0.1"), "listening");
  const listens = once(sockets, "heard");
  const refused = rejection(waitForToken(token, { baseURL: proxy.url }));
  await listens;
  proxy.to = `http://127.0.0.1:${server.address().port}`;
  proxy.cut();
  const { code, status } = await refused;
  assert.deepEqual([code, status], ["public_token_expired", 401]);
  proxy.to = undefined;
  server.close();
});

test("a dead connection is noticed by its silence, and a live one is kept", async () => {
  Math.random = () => 0;
  // Silence of half a minute passes in 20 ms.
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
  // A key that is not valid as a subprotocol, and a policy that forbids sockets.
  const key = { accessToken: "not/a@token" };
  assert.equal(
    (await rejection(waitForToken(token.id, { ...key, baseURL: worker.url }))).status,
    401,
  );
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
  const server = createServer(({ url }, response) => {
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
    const waited = waitForToken(token, { baseURL, signal: controller.signal });
    const { status, code } = await waited.catch((error) => error);
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
    // Sooner than any timer of a wait, and sooner than workerd ends the connection of a closed
    // socket.
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
