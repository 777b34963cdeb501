// /mcp as the specification of both revisions has it: headers, versions, errors. Each message is
// checked against its schema (messages.mjs).
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEY } from "../support/harness.mjs";
import {
  call,
  encoded,
  LEGACY,
  legacy,
  MODERN,
  modern,
  post,
  TASKS,
  useAgents,
} from "./messages.mjs";

const { worker, notify } = await useAgents();
const TOOLS = ["ask_human", "check_decision", "cancel", "list_waiting"];
const VERSION = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES = "io.modelcontextprotocol/clientCapabilities";
const failure = ({ status, error }) => [status, error?.code];

test("the modern revision: discover, list and call", async () => {
  const { status, result } = await modern(worker, "server/discover");
  assert.equal(status, 200);
  assert.deepEqual(result.supportedVersions, [MODERN, LEGACY, "2025-06-18"]);
  assert.deepEqual(Object.keys(result.capabilities).sort(), ["extensions", "tools"]);
  const [one, two] = [await modern(worker, "tools/list"), await modern(worker, "tools/list")];
  const { tools } = one.result;
  assert.deepEqual(tools, two.result.tools, "the same order each time");
  assert.deepEqual(
    tools.map(({ name }) => name),
    TOOLS,
  );
  for (const { description, annotations, inputSchema, outputSchema } of tools) {
    assert.ok(description);
    assert.equal(typeof annotations.readOnlyHint, "boolean");
    assert.deepEqual([inputSchema.type, outputSchema.type], ["object", "object"]);
  }
  const listed = await call(worker, "list_waiting");
  assert.deepEqual(JSON.parse(listed.result.content[0].text), listed.result.structuredContent);
});

test("the revision before: initialize, ping, list and call", async () => {
  const capabilities = {};
  const clientInfo = { name: "test", version: "1" };
  for (const [asked, answered] of [
    [LEGACY, LEGACY],
    ["2025-06-18", "2025-06-18"],
    ["2025-03-26", LEGACY],
    ["2099-01-01", LEGACY],
  ]) {
    const params = { protocolVersion: asked, capabilities, clientInfo };
    const { status, result, headers } = await legacy(worker, "initialize", params);
    assert.deepEqual([status, result.protocolVersion], [200, answered]);
    assert.equal(headers.get("mcp-session-id"), null, "there are no sessions");
  }
  const options = { headers: { "mcp-protocol-version": LEGACY } };
  assert.deepEqual((await legacy(worker, "ping", undefined, options)).result, {});
  const { tools } = (await legacy(worker, "tools/list", {}, options)).result;
  assert.deepEqual(
    tools.map(({ name }) => name),
    TOOLS,
  );
  const params = { name: "list_waiting", arguments: {} };
  const { result } = await legacy(worker, "tools/call", params, options);
  assert.equal(result.isError, false);
  assert.equal(result.resultType, undefined);
  // What one revision has is unknown in the other.
  for (const method of ["server/discover", "tasks/get", "resources/list"])
    assert.deepEqual(failure(await legacy(worker, method, {}, options)), [200, -32601]);
  for (const method of ["initialize", "ping", "resources/list", "tools/call/"])
    assert.deepEqual(failure(await modern(worker, method)), [404, -32601]);
  // 2025-03-26 would have batches.
  for (const version of ["1999-01-01", "2025-03-26"]) {
    const wrong = { headers: { "mcp-protocol-version": version } };
    assert.deepEqual(failure(await legacy(worker, "tools/list", {}, wrong)), [400, -32022]);
  }
});

test("headers repeat the body, or the request is refused", async () => {
  const params = { name: "list_waiting", arguments: {} };
  const send = (headers, method = "tools/call", given = params) =>
    modern(worker, method, given, { headers, capabilities: TASKS });
  for (const headers of [
    { "mcp-protocol-version": undefined },
    { "mcp-protocol-version": LEGACY },
    { "mcp-method": undefined },
    { "mcp-method": "" },
    { "mcp-method": "Tools/Call" },
    { "mcp-method": "tools/list" },
    { "mcp-name": undefined },
    { "mcp-name": "LIST_WAITING" },
    { "mcp-name": "cancel" },
    { "mcp-name": encoded("cancel") },
    { "mcp-name": "=?base64?!!!?=" },
    { "mcp-name": encoded("list_waiting").toUpperCase() },
  ]) {
    const answer = await send(headers);
    assert.deepEqual(failure(answer), [400, -32020], JSON.stringify(headers));
    assert.match(answer.error.message, /^Header mismatch: M/i);
  }
  assert.equal((await send({ "mcp-name": encoded("list_waiting") })).status, 200);
  assert.equal((await send({ "mcp-name": undefined }, "tools/list", {})).status, 200);
  const umlaut = { name: "lösche", arguments: {} };
  const unknown = await send({ "mcp-name": encoded("lösche") }, "tools/call", umlaut);
  assert.deepEqual(failure(unknown), [200, -32602]);
  assert.match(unknown.error.message, /lösche/);
  const task = { taskId: "waitpoint_x" };
  for (const method of ["tasks/get", "tasks/update", "tasks/cancel"]) {
    const mismatch = await send({ "mcp-name": "waitpoint_y" }, method, task);
    assert.deepEqual(failure(mismatch), [400, -32020]);
    assert.deepEqual(failure(await send({}, method, task)), [200, -32602]);
  }
});

