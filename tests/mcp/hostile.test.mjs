// What no client of /mcp should send. Each is refused by a message that its revision's schema
// allows, and nothing fails or panics.
import assert from "node:assert/strict";
import { test } from "node:test";
import { send } from "../page/requests.mjs";
import { call, LEGACY, legacy, MODERN, modern, post, TASKS, useAgents } from "./messages.mjs";

const { worker, notify } = await useAgents();
const LIMIT = { timeout: 120_000 };
const panics = () => /panic|unreachable/i.exec(JSON.stringify(worker.server.getLogs()))?.[0];

const modernHeaders = { "mcp-protocol-version": MODERN };
const raw = (message, headers) => post(worker, headers ? MODERN : LEGACY, { message, headers });
/** Below 500, and an answer at all. */
function isRefused(answer, what) {
  assert.ok(answer.status < 500, `${answer.status} for ${what}`);
  const isError = answer.error !== undefined || answer.result?.isError === true;
  assert.ok(isError, `${what} was not refused: ${answer.text.slice(0, 200)}`);
  const text = answer.error?.message ?? answer.result.content[0].text;
  assert.ok(text.length > 0 && text.length < 2_000, `${what}: ${text.length} characters`);
  return answer;
}
const deep = (open, close, depth) => `${open.repeat(depth)}0${close.repeat(depth)}`;
const ping = (id) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`;
const bytes = (text) => new Uint8Array(Buffer.from(text, "latin1"));

/** A value of every type, the plain ones first. */
const VALUES = [
  null,
  true,
  0,
  -1,
  1.5,
  1e300,
  "",
  "\u0000",
  "\ud800",
  "x".repeat(100_000),
  [],
  [[]],
  {},
  { a: 1 },
  { __proto__: 1, constructor: 2 },
];

test("bodies that are no message are refused, by what is wrong with them", LIMIT, async () => {
  const big = 300_000;
  for (const [body, code, status = 400] of [
    ["", -32700],
    ["{", -32700],
    ["nonsense", -32700],
    [`${ping(1)}${ping(2)}`, -32700],
    [`{"jsonrpc":"2.0","id":01,"method":"ping"}`, -32700],
    ["NaN", -32700],
    [bytes('{"jsonrpc":"2.0","id":1,"method":"\xff\xfe"}'), -32700],
    [bytes("\xff\xfe{\x00"), -32700],
    [bytes(`\xef\xbb\xbf${ping(1)}`), -32700],
    [new Uint8Array(1_000), -32700],
    ["[]", -32600],
    [`[${ping(1)},${ping(2)}]`, -32600],
    [`[${Array.from({ length: 20_000 }, (_, n) => ping(n))}]`, -32600],
    ["null", -32600],
    ["7", -32600],
    ['"ping"', -32600],
    ["{}", -32600],
    [`{"jsonrpc":"1.0","id":1,"method":"ping"}`, -32600],
    [`{"jsonrpc":2,"id":1,"method":"ping"}`, -32600],
    [`{"id":1,"method":"ping"}`, -32600],
    [`{"jsonrpc":"2.0","id":1}`, -32600],
    [`{"jsonrpc":"2.0","id":1,"result":{}}`, -32600],
    [`{"jsonrpc":"2.0","id":1,"method":7}`, -32600],
    [`{"jsonrpc":"2.0","id":1,"method":["ping"]}`, -32600],
    [ping(`"${"x".repeat(big)}"`), -32600],
    [ping("9".repeat(big)), -32600],
    [ping("1.5"), -32600],
    [ping("1e400"), -32600],
    [ping("null"), -32600],
    [ping("{}"), -32600],
    [ping("[1]"), -32600],
    [ping("true"), -32600],
    [`{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}`, -32600],
    [`{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}`, -32600],
    [" ".repeat(2 * 1024 * 1024), -32600, 413],
    [ping(`"${"x".repeat(2 * 1024 * 1024)}"`), -32600, 413],
  ]) {
    for (const headers of [undefined, modernHeaders]) {
      const what = Buffer.from(body).toString("latin1", 0, 60);
      const answer = isRefused(await raw(body, headers), what);
      assert.deepEqual([answer.status, answer.error.code], [status, code], what);
    }
  }
  for (const depth of [100, 10_000, 200_000]) {
    for (const nested of [deep("[", "]", depth), deep('{"a":', "}", depth)]) {
      for (const body of [
        nested,
        ping(nested),
        `{"jsonrpc":"2.0","id":1,"method":${nested}}`,
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${nested}}`,
        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":${nested}}}`,
      ])
        if (body.length < 1024 * 1024) isRefused(await raw(body), `${depth} ${body.slice(0, 60)}`);
    }
  }
});

