// The official clients of both revisions ask people. Each message of the server is checked against
// the schema of its revision (messages.mjs).
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  Client as ModernClient,
  StreamableHTTPClientTransport as ModernTransport,
} from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import * as legacyHttp from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import Ajv from "ajv/dist/2020.js";
import { send } from "../page/requests.mjs";
import { KEY, OTHER_KEY, TOKENS, until } from "../support/harness.mjs";
import {
  AGENT_KEY,
  call,
  checkedFetch,
  LEGACY,
  MODERN,
  modern,
  OTHER_AGENT_KEY,
  TASKS,
  useAgents,
} from "./messages.mjs";

const { worker, notify, told } = await useAgents();
const LIMIT = { timeout: 60_000 };
const LegacyTransport = legacyHttp.StreamableHTTPClientTransport;
const ajv = new Ajv({ strict: false });

/** A connected client of this revision; each of its messages is checked when it closes. */
async function connect(t, revision, { key = AGENT_KEY } = {}) {
  const checked = checkedFetch(revision);
  const url = new URL(`${worker.url}/mcp`);
  const options = {
    fetch: checked,
    requestInit: { headers: { authorization: `Bearer ${key}` } },
  };
  const info = { name: "test", version: "1" };
  const isModern = revision === MODERN;
  const client = isModern
    ? new ModernClient(info, { versionNegotiation: { mode: { pin: MODERN } } })
    : new LegacyClient(info);
  await client.connect(
    isModern ? new ModernTransport(url, options) : new LegacyTransport(url, options),
  );
  t.after(async () => {
    await client.close();
    await checked.done();
  });
  const { tools } = await client.listTools();
  const validators = new Map(tools.map((tool) => [tool.name, ajv.compile(tool.outputSchema)]));
  const callTool = (params, options) =>
    isModern ? client.callTool(params, options) : client.callTool(params, undefined, options);
  return {
    client,
    tools,
    texts: checked.texts,
    /** Calls a tool; the result's structured content is what the tool's schema says. */
    call: async (name, args = {}, options = {}) => {
      const result = await callTool({ name, arguments: args }, options);
      if (result.isError) return { error: result.content[0].text };
      const { structuredContent: content } = result;
      const validate = validators.get(name);
      assert.ok(validate(content), JSON.stringify(validate.errors));
      assert.deepEqual(JSON.parse(result.content[0].text), content, "the text is the same");
      return content;
    },
  };
}

/** Nothing that decides a token may come to an agent. */
function holdsNoCredential(texts, link) {
  const text = texts.join("\n");
  assert.doesNotMatch(text, /eyJ[\w-]{8}/, "a JWT");
  assert.doesNotMatch(text, /https?:\/\/(127|localhost)/, "a link");
  assert.ok(!text.includes(link.split("/").at(-1)), "the end of the link");
}

