// What a wait for a person costs, and what it outlives: an object that is evicted, a client that
// leaves or says that it gives up, a Worker that is killed.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import * as legacyHttp from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { send } from "../page/requests.mjs";
import { COUNTING } from "../support/counting.mjs";
import { TOKENS, temporaryFolder, until } from "../support/harness.mjs";
import { webhookSecret } from "../support/receiver.mjs";
import { KEY, serve, waitpoint } from "../support/workerd.mjs";
import {
  AGENT_KEY,
  call,
  LEGACY,
  legacy,
  MODERN,
  modern,
  post,
  TASKS,
  useAgents,
} from "./messages.mjs";

const LIMIT = { timeout: 120_000 };
const { worker, receiver, notify, told } = await useAgents();
const agents = { AGENT_KEYS: AGENT_KEY, AGENT_LINKS: "on", WEBHOOK_SECRET: webhookSecret() };
const tasks = { capabilities: TASKS };
const storage = temporaryFolder();
let counted, restarted;
before(async () => {
  counted = await serve(waitpoint(agents, COUNTING));
  restarted = await serve(waitpoint(agents), { storage });
});
after(async () => {
  await counted.stop();
  await restarted.stop();
});

const api = (server, path, body) =>
  fetch(server.url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
const complete = (server, id, data) => api(server, `${TOKENS}/${id}/complete`, { data });
/** Asks, without waiting: the result has the link, or is a task. */
const ask = async (server, args, options) => {
  const { result } = await call(server, "ask_human", { returnLink: true, ...args }, options);
  assert.ok(result && !result.isError, JSON.stringify(result));
  return result.structuredContent;
};
const waiters = async (id, server = counted) =>
  (await fetch(`${server.url}/waiters/default/${id.replace("waitpoint_", "")}`)).json();
const waitersAre = (id, wanted) =>
  until(
    () => waiters(id),
    (count) => count === wanted,
  );

const VERSION = { "io.modelcontextprotocol/protocolVersion": MODERN };
const CAPABILITIES = { "io.modelcontextprotocol/clientCapabilities": {} };
/** The ways to wait: each revision, with notices of progress and without. */
const WAYS = [MODERN, LEGACY].flatMap((revision) =>
  [undefined, 7].map((progressToken) => ({ revision, progressToken })),
);
/** Those whose response begins when the wait does. */
const STREAMS = WAYS.filter(({ progressToken }) => progressToken);

/** A request that calls `check_decision`, which waits. */
function waitRequest(id, { revision, progressToken, rpcId = 1 }) {
  const meta = revision === MODERN ? { ...VERSION, ...CAPABILITIES } : {};
  const _meta = { ...meta, ...(progressToken !== undefined && { progressToken }) };
  const params = { name: "check_decision", arguments: { id }, _meta };
  const headers = {
    authorization: `Bearer ${AGENT_KEY}`,
    "content-type": "application/json",
    accept: "application/json, text/event-stream",
    ...(revision === MODERN && {
      "mcp-protocol-version": MODERN,
      "mcp-method": "tools/call",
      "mcp-name": "check_decision",
    }),
  };
  const body = JSON.stringify({ jsonrpc: "2.0", id: rpcId, method: "tools/call", params });
  return { method: "POST", headers, body };
}
const waitFor = (server, id, way) => fetch(`${server.url}/mcp`, waitRequest(id, way));
/**
 * A call whose client leaves when `resetAndDestroy` is called on its socket. workerd alone notices
 * at once only a connection that is reset; Cloudflare notices each.
 */
async function leavingCall(id, way) {
  const { hostname, port } = new URL(counted.url);
  const { headers, body } = waitRequest(id, way);
  const all = { host: hostname, ...headers, "content-length": Buffer.byteLength(body) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.on("error", () => {});
  socket.write(`POST /mcp HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
  return socket;
}
/** The result, which comes earlier than this: at the end of its time a call answers anyway. */
async function within(millis, result) {
  const began = performance.now();
  const value = await result;
  const taken = performance.now() - began;
  assert.ok(taken < millis, `${taken} ms`);
  return value;
}
/** The structured content of the last message of a response. */
async function decisionOf(response) {
  const text = await (await response).text();
  const last = text.split("\n").findLast((line) => line.startsWith("data: "));
  return JSON.parse(last?.slice(6) ?? text).result.structuredContent;
}

test("a call that waits is one waiter, and none once its client has left", LIMIT, async () => {
  const { id } = await ask(counted, { title: "Left" });
  // One after another, and all at once.
  for (const together of [1, 25]) {
    for (let n = 0; n < 25; n += together) {
      const calls = Array.from({ length: together }, (_, at) =>
        leavingCall(id, WAYS[(n + at) % WAYS.length]),
      );
      const sockets = await Promise.all(calls);
      await waitersAre(id, together);
      for (const socket of sockets) socket.resetAndDestroy();
      await waitersAre(id, 0);
    }
  }
  const waits = WAYS.map((way) => decisionOf(waitFor(counted, id, way)));
  await waitersAre(id, WAYS.length);
  await complete(counted, id, 1);
  for (const decision of await Promise.all(waits)) assert.equal(decision.output, 1);
  await waitersAre(id, 0);
});

test("after 25 seconds a call says that nobody has decided", LIMIT, async () => {
  const { id } = await ask(counted, { title: "Nobody" });
  const began = performance.now();
  const waits = WAYS.map((way) => waitFor(counted, id, way));
  // Two more, whose clients close their connections, which workerd alone does not notice.
  const gone = await Promise.all(WAYS.slice(2).map((way) => leavingCall(id, way)));
  await waitersAre(id, WAYS.length + gone.length);
  for (const socket of gone) socket.destroy();
  const texts = await Promise.all(waits.map(async (response) => (await response).text()));
  const seconds = (performance.now() - began) / 1000;
  assert.ok(seconds > 24 && seconds < 35, `${seconds} s`);
  for (const [n, text] of texts.entries()) {
    const { progressToken } = WAYS[n];
    const messages = progressToken
      ? text
          .split("\n")
          .flatMap((line) => (line.startsWith("data: ") ? JSON.parse(line.slice(6)) : []))
      : [JSON.parse(text)];
    const { status, message } = messages.pop().result.structuredContent;
    assert.equal(status, "waiting");
    assert.match(message, /check_decision/);
    // Each is more than the one before, as both revisions want it, and none comes after the result.
    const progress = messages.map(({ params }) => [params.progressToken, params.progress]);
    assert.deepEqual(progress, progressToken ? [5, 10, 15, 20].map((at) => [7, at]) : []);
  }
  await waitersAre(id, 0);
});

test("a task of a day holds nothing, and costs what a token costs", LIMIT, async (t) => {
  // Its own: alarms of other tests' tokens would count.
  const alone = await serve(waitpoint(agents, COUNTING));
  t.after(() => alone.stop());
  const counts = async () => (await (await fetch(`${alone.url}/counts`)).json()).token;
  const since = (now, before, fields) =>
    Object.fromEntries(fields.map((field) => [field, now[field] - before[field]]));
  /** Makes one; returns it with what its object did until all was written down. */
  const made = async (path, make) => {
    const before = await counts();
    const id = await make([{ webhook: `${receiver.url}${path}` }]);
    await receiver.received(path, 1);
    const reads = await until(
      async () => (await api(alone, `${TOKENS}/${id}`)).json(),
      ({ deliveries }) => deliveries?.every(({ status }) => status === "delivered"),
    );
    assert.equal(reads.status, "WAITING");
    await until(
      async () => (await (await api(alone, TOKENS)).json()).data,
      (rows) => rows.some((row) => row.id === id),
    );
    return { id, cost: since(await counts(), before, ["written", "alarms", "alarmsSet"]) };
  };
  const title = "Tomorrow?";
  const plain = await made("/plain", async (notify) => {
    const body = { timeout: "1d", tags: ["mcp"], approval: { title }, notify };
    return (await (await api(alone, TOKENS, body)).json()).id;
  });
  const task = await made("/task", async (notify) => {
    const args = { title, timeout: "1d", notify };
    return (await call(alone, "ask_human", args, tasks)).result.taskId;
  });
  assert.deepEqual(task.cost, plain.cost);

  // Longer than a call's notices of progress are apart: nothing happens that a notice would need.
  const FIELDS = ["requests", "alarms", "written", "read", "alarmsSet"];
  const idle = await counts();
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  assert.deepEqual(since(await counts(), idle, FIELDS), {
    requests: 0,
    alarms: 0,
    written: 0,
    read: 0,
    alarmsSet: 0,
  });
  assert.equal(await waiters(task.id, alone), 0);
  // Whoever asks for it reads it once.
  const { result } = await modern(alone, "tasks/get", { taskId: task.id }, tasks);
  assert.equal(result.status, "working");
  const asked = since(await counts(), idle, FIELDS);
  assert.deepEqual([asked.requests, asked.written, asked.alarmsSet], [1, 0, 0]);
  assert.equal(await waiters(task.id, alone), 0);
});

test("a call that waits outlives the memory of its token's object", LIMIT, async () => {
  for (const way of STREAMS) {
    const { id } = await ask(worker, { title: "Evicted" });
    const waiting = await waitFor(worker, id, way);
    await worker.evict(id, { webSockets: "hibernate" });
    await worker.complete(id, "kept");
    const decision = await within(5_000, decisionOf(waiting));
    assert.deepEqual([decision.status, decision.output], ["completed", "kept"]);
  }
});

test("a call that loses its object says so, and the next one goes on", LIMIT, async () => {
  const { id } = await ask(worker, { title: "Closed" });
  for (const way of STREAMS) {
    const waiting = await waitFor(worker, id, way);
    await worker.evict(id, { webSockets: "close" });
    const decision = await within(5_000, decisionOf(waiting));
    assert.equal(decision.status, "waiting");
    assert.match(decision.message, /check_decision/);
  }
  const waiting = await waitFor(worker, id, STREAMS[0]);
  await worker.complete(id, 1);
  assert.equal((await decisionOf(waiting)).status, "completed");
});

test("a Worker killed and started again has the task, for any client", LIMIT, async () => {
  const question = { title: "Restarted", idempotencyKey: "restarted", timeout: "1d" };
  const args = { ...question, notify: [{ webhook: `${receiver.url}/restarted` }] };
  const task = (await call(restarted, "ask_human", args, tasks)).result;
  assert.equal(task.status, "working");
  const held = await waitFor(restarted, task.taskId, STREAMS[0]);
  const lost = decisionOf(held);
  lost.catch(() => {});
  await restarted.restart();
  await assert.rejects(lost);
  const found = await modern(restarted, "tasks/get", { taskId: task.taskId }, tasks);
  assert.deepEqual([found.result.taskId, found.result.status], [task.taskId, "working"]);
  assert.equal(found.result.createdAt, task.createdAt);
  const again = (await call(restarted, "ask_human", args, tasks)).result;
  assert.equal(again.taskId, task.taskId);
  // A client that knows no tasks waits for the same.
  const waits = decisionOf(waitFor(restarted, task.taskId, WAYS[2]));
  await complete(restarted, task.taskId, { go: true });
  assert.deepEqual((await waits).output, { go: true });
  const completed = (await modern(restarted, "tasks/get", { taskId: task.taskId }, tasks)).result;
  assert.deepEqual(completed.result.structuredContent.output, { go: true });
  await restarted.restart();
  const kept = (await modern(restarted, "tasks/get", { taskId: task.taskId }, tasks)).result;
  assert.deepEqual(kept, completed);
});

test("asked again with its idempotencyKey, the link works as well", LIMIT, async () => {
  for (const [n, capabilities] of [{}, {}, TASKS].entries()) {
    const args = { title: "Link", idempotencyKey: `link ${n}` };
    const first = await ask(worker, args, { capabilities });
    const again = await ask(worker, args, { capabilities });
    assert.deepEqual([again.id, again.status], [first.id, "waiting"]);
    for (const { link } of [first, again])
      assert.equal((await fetch(link, { headers: { accept: "text/html" } })).status, 200);
    assert.equal((await send(again.link, { choice: n === 0 ? "1" : "0" })).status, 303);
    const decided = await ask(worker, args, { capabilities });
    assert.deepEqual([decided.id, decided.status], [first.id, "completed"]);
    assert.equal(decided.output.status, n === 0 ? "rejected" : "approved");
    assert.equal(decided.link, undefined, "there is nothing left to decide");
  }
});

// 2026-07-28: who closes its stream has cancelled its request. 2025-11-25: a client says so by a
// notification, which a server without sessions cannot relate to the request; it MAY be ignored.
// Neither withdraws the question: that is what the tool `cancel` is for.
test("a client that cancels its request leaves the question, and no waiter", LIMIT, async () => {
  const { id } = await ask(counted, { title: "Cancelled" });
  const stream = await leavingCall(id, { revision: MODERN, progressToken: 1 });
  await waitersAre(id, 1);
  stream.resetAndDestroy();
  await waitersAre(id, 0);

  const held = await waitFor(counted, id, { revision: LEGACY, progressToken: 1, rpcId: 5 });
  await waitersAre(id, 1);
  for (const params of [{ requestId: 5, reason: "no" }, { requestId: 99 }, {}, undefined]) {
    const message = { jsonrpc: "2.0", method: "notifications/cancelled", params };
    const sent = await post(counted, LEGACY, { message });
    assert.deepEqual([sent.status, sent.text], [202, ""]);
  }
  assert.equal((await legacy(counted, "ping")).status, 200);
  await complete(counted, id, "late");
  assert.equal((await decisionOf(held)).output, "late");

  // The official client says that it gives up, and hears nothing more.
  const title = "Given up";
  const client = new LegacyClient({ name: "test", version: "1" });
  const requestInit = { headers: { authorization: `Bearer ${AGENT_KEY}` } };
  const Transport = legacyHttp.StreamableHTTPClientTransport;
  await client.connect(new Transport(new URL(`${worker.url}/mcp`), { requestInit }));
  const giving = new AbortController();
  const options = { signal: giving.signal, onprogress: () => {} };
  const params = { name: "ask_human", arguments: { title, notify } };
  const given = client.callTool(params, undefined, options);
  given.catch(() => {});
  const { id: left, shortUrl } = await told(title);
  giving.abort("given up");
  await assert.rejects(given, /given up/);
  assert.equal((await worker.retrieve(left)).status, "WAITING");
  assert.equal((await client.listTools()).tools.length, 4);
  assert.equal((await send(shortUrl, { choice: "0" })).status, 303);
  const check = { name: "check_decision", arguments: { id: left } };
  assert.equal((await client.callTool(check)).structuredContent.status, "completed");
  await client.close();
});