test("ids come back as they were sent", LIMIT, async () => {
  for (const id of [
    0,
    -1,
    Number.MAX_SAFE_INTEGER,
    "",
    "é\u0000\n",
    "x".repeat(900),
    "__proto__",
  ]) {
    const { status, id: returned } = await legacy(worker, "ping", {}, { id });
    assert.deepEqual([status, returned], [200, id]);
  }
  const { text } = await raw(ping("123456789012345678901234567890"));
  assert.match(text, /"id":123456789012345678901234567890[,}]/);
});

test("every part of a request with a value of every type", LIMIT, async () => {
  for (const value of VALUES) {
    const what = JSON.stringify(value)?.slice(0, 40);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    for (const [part, message] of Object.entries({
      method: { jsonrpc: "2.0", id: 1, method: value },
      jsonrpc: { jsonrpc: value, id: 1, method: "ping" },
      name: { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: value } },
    }))
      isRefused(await post(worker, LEGACY, { message }), `${part} ${what}`);
    // Some of these may be left out, and some are not looked at: none may fail.
    const meta = { progressToken: value };
    for (const message of [
      { jsonrpc: "2.0", id: value, method: "ping" },
      { jsonrpc: "2.0", id: 1, method: "tools/list", params: value },
      { jsonrpc: "2.0", id: 1, method: "tools/list", params: { _meta: value, cursor: value } },
      { jsonrpc: "2.0", id: 1, method: "initialize", params: { protocolVersion: value } },
      { jsonrpc: "2.0", id: 1, method: "initialize", params: value },
      { jsonrpc: "2.0", id: 1, method: "ping", params: { _meta: meta } },
      { jsonrpc: "2.0", method: value, params: value },
    ]) {
      const { status } = await post(worker, LEGACY, { message });
      assert.ok(status < 500, `${status} for ${JSON.stringify(message).slice(0, 200)}`);
    }
    for (const tool of ["ask_human", "check_decision", "cancel", "list_waiting"]) {
      const params = { name: tool, arguments: value };
      const { status } = await legacy(worker, "tools/call", params);
      assert.equal(status, 200, `${tool} ${what}`);
    }
    for (const method of ["tasks/get", "tasks/cancel", "tasks/update"]) {
      const answer = await modern(worker, method, { taskId: value }, { capabilities: TASKS });
      isRefused(answer, `${method} ${what}`);
    }
    const client = await modern(worker, "tools/list", {}, { capabilities: value });
    assert.equal(client.status, isObject ? 200 : 400, `capabilities ${what}`);
    for (const capabilities of [
      { extensions: value },
      { extensions: { "io.modelcontextprotocol/tasks": value } },
    ]) {
      const { status } = await modern(worker, "tools/list", {}, { capabilities });
      assert.equal(status, 200, `extensions ${what}`);
    }
  }
});

test("every argument of every tool with a value of every type", LIMIT, async () => {
  const good = { title: "Hostile", notify, timeout: "1h" };
  const names = ["title", "description", "choices", "form", "notify", "timeout", "idempotencyKey"];
  const options = { capabilities: TASKS };
  for (const value of VALUES) {
    const what = JSON.stringify(value)?.slice(0, 40);
    for (const name of [...names, "returnLink", "other"]) {
      const { status } = await call(worker, "ask_human", { ...good, [name]: value }, options);
      assert.equal(status, 200, `${name} ${what}`);
    }
    for (const [name, field] of [
      ["choices", "label"],
      ["choices", "style"],
      ["choices", "data"],
      ["notify", "email"],
      ["notify", "slack"],
      ["notify", "webhook"],
    ]) {
      const args = { ...good, [name]: [{ label: "Yes", [field]: value }] };
      const { status } = await call(worker, "ask_human", args, options);
      assert.equal(status, 200, `${name} ${field} ${what}`);
    }
    for (const [tool, name] of [
      ["check_decision", "id"],
      ["cancel", "id"],
      ["cancel", "reason"],
    ])
      isRefused(await call(worker, tool, { [name]: value }), `${tool} ${name} ${what}`);
    const { status } = await call(worker, "list_waiting", { cursor: value });
    assert.equal(status, 200, `cursor ${what}`);
  }
});