for (const revision of [MODERN, LEGACY]) {
  test(`${revision}: asks, and gets what a person decides on the page`, LIMIT, async (t) => {
    const agent = await connect(t, revision);
    assert.deepEqual(
      agent.tools.map(({ name }) => name),
      ["ask_human", "check_decision", "cancel", "list_waiting"],
    );
    const title = `Delete the table of ${revision}?`;
    const choices = [{ label: "Delete", style: "danger", data: { go: true } }, { label: "Keep" }];
    const asked = agent.call("ask_human", { title, description: "All rows.", choices, notify });
    const { id, shortUrl } = await told(title);
    assert.equal((await send(shortUrl, { choice: "0" })).status, 303);
    const decision = await asked;
    assert.match(decision.message, /refusal/);
    assert.deepEqual(decision, {
      id,
      status: "completed",
      output: { go: true },
      decidedBy: "page",
      message: decision.message,
    });
    assert.deepEqual(await agent.call("check_decision", { id }), decision);
    assert.match((await agent.call("cancel", { id })).error ?? "completed", /decided|completed/i);
    assert.equal((await worker.retrieve(id)).status, "COMPLETED");
    holdsNoCredential(agent.texts, shortUrl);
  });

  test(`${revision}: hears that nobody has decided yet, until somebody does`, LIMIT, async (t) => {
    const agent = await connect(t, revision);
    const title = `Progress of ${revision}`;
    const heard = [];
    const onprogress = (progress) => {
      heard.push(progress);
      if (heard.length === 1) told(title).then(({ id }) => worker.complete(id, { yes: 1 }));
    };
    const decision = await agent.call("ask_human", { title, notify }, { onprogress });
    assert.deepEqual([decision.status, decision.output], ["completed", { yes: 1 }]);
    assert.equal(heard[0].progress, 5);
    assert.match(heard[0].message, /person/);
    assert.ok(heard.length < 4, "the end was not waited for");
  });

  test(`${revision}: the link is for those who ask for it`, LIMIT, async (t) => {
    const agent = await connect(t, revision);
    const title = `Shown by ${revision}`;
    const nobody = await agent.call("ask_human", { title });
    assert.match(nobody.error, /Nobody would hear.*notify.*returnLink/);
    for (const notify of [[], null]) {
      const { error } = await agent.call("ask_human", { title, notify });
      assert.match(error, /Nobody would hear/);
    }
    const shown = await agent.call("ask_human", { title, returnLink: true });
    assert.equal(shown.status, "waiting");
    assert.equal(new URL(shown.link).origin, worker.url);
    const again = await agent.call("list_waiting");
    assert.ok(!JSON.stringify(again).includes("http"));
    assert.equal((await send(shown.link, { choice: "1" })).status, 303);
    const decision = await agent.call("check_decision", { id: shown.id });
    assert.equal(decision.output.status, "rejected");
    assert.equal(decision.link, undefined);
  });

  test(`${revision}: withdraws, and errors say what would do`, LIMIT, async (t) => {
    const agent = await connect(t, revision);
    const { id } = await agent.call("ask_human", { title: "Withdrawn", returnLink: true });
    const long = await agent.call("cancel", { id, reason: "x".repeat(501) });
    assert.match(long.error, /501 characters.*500/);
    const gone = await agent.call("cancel", { id, reason: "not needed" });
    assert.deepEqual([gone.id, gone.status, gone.reason], [id, "cancelled", "not needed"]);
    assert.match(gone.message, /no approval/);
    assert.deepEqual(await agent.call("check_decision", { id }), gone);
    assert.deepEqual(await agent.call("cancel", { id }), gone, "again is the same");
    for (const [name, args, problem] of [
      ["check_decision", { id: "waitpoint_nothing" }, /no such question.*ask_human/],
      ["check_decision", {}, /id is missing/],
      ["check_decision", { id: 7 }, /id is 7. Use a string/],
      ["cancel", { id, why: 1 }, /why.*not an argument.*id, reason/],
      ["list_waiting", { cursor: "x" }, /nextCursor/],
      ["ask_human", { title: "x".repeat(121), returnLink: true }, /title.*120/],
      ["ask_human", { title: "?", returnLink: "yes" }, /returnLink is "yes"/],
      ["ask_human", { title: "?", timeout: "soon", returnLink: true }, /timeout.*soon/],
      ["ask_human", { title: "?", notify: [{ email: "nobody" }] }, /notify|email/i],
      ["ask_human", { title: "?", choices: [], returnLink: true }, /choices/],
    ]) {
      const { error } = await agent.call(name, args);
      assert.match(error ?? "no error", problem, JSON.stringify([name, args]));
    }
    await assert.rejects(agent.call("approve", { id }), /approve.*not a tool.*ask_human/);
  });

  test(`${revision}: two agents with one idempotency key ask once`, LIMIT, async (t) => {
    const [one, two] = [await connect(t, revision), await connect(t, revision)];
    const title = `Once for ${revision}`;
    const question = { title, notify, idempotencyKey: title };
    const both = Promise.all([one.call("ask_human", question), two.call("ask_human", question)]);
    const { id } = await told(title);
    // One that goes while it waits, and comes back.
    const leaving = new AbortController();
    const left = one.call("ask_human", question, { signal: leaving.signal });
    leaving.abort();
    await assert.rejects(left);
    await worker.complete(id, 1);
    const decisions = await both;
    assert.deepEqual(
      decisions.map((decision) => [decision.id, decision.output]),
      [
        [id, 1],
        [id, 1],
      ],
    );
    assert.deepEqual(await (await connect(t, revision)).call("ask_human", question), decisions[0]);
  });
}

