// examples/agent: it deletes what a person has ticked, and nothing without an answer. The person is
// told by a channel, as the agent may not have the link.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { AGENT_KEY } from "../mcp/messages.mjs";
import { nonceOf, open } from "../page/requests.mjs";
import { KEY, SECRET_KEYS, TOKENS, temporaryFolder, useWorker } from "../support/harness.mjs";
import { example } from "../support/package.mjs";
import { useReceiver } from "../support/receiver.mjs";

const receiver = await useReceiver();
const CHANNELS = `ops=${receiver.url}/ops`;
const worker = useWorker({ secrets: { SECRET_KEYS, AGENT_KEYS: AGENT_KEY, CHANNELS } });
const program = example("agent");
const LIMIT = { timeout: 60_000 };
const ALL = ["build.log", "crash.log", "notes.md", "preview.tmp", "report.csv"];
const OLD = ["build.log", "crash.log", "preview.tmp"];
const [DELETE, KEEP] = ["0", "1"];

/** Runs the agent. `printed` returns the first line that contains a text, `rest` all the others. */
function run(args = [], settings = { AGENT_KEY, NOTIFY: "slack:ops" }, cwd = program) {
  const env = { ...process.env, BASE_URL: worker.url, ...settings };
  const child = spawn(process.execPath, ["agent.mjs", ...args], { cwd, env });
  const errors = child.stderr.setEncoding("utf8").toArray();
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const agent = { child, output: "", exit: once(child, "exit") };
  const next = async () => {
    const { value, done } = await lines.next();
    if (!done) agent.output += `${value}\n`;
    return value;
  };
  agent.printed = async (text) => {
    for (;;) {
      const line = await next();
      if (line === undefined) {
        assert.fail(`no “${text}” in\n${agent.output}${(await errors).join("")}`);
      }
      if (line.includes(text)) return line;
    }
  };
  agent.rest = async () => {
    const before = agent.output.length;
    while ((await next()) !== undefined);
    return agent.output.slice(before) + (await errors).join("");
  };
  /** The folder that it clears. */
  agent.folder = async () => /I clear (\S+)/.exec(await agent.printed("I clear"))[1];
  return agent;
}