test("arguments that are too long, too many, too deep, or given twice", LIMIT, async () => {
  const title = "?";
  const long = (count) => "é".repeat(count);
  for (const [tool, args] of [
    ["ask_human", { title: "x".repeat(1_000_000), notify }],
    ["ask_human", { title: long(121), notify }],
    ["ask_human", { title, description: long(100_000), notify }],
    ["ask_human", { title, notify: Array(10_000).fill(notify[0]) }],
    ["ask_human", { title, choices: Array(10_000).fill({ label: "x" }), notify }],
    ["ask_human", { title, idempotencyKey: long(100_000), notify }],
    ["ask_human", { title, timeout: "9".repeat(100_000), notify }],
    ["ask_human", { title, notify: [{ webhook: `https://${"x".repeat(100_000)}.example` }] }],
    ["ask_human", { title, form: { type: "object", properties: { a: { type: "x" } } }, notify }],
    ["ask_human", Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`a${n}`, n]))],
    ["check_decision", { id: "x".repeat(500_000) }],
    ["check_decision", { id: "../../../default" }],
    ["check_decision", { id: "waitpoint_" }],
    ["cancel", { id: "waitpoint_\u0000" }],
    ["cancel", { id: `waitpoint_${"0".repeat(500_000)}` }],
    ["list_waiting", { cursor: "x".repeat(500_000) }],
  ])
    isRefused(await call(worker, tool, args), `${tool} ${JSON.stringify(args).slice(0, 80)}`);
  for (const args of [
    `{"title":"a","title":"b","returnLink":true}`,
    `{"title":"a","returnLink":true,"returnLink":true}`,
    `{"title":"a","returnLink":true,"form":${deep("[", "]", 100_000)}}`,
    `{"title":"a","returnLink":true,"choices":${deep('[{"label":', "}]", 20_000)}}`,
    `{"title":"\\ud800","returnLink":true}`,
  ]) {
    const params = `{"name":"ask_human","arguments":${args}}`;
    const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`;
    const { status, result, error } = await raw(body);
    assert.ok(status < 500, `${status} for ${args.slice(0, 80)}`);
    assert.ok(result?.isError || error, args.slice(0, 80));
  }
  // What a choice decides is any JSON, which nobody reads on its way to the agent.
  const data = deep("[", "]", 1_000);
  const choices = `[{"label":"Deep","data":${data}}]`;
  const callOf = (name, args) => {
    const params = `{"name":"${name}","arguments":${args}}`;
    return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`;
  };
  const asked = `{"title":"Deep","returnLink":true,"choices":${choices}}`;
  const { id, link } = (await raw(callOf("ask_human", asked))).result.structuredContent;
  assert.equal((await send(link, { choice: "0" })).status, 303);
  const { text } = await raw(callOf("check_decision", `{"id":"${id}"}`));
  assert.ok(text.includes(`"output":${data}`));
});

test("headers that no client sends", LIMIT, async () => {
  const params = { name: "list_waiting", arguments: {} };
  for (const value of [
    "",
    " ",
    "x".repeat(4_000),
    "=?base64??=",
    "=?base64?/w==?=",
    "\xff",
    "a, b",
  ]) {
    for (const name of ["mcp-protocol-version", "mcp-method", "mcp-name"]) {
      const answer = await modern(worker, "tools/call", params, { headers: { [name]: value } });
      assert.equal(answer.status, 400, `${name}: ${value.slice(0, 20)}`);
    }
  }
  for (const headers of [
    { accept: undefined },
    { accept: "text/html" },
    { accept: "x".repeat(4_000) },
    { "content-type": undefined },
    { "content-type": "text/plain" },
    { "mcp-session-id": "x".repeat(1_000), "last-event-id": "7" },
  ]) {
    const { status } = await modern(worker, "tools/list", {}, { headers });
    assert.ok(status < 500 && status >= 200, JSON.stringify(headers).slice(0, 60));
  }
  // After all of this it serves as before.
  assert.equal((await modern(worker, "server/discover")).status, 200);
  assert.equal(panics(), undefined);
});
