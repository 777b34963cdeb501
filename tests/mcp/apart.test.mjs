// What agents ask and what programs create by the API stay apart, and one key answers one question.
import assert from "node:assert/strict";
import { test } from "node:test";
import { TOKENS } from "../support/harness.mjs";
import { AGENT_KEY, call, messagesOf, modern, TASKS, useAgents } from "./messages.mjs";

const { worker, notify, told } = await useAgents();
const ask = (args, options) => call(worker, "ask_human", { notify, ...args }, options);
const asTask = { capabilities: TASKS };

test("a program's idempotency key finds no token of an agent, nor the other way", async () => {
  const key = "deploy-42";
  const lunch = await ask({ title: "Lunch?", idempotencyKey: key }, asTask);
  await worker.complete(lunch.result.taskId, { status: "approved" });
  const approval = { title: "Delete production?" };
  const created = await worker.create({ approval, idempotencyKey: key });
  assert.equal(created.isCached, false);
  assert.equal((await worker.retrieve(created.id)).status, "WAITING");
  const again = await ask({ title: "Lunch?", idempotencyKey: key });
  assert.equal(again.result.structuredContent.id, lunch.result.taskId);
});

test("a key that has asked something else is an error that names it", async () => {
  const idempotencyKey = "reused";
  const first = await ask({ title: "Lunch?", idempotencyKey }, asTask);
  await worker.complete(first.result.taskId, { status: "approved" });
  for (const other of [{ title: "Delete?" }, { title: "Lunch?", description: "At noon." }]) {
    const { result } = await ask({ ...other, idempotencyKey });
    assert.equal(result.isError, true);
    const { text } = result.content[0];
    assert.match(text, /has asked something else before: "Lunch\?".*Use another key/);
    assert.ok(text.includes(first.result.taskId));
  }
});

test("no token of the API can pass for one of an agent", async () => {
  for (const body of [
    { tags: ["a", "waitpoint:agent"] },
    { tags: "waitpoint:agent" },
    { idempotencyKey: "waitpoint:agent:deploy-42" },
  ]) {
    const answer = await worker.api(TOKENS, { body });
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.match((await answer.json()).error, /reserved for agents/);
  }
  const { id } = await worker.create({ tags: ["mcp", "agent"] });
  for (const tool of ["check_decision", "cancel"])
    assert.equal((await call(worker, tool, { id })).result.isError, true);
  assert.equal((await worker.retrieve(id)).status, "WAITING");
});

test("people are told that an agent asks", async () => {
  const title = "Who asks?";
  const asked = await ask({ title }, asTask);
  const { shortUrl } = await told(title);
  assert.match(await (await fetch(shortUrl)).text(), /AI agent/);
  const retrieved = await worker.retrieve(asked.result.taskId);
  assert.deepEqual(retrieved.tags, ["waitpoint:agent"]);
});

test("an output with line breaks comes whole, as an event, a result and a task", async () => {
  const title = "Line breaks";
  const asked = await ask({ title }, asTask);
  const id = asked.result.taskId;
  const body = '{"data":{\n\n"go": true,\r\n\r\n "text": "a\\n\\nb"}}';
  const path = `${TOKENS}/${id}/complete`;
  assert.equal((await worker.api(path, { body })).status, 200);
  const output = { go: true, text: "a\n\nb" };
  const task = await modern(worker, "tasks/get", { taskId: id }, asTask);
  assert.deepEqual(task.result.result.structuredContent.output, output);
  // By an event: the answer begins when the call waits, and it is decided then.
  for (const isLate of [false, true]) {
    const { taskId } = (await ask({ title: `${title} ${isLate}` }, asTask)).result;
    const decide = () => worker.api(`${TOKENS}/${taskId}/complete`, { body });
    if (!isLate) await decide();
    const message = {
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: {
        name: "check_decision",
        arguments: { id: taskId },
        _meta: { progressToken: 1 },
      },
    };
    const response = await fetch(`${worker.url}/mcp`, {
      method: "POST",
      headers: { authorization: `Bearer ${AGENT_KEY}`, accept: "text/event-stream" },
      body: JSON.stringify(message),
    });
    const type = response.headers.get("content-type");
    assert.equal(type.startsWith("text/event-stream"), isLate);
    if (isLate) await decide();
    const [{ result }] = messagesOf(await response.text(), type);
    assert.deepEqual(result.structuredContent.output, output);
  }
});