test("versions, and what a request must say of its client", async () => {
  const of = (meta, version = MODERN) =>
    modern(worker, "tools/list", {}, { meta, headers: { "mcp-protocol-version": version } });
  const known = { [VERSION]: MODERN, [CAPABILITIES]: {} };
  assert.equal((await of(known)).status, 200);
  const future = await of({ ...known, [VERSION]: "2099-01-01" }, "2099-01-01");
  assert.deepEqual(failure(future), [400, -32022]);
  const supported = [MODERN, LEGACY, "2025-06-18"];
  assert.deepEqual(future.error.data, { supported, requested: "2099-01-01" });
  for (const meta of [
    {},
    { [CAPABILITIES]: {} },
    { [VERSION]: MODERN },
    { ...known, [CAPABILITIES]: null },
    { ...known, [CAPABILITIES]: [] },
    { ...known, [VERSION]: 7 },
    [],
    "text",
  ]) {
    assert.deepEqual(failure(await of(meta)), [400, -32602], JSON.stringify(meta));
  }
  // Tasks are for clients that say they take them.
  const without = await modern(worker, "tasks/get", { taskId: "waitpoint_x" });
  assert.deepEqual(failure(without), [400, -32021]);
});

test("who may call: keys, origins, methods; notifications want no answer", async () => {
  const message = { jsonrpc: "2.0", id: 1, method: "ping" };
  const send = (headers, more) => post(worker, LEGACY, { headers, message, ...more });
  assert.equal((await send({ authorization: undefined })).status, 401);
  for (const key of ["wrong", "agent_key_0123456789abcdefgi", ""])
    assert.equal((await send({}, { key })).status, 401);
  const refused = await send({ authorization: undefined });
  assert.match(refused.headers.get("www-authenticate") ?? "", /^Bearer/);
  assert.equal((await send({}, { key: KEY })).status, 200, "the secret key opens it too");

  for (const origin of ["https://evil.example", "null", "http://localhost:1"]) {
    const foreign = await send({ origin });
    assert.equal(foreign.status, 403, origin);
    assert.equal(foreign.id, undefined);
    assert.equal((await send({ origin }, { key: "wrong" })).status, 403, "before the key");
  }
  assert.equal((await send({ origin: worker.url })).status, 200);

  for (const method of ["GET", "DELETE", "PUT", "PATCH"]) {
    const answer = await worker.api("/mcp", { method });
    assert.equal(answer.status, 405, method);
    assert.match(answer.headers.get("allow"), /POST/);
  }
  for (const method of ["notifications/initialized", "notifications/cancelled", "nothing"]) {
    const sent = await post(worker, LEGACY, { message: { jsonrpc: "2.0", method } });
    assert.deepEqual([sent.status, sent.text], [202, ""]);
  }
});

test("a wait is told after five seconds, to those who ask for it", {
  timeout: 60_000,
}, async () => {
  const of = async (revision, progressToken) => {
    const title = `Wait of ${revision} ${typeof progressToken}`;
    const args = { title, notify, timeout: "7s" };
    const asked = await call(worker, "ask_human", args, { capabilities: TASKS });
    const { taskId } = asked.result;
    const params = { name: "check_decision", arguments: { id: taskId } };
    const meta = { [VERSION]: MODERN, [CAPABILITIES]: {}, progressToken };
    const waits =
      revision === MODERN
        ? modern(worker, "tools/call", params, { meta })
        : legacy(worker, "tools/call", { ...params, _meta: { progressToken } });
    return { taskId, waits };
  };
  const text = 'a "token" é';
  const waiting = [await of(MODERN, text), await of(LEGACY, 7), await of(MODERN, {})];
  const answers = await Promise.all(waiting.map(({ waits }) => waits));
  for (const [n, { status, headers, messages, result }] of answers.entries()) {
    assert.equal(status, 200);
    const { id, status: state, message } = result.structuredContent;
    assert.deepEqual([id, state], [waiting[n].taskId, "timed_out"]);
    assert.match(message, /Nobody answered in time/);
    const told = messages.slice(0, -1).map(({ params }) => [params.progressToken, params.progress]);
    assert.deepEqual(told, [[[text, 5]], [[7, 5]], []][n]);
    const type = headers.get("content-type");
    assert.match(type, n === 2 ? /^application\/json/ : /^text\/event-stream/);
    assert.equal(headers.get("x-accel-buffering"), n === 2 ? null : "no");
  }
});
