// /mcp where a setting is wrong, where tokens live upstream, and over the rate limit: what an agent
// and its client get can be read, and the client survives.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import * as legacyHttp from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import {
  KEY,
  OTHER_KEY,
  root,
  SECRET_KEYS,
  temporaryFolder,
  useWorker,
} from "../support/harness.mjs";
import { AGENT_KEY, call, LEGACY, legacy, MODERN, modern, TASKS } from "./messages.mjs";

const LIMIT = { timeout: 60_000 };
const wrong = (settings) => useWorker({ secrets: { SECRET_KEYS, ...settings } });
/** Each way to get AGENT_KEYS and AGENT_LINKS wrong, and what is said of it. */
const WRONG = [
  [{ AGENT_KEYS: `dev key=${AGENT_KEY}` }, /line 1 of AGENT_KEYS is not a valid entry. Use \[env/],
  [{ AGENT_KEYS: `${AGENT_KEY}\nshort` }, /line 2 of AGENT_KEYS is too short. Use at least 24/],
  [
    { AGENT_KEYS: `${AGENT_KEY}\n\n${AGENT_KEY}` },
    /line 3 of AGENT_KEYS is a secret key, or stands/,
  ],
  [{ AGENT_KEYS: KEY }, /line 1 of AGENT_KEYS is a secret key.*Use a key of its own/],
  [{ AGENT_KEYS: `staging=${AGENT_KEY}` }, /line 1 of AGENT_KEYS names the environment staging/],
  [{ AGENT_KEYS: AGENT_KEY, AGENT_LINKS: "yes" }, /AGENT_LINKS is "yes". Use "on" or "off"/],
].map(([settings, problem]) => ({ worker: wrong(settings), problem }));

/** Connects an official client of this revision and lists the tools. */
async function connect(worker, revision, key = AGENT_KEY) {
  const url = new URL(`${worker.url}/mcp`);
  const options = { requestInit: { headers: { authorization: `Bearer ${key}` } } };
  const info = { name: "test", version: "1" };
  const isModern = revision === MODERN;
  const client = isModern
    ? new ModernClient(info, { versionNegotiation: { mode: { pin: MODERN } } })
    : new LegacyClient(info);
  const Transport = isModern ? ModernTransport : legacyHttp.StreamableHTTPClientTransport;
  try {
    await client.connect(new Transport(url, options));
    return await client.listTools();
  } finally {
    await client.close();
  }
}

/** Whether a client's error holds this sentence: in its message, or in the body that it kept. */
const tells = (sentence) => (error) => {
  const text = `${error.message} ${error.data?.text}`.replaceAll('\\"', '"');
  assert.match(text, sentence);
  return true;
};

test("AGENT_KEYS that cannot be read: /mcp and /healthz say what would do", LIMIT, async () => {
  for (const { worker, problem } of WRONG) {
    for (const key of [AGENT_KEY, KEY]) {
      const body = { jsonrpc: "2.0", id: 1, method: "ping" };
      const answer = await worker.api("/mcp", { key, body });
      const { error, code } = await answer.json();
      assert.deepEqual([answer.status, code], [500, "misconfigured"], String(problem));
      assert.match(error, problem);
      assert.ok(!error.includes(AGENT_KEY) && !error.includes(KEY), "no key is told");
      for (const revision of [MODERN, LEGACY])
        await assert.rejects(connect(worker, revision, key), tells(problem));
    }
    const health = await worker.api("/healthz", { key: "" });
    const { error } = await health.json();
    assert.equal(health.status, 500);
    assert.match(error, problem);
    // What has nothing to do with agents works.
    assert.equal((await worker.complete((await worker.create()).id, 1)).status, 200);
  }
});

const none = useWorker();
test("without AGENT_KEYS the secret key alone opens it", LIMIT, async () => {
  assert.equal((await none.api("/healthz", { key: "" })).status, 200);
  const denied = await legacy(none, "ping");
  assert.equal(denied.status, 401);
  assert.equal((await legacy(none, "ping", {}, { key: KEY })).status, 200);
  await assert.rejects(connect(none, LEGACY), /Invalid API key|401/);
});

// Nobody is asked there.
const vars = { UPSTREAM: "default=http://127.0.0.1:9" };
const agents = { AGENT_KEYS: `${AGENT_KEY}\nprod=agent_key_of_production_0123`, AGENT_LINKS: "on" };
const relay = useWorker({ secrets: { SECRET_KEYS, ...agents }, vars });
test("where tokens live upstream agents cannot ask, and are told so", LIMIT, async () => {
  for (const key of [AGENT_KEY, KEY]) {
    const answers = [
      await call(relay, "ask_human", { title: "?", returnLink: true }, { key }),
      await modern(relay, "server/discover", {}, { key }),
      await legacy(relay, "tools/list", {}, { key }),
    ];
    for (const { status, error } of answers) {
      assert.deepEqual([status, error.code], [501, -32603]);
      assert.match(error.message, /Agents cannot ask in this environment.*UPSTREAM.*Use a key of/);
    }
    for (const revision of [MODERN, LEGACY])
      await assert.rejects(connect(relay, revision, key), tells(/Agents cannot ask in this/));
  }
  for (const key of ["agent_key_of_production_0123", OTHER_KEY]) {
    const asked = await call(relay, "ask_human", { title: "?", returnLink: true }, { key });
    assert.equal(asked.result.structuredContent.status, "waiting");
  }
});

const folder = temporaryFolder();
const config = readFileSync(join(root, "wrangler.toml"), "utf8");
const small = config.replace(/(name = "ENVIRONMENT_LIMIT"[\s\S]*?limit =) \d+/, "$1 1");
writeFileSync(join(folder, "small.toml"), small);
const limited = useWorker({
  configPath: join(folder, "small.toml"),
  secrets: { SECRET_KEYS, ...agents },
});

/** Repeats until an answer is about the rate. Periods follow the clock. */
async function flood(ask, isRefused) {
  for (;;) {
    const answers = await Promise.all(Array.from({ length: 20 }, ask));
    const refused = answers.find(isRefused);
    if (refused) return refused;
  }
}

test("over the rate limit agents and clients are told so", LIMIT, async () => {
  const title = "Limited";
  const asked = await call(limited, "ask_human", { title, returnLink: true });
  const { id } = asked.result.structuredContent;
  const isTold = ({ result }) => result?.isError;
  for (const [tool, args] of [
    ["cancel", { id: "waitpoint_nothing_of_this_kind" }],
    ["list_waiting", {}],
    ["ask_human", { title, returnLink: true }],
  ]) {
    for (const ask of [
      () => call(limited, tool, args),
      () => legacy(limited, "tools/call", { name: tool, arguments: args }),
    ]) {
      const isRate = (answer) => isTold(answer) && /Too many/.test(answer.text);
      const { status, result } = await flood(ask, isRate);
      assert.equal(status, 200);
      assert.match(result.content[0].text, /^Too many requests \(ENVIRONMENT_LIMIT\)\. Try again/);
      assert.equal(result.structuredContent, undefined);
    }
  }
  const get = () => modern(limited, "tasks/get", { taskId: id }, { capabilities: TASKS });
  const { error, headers } = await flood(get, ({ status }) => status === 429);
  assert.equal(error.code, -32603);
  assert.match(error.message, /^Too many requests \(ENVIRONMENT_LIMIT\)\. Try again later/);
  assert.equal(headers.get("retry-after"), "10");
  assert.equal((await limited.retrieve(id, { key: OTHER_KEY })).code, "token_not_found");
  // What needs no object is not counted, and neither is the other environment.
  assert.equal((await modern(limited, "tools/list")).status, 200);
  const other = { key: "agent_key_of_production_0123" };
  assert.equal((await call(limited, "list_waiting", {}, other)).result.isError, false);
});