test("the client of the new revision finds out which to speak", LIMIT, async () => {
  for (const [options, version] of [
    [{ versionNegotiation: { mode: "auto" } }, MODERN],
    [{}, LEGACY],
  ]) {
    const fetch = checkedFetch(version);
    const requestInit = { headers: { authorization: `Bearer ${AGENT_KEY}` } };
    const client = new ModernClient({ name: "test", version: "1" }, options);
    await client.connect(new ModernTransport(new URL(`${worker.url}/mcp`), { fetch, requestInit }));
    assert.equal(client.getNegotiatedProtocolVersion(), version);
    assert.equal((await client.listTools()).tools.length, 4);
    assert.match(client.getInstructions(), /ask_human/);
    assert.equal(client.getServerVersion().name, "waitpoint");
    await client.close();
    await fetch.done();
  }
});

test("what waits is listed, the newest first, page after page", LIMIT, async (t) => {
  const ask = (n) =>
    call(worker, "ask_human", { title: `List ${n}`, notify }, { capabilities: TASKS });
  const asked = [];
  for (let n = 0; n < 22; n++) asked.push((await ask(n)).result.taskId);
  // What no agent has asked is none of their business.
  const other = await worker.create({ approval: { title: "List: the owner's" } });
  for (const revision of [MODERN, LEGACY]) {
    const agent = await connect(t, revision);
    const all = async () => {
      const rows = [];
      for (let cursor; ; ) {
        const page = await agent.call("list_waiting", cursor === undefined ? {} : { cursor });
        assert.ok(page.waiting.length <= 20);
        rows.push(...page.waiting);
        cursor = page.nextCursor;
        if (cursor === undefined) return rows;
      }
    };
    const rows = await until(all, (rows) => asked.every((id) => rows.some((row) => row.id === id)));
    const ids = rows.map(({ id }) => id).filter((id) => asked.includes(id));
    assert.deepEqual(ids, asked.toReversed());
    assert.match(rows.find(({ id }) => id === asked[3]).title, /^List 3$/);
    assert.ok(!rows.some(({ id }) => id === other.id));
    const owner = await connect(t, revision, { key: KEY });
    const seen = await until(
      () => owner.call("list_waiting"),
      ({ waiting }) => waiting.some(({ id }) => id === other.id),
    );
    assert.ok(seen.waiting.length > 0);
  }
});

test("a key of agents opens nothing else, and no other's token", LIMIT, async (t) => {
  const token = await worker.create({ approval: { title: "The owner's" }, idempotencyKey: "own" });
  const key = AGENT_KEY;
  for (const [path, options] of [
    [TOKENS, { body: {} }],
    [TOKENS, {}],
    [`${TOKENS}/${token.id}`, {}],
    [`${TOKENS}/${token.id}/complete`, { body: { data: 1 } }],
    [`${TOKENS}/${token.id}/cancel`, { body: {} }],
    [`${TOKENS}/${token.id}/wait`, {}],
    ["/api/v1/auth/jwt/claims", { method: "POST" }],
  ]) {
    const { status } = await worker.api(path, { ...options, key });
    assert.ok([401, 403, 404].includes(status), `${path} ${status}`);
    if (path !== "/api/v1/auth/jwt/claims") assert.equal(status, 401, path);
  }
  for (const revision of [MODERN, LEGACY]) {
    const agent = await connect(t, revision);
    for (const name of ["check_decision", "cancel"])
      assert.match((await agent.call(name, { id: token.id })).error, /no such question/);
    const own = { title: "Mine", idempotencyKey: "own", returnLink: true };
    assert.notEqual((await agent.call("ask_human", own)).id, token.id);
    // An agent of another environment sees as little.
    const { id } = await agent.call("ask_human", { title: "Here", returnLink: true });
    for (const other of [OTHER_AGENT_KEY, OTHER_KEY]) {
      const production = await connect(t, revision, { key: other });
      assert.match((await production.call("check_decision", { id })).error, /no such question/);
      assert.deepEqual((await production.call("list_waiting")).waiting, []);
    }
    await agent.call("cancel", { id });
  }
  for (const method of ["tasks/get", "tasks/cancel"]) {
    const { error } = await modern(worker, method, { taskId: token.id }, { capabilities: TASKS });
    assert.equal(error.code, -32602);
  }
  assert.equal((await worker.retrieve(token.id)).status, "WAITING");
  const refused = new LegacyClient({ name: "test", version: "1" });
  const requestInit = { headers: { authorization: "Bearer wrong" } };
  const transport = new LegacyTransport(new URL(`${worker.url}/mcp`), { requestInit });
  await assert.rejects(refused.connect(transport));
});