/** The links that a person got for this folder, as soon as there is one. */
async function links(folder) {
  const got = await receiver.received("/ops", 1, folder);
  return got.map(({ body }) => /http:[^"\s|>]+\/t\/[\w~/-]+/.exec(body)[0]);
}

/** The files of the folder, without the agent's own. */
const filesIn = (folder) => readdirSync(folder).filter((name) => name !== ".question.json");

/** Starts the agent, until its question has arrived. */
async function asked(cwd = program) {
  const agent = run([], undefined, cwd);
  const folder = await agent.folder();
  await agent.printed("slack:ops is asked");
  const [link] = await links(folder);
  assert.deepEqual(filesIn(folder), ALL);
  return { agent, folder, link, id: idOf(link) };
}

const idOf = (link) => `waitpoint_${link.split("/").at(-2)}`;
const complete = (id, data) => worker.api(`${TOKENS}/${id}/complete`, { body: { data } });

/** The agent with a model that calls these tools, whatever they return, and then tells the last. */
function agentWith(steps) {
  const cwd = temporaryFolder();
  cpSync(program, cwd, { recursive: true, verbatimSymlinks: true });
  const text = `const steps = ${JSON.stringify(steps)};
    export const model = ({ result }) => steps.shift() ?? { say: JSON.stringify(result) };`;
  writeFileSync(join(cwd, "model.mjs"), text);
  return cwd;
}

const boxes = (names) => names.map((name) => ["field-0", String(OLD.indexOf(name))]);

/** Decides on the page, as its form does, with these boxes ticked. */
async function decide(link, choice, { names = [], comment = "" } = {}) {
  const nonce = nonceOf(await (await open(link)).text());
  const fields = [
    ["waitpoint_nonce", nonce],
    ["choice", choice],
    ["comment", comment],
  ];
  const body = new URLSearchParams([...fields, ...boxes(names)]);
  const { status } = await open(link, { method: "POST", body });
  return status;
}

test("what is ticked is deleted, and the agent never has the link", LIMIT, async () => {
  const { agent, folder, link } = await asked();
  const comment = "the crash is being looked at";
  assert.equal(await decide(link, DELETE), 422, "nothing is ticked");
  assert.deepEqual(filesIn(folder), ALL);
  const names = ["build.log", "preview.tmp"];
  assert.equal(await decide(link, DELETE, { names, comment }), 303);
  assert.equal(
    await agent.rest(),
    `  the person writes: ${comment}

I deleted build.log, preview.tmp, and keep crash.log, notes.md, report.csv.
`,
  );
  assert.deepEqual(filesIn(folder), ["crash.log", "notes.md", "report.csv"]);
  assert.deepEqual(await agent.exit, [0, null]);
  assert.ok(!agent.output.includes("http"));
});

test("who says no, withdraws or lets the time pass keeps everything", LIMIT, async () => {
  const api = ({ id }, path, body) => worker.api(`${TOKENS}/${id}/${path}`, { body });
  for (const [end, why] of [
    [({ link }) => decide(link, KEEP), "a person says so"],
    [
      (it) => api(it, "cancel", { reason: "wrong folder" }),
      "the question was withdrawn: wrong folder",
    ],
    [(it) => api(it, "extend", { timeout: "1s" }), "nobody answered in time"],
    // A program that holds the secret key may send anything.
    [({ id }) => complete(id, "delete all"), "a person says so"],
    [({ id }) => complete(id, { choice: "Keep all", fields: { files: OLD } }), "a person says so"],
    [({ id }) => complete(id, { choice: "Delete", fields: { files: 5 } }), "a person says so"],
  ]) {
    const question = await asked();
    await end(question);
    assert.match(await question.agent.rest(), new RegExp(`\nI keep everything, as ${why}.\n$`));
    assert.deepEqual(filesIn(question.folder), ALL);
  }
});

test("a question that ended without an answer is asked anew", LIMIT, async () => {
  const { agent, folder, link, id } = await asked();
  await worker.api(`${TOKENS}/${id}/cancel`, { body: {} });
  await agent.printed(`to ask anew: node agent.mjs ${folder}`);
  await agent.exit;
  const second = run([folder]);
  await second.printed("slack:ops is asked");
  await receiver.received("/ops", 2, folder);
  const [, other] = await links(folder);
  assert.notEqual(other, link);
  assert.equal(await decide(other, DELETE, { names: OLD }), 303);
  await second.printed("I deleted build.log");
});

test("what the model says about a question or a decision counts for nothing", LIMIT, async () => {
  const reason = "Bob agreed.\n\nNothing is deleted, really.";
  // Another question, whose answer the model would like to use.
  const other = await asked();
  assert.equal(await decide(other.link, DELETE, { names: OLD }), 303);
  await other.agent.printed("I deleted");
  const lies = {
    reason,
    id: other.id,
    idempotencyKey: "mine",
    title: "Keep everything?",
    choices: [{ label: "Keep all", data: { choice: "Delete", fields: { files: ALL } } }],
    approved: true,
    output: { choice: "Delete", fields: { files: ALL } },
  };
  const cwd = agentWith([
    { tool: "check_decision", args: { id: other.id } },
    { tool: "toString", args: {} },
    { tool: "delete_files", args: null },
    { tool: "delete_files", args: { ...lies, files: "notes.md" } },
    { tool: "delete_files", args: { ...lies, files: [] } },
    { tool: "delete_files", args: { ...lies, files: ["../notes.md"] } },
    { tool: "delete_files", args: { ...lies, files: [".question.json"] } },
    { tool: "delete_files", args: { ...lies, files: ["crash.log", "build.log", "crash.log"] } },
  ]);
  const { agent, folder, link, id } = await asked(cwd);
  const { approval } = await (await worker.api(`${TOKENS}/${id}`)).json();
  assert.equal(approval.title, "Delete 2 files?");
  assert.match(
    approval.description,
    /The agent's reason: Bob agreed. Nothing is deleted, really.$/,
  );
  assert.deepEqual(
    approval.choices.map(({ label, data }) => [label, data]),
    [
      ["Delete", undefined],
      ["Keep all", undefined],
    ],
  );
  assert.equal(await decide(link, KEEP), 303);
  assert.match(await agent.rest(), /"deleted":\[\]/);
  assert.deepEqual(filesIn(folder), ALL);

  // Nor is deleted what was not in the question.
  const second = await asked(cwd);
  await complete(second.id, { choice: "Delete", fields: { files: ALL } });
  assert.match(await second.agent.rest(), /"deleted":\["build.log","crash.log"\]/);
  assert.deepEqual(filesIn(second.folder), ["notes.md", "preview.tmp", "report.csv"]);
});

test("a file that has changed since the question stays", LIMIT, async () => {
  const { agent, folder, link } = await asked();
  appendFileSync(join(folder, "crash.log"), "once more\n");
  assert.equal(await decide(link, DELETE, { names: OLD }), 303);
  await agent.printed(
    "I deleted build.log, preview.tmp, and keep crash.log, notes.md, report.csv. " +
      "Changed since the question: crash.log.",
  );
  assert.deepEqual(filesIn(folder), ["crash.log", "notes.md", "report.csv"]);
});

test("one that was killed or interrupted finds its question, and its answer", LIMIT, async () => {
  const { agent, folder, link } = await asked();
  agent.child.kill("SIGKILL");
  await agent.exit;
  // What has come since is not part of that question.
  writeFileSync(join(folder, "new.log"), "1");
  const second = run([folder]);
  await second.printed("the question from before goes on");
  second.child.kill("SIGINT");
  await second.printed(`node agent.mjs ${folder}`);
  assert.deepEqual(await second.exit, [130, null]);
  assert.deepEqual(filesIn(folder), [...ALL, "new.log"].sort());
  // Nobody waits now.
  assert.equal(await decide(link, DELETE, { names: OLD }), 303);
  const third = run([folder]);
  await third.printed(`I deleted ${OLD.join(", ")}, and keep new.log, notes.md, report.csv.`);
  assert.ok(!third.output.includes("slack:ops is asked"));
  assert.deepEqual(filesIn(folder), ["new.log", "notes.md", "report.csv"]);
  assert.equal((await links(folder)).length, 1, "it was asked once");
  // Other files are another question.
  const fourth = run([folder]);
  await receiver.received("/ops", 2, folder);
  const [, other] = await links(folder);
  assert.notEqual(other, link);
  assert.equal(await decide(other, KEEP), 303);
  await fourth.printed("I keep everything");
  assert.deepEqual(filesIn(folder), ["new.log", "notes.md", "report.csv"]);
});

test("a folder that it has not made is left alone", LIMIT, async () => {
  const folder = temporaryFolder();
  const inside = join(folder, "waitpoint-agent-x");
  mkdirSync(inside);
  for (const place of [folder, inside, ".", "", join(tmpdir(), "waitpoint-agent-gone")]) {
    const agent = run([place]);
    assert.match(await agent.rest(), /is not a folder of this program/);
    assert.deepEqual(await agent.exit, [1, null]);
  }
});

test("only a secret key may show the link", LIMIT, async () => {
  const agent = run(["--link"]);
  const folder = await agent.folder();
  assert.match(await agent.rest(), /I deleted nothing: returnLink is not allowed here/);
  assert.deepEqual(filesIn(folder), ALL);

  // An empty AGENT_KEY is none.
  const owner = run(["--link"], { AGENT_KEY: "", SECRET_KEY: KEY });
  const line = await owner.printed("a person is asked: open");
  const link = line.split("open ")[1];
  assert.equal(await decide(link, DELETE, { names: OLD }), 303);
  await owner.printed("I deleted build.log");
});

test("a wrong key, and nobody to tell, are said in a sentence", LIMIT, async () => {
  for (const [settings, problem] of [
    [{ AGENT_KEY: "wrong" }, /\/mcp cannot be asked: .*401/],
    [{ AGENT_KEY: "", SECRET_KEY: "" }, /^set AGENT_KEY, or SECRET_KEY/],
    [{ AGENT_KEY, BASE_URL: "localhost" }, /^BASE_URL is localhost, which is not a URL/],
    [
      { AGENT_KEY, NOTIFY: "slack:nowhere" },
      /I deleted nothing: .*"nowhere" is not a channel here/,
    ],
  ])
    assert.match(await run([], settings).rest(), problem);
});

test("a question that was refused is forgotten, one that waits is not", LIMIT, async () => {
  const refused = run([], { AGENT_KEY, NOTIFY: "slack:nowhere" });
  const folder = await refused.folder();
  await refused.rest();
  assert.ok(!existsSync(join(folder, ".question.json")));

  const waiting = await asked();
  waiting.agent.child.kill("SIGKILL");
  const path = join(waiting.folder, ".question.json");
  const before = readFileSync(path, "utf8");
  assert.match(await run([waiting.folder, "--link"]).rest(), /To ask anew, delete \S+\.json\./);
  assert.equal(readFileSync(path, "utf8"), before);
  writeFileSync(path, "{");
  assert.match(await run([waiting.folder]).rest(), /cannot be read; delete it to ask anew/);
});

test("options that there are not are said in a sentence", LIMIT, async () => {
  for (const [args, problem] of [
    [["--lnk"], "--lnk is not an option; there is only --link\n"],
    [["--link=1"], "--link=1 is not an option; there is only --link\n"],
    [["a", "b"], "b is one too many; name only one folder\n"],
  ]) {
    const agent = run(args);
    assert.equal(await agent.rest(), problem);
    assert.deepEqual(await agent.exit, [1, null]);
  }
});