// Of the official clients only the inspector takes tasks (inspector.test.mjs); here they are
// written by hand.
test("tasks: created, asked for, completed, cancelled from either side", LIMIT, async () => {
  const tasks = { capabilities: TASKS };
  const create = async (title, more = {}) => {
    const { result } = await call(worker, "ask_human", { title, notify, ...more }, tasks);
    return result;
  };
  const of = async (taskId) => (await modern(worker, "tasks/get", { taskId }, tasks)).result;

  const task = await create("Task");
  assert.deepEqual([task.resultType, task.status, task.pollIntervalMs], ["task", "working", 5000]);
  assert.ok(task.ttlMs > 24 * 60 * 60 * 1000, "it outlives its token's deadline");
  const { id, shortUrl } = await told('"Task"');
  assert.equal(task.taskId, id);
  assert.equal((await of(id)).status, "working");
  const updated = await modern(worker, "tasks/update", { taskId: id, inputResponses: {} }, tasks);
  assert.equal(updated.result.resultType, "complete");
  await send(shortUrl, { choice: "0" });
  const completed = await of(id);
  assert.deepEqual([completed.resultType, completed.status], ["complete", "completed"]);
  const { structuredContent } = completed.result;
  assert.deepEqual([structuredContent.id, structuredContent.output.status], [id, "approved"]);
  assert.ok(completed.lastUpdatedAt >= completed.createdAt);
  holdsNoCredential([JSON.stringify([task, completed])], shortUrl);
  // The result is that of a call that waited.
  const checked = await call(worker, "check_decision", { id });
  assert.deepEqual(checked.result.structuredContent, structuredContent);

  // By the agent.
  const own = await create("Task of the agent");
  assert.equal((await modern(worker, "tasks/cancel", { taskId: own.taskId }, tasks)).status, 200);
  assert.equal((await of(own.taskId)).status, "cancelled");
  assert.ok((await worker.retrieve(own.taskId)).cancelledAt);
  // Of what is over, too, there is nothing to say.
  const late = await modern(worker, "tasks/cancel", { taskId: id }, tasks);
  assert.deepEqual([late.status, late.error], [200, undefined]);
  assert.equal((await of(id)).status, "completed");
  // By the owner.
  const withdrawn = await create("Task of the owner");
  await worker.api(`${TOKENS}/${withdrawn.taskId}/cancel`, { body: { reason: "no" } });
  assert.equal((await of(withdrawn.taskId)).status, "cancelled");
  // By nobody.
  const late2 = await create("Task of nobody", { timeout: "1s" });
  const over = await until(
    () => of(late2.taskId),
    ({ status }) => status !== "working",
  );
  assert.equal(over.status, "completed");
  assert.equal(over.result.structuredContent.status, "timed_out");

  // An agent that died finds its task by its question.
  const before = await create("Task found", { idempotencyKey: "found" });
  const after = await create("Task found", { idempotencyKey: "found" });
  assert.equal(after.taskId, before.taskId);
  await worker.complete(before.taskId, "plain text");
  const found = await create("Task found", { idempotencyKey: "found" });
  assert.deepEqual([found.resultType, found.structuredContent.output], ["complete", "plain text"]);
  // A call that waits and a client that polls the task see one token.
  const mixed = await create("Task mixed", { idempotencyKey: "mixed" });
  const { result } = await call(worker, "cancel", { id: mixed.taskId });
  assert.equal(result.structuredContent.status, "cancelled");
  assert.equal((await of(mixed.taskId)).status, "cancelled");
});

test("a client that leaves its call leaves the question", LIMIT, async () => {
  const title = "Left alone";
  const leaving = new AbortController();
  const message = {
    jsonrpc: "2.0",
    id: 1,
    method: "tools/call",
    params: { name: "ask_human", arguments: { title, notify }, _meta: { progressToken: 1 } },
  };
  const response = await fetch(`${worker.url}/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${AGENT_KEY}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
    },
    body: JSON.stringify(message),
    signal: leaving.signal,
  });
  assert.match(response.headers.get("content-type"), /^text\/event-stream/);
  const { id } = await told(title);
  leaving.abort();
  assert.equal((await worker.retrieve(id)).status, "WAITING");
  await worker.complete(id, 1);
  const { result } = await call(worker, "check_decision", { id });
  assert.equal(result.structuredContent.status, "completed");
});
