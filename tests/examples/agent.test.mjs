// examples/agent: it deletes what a person has ticked, and nothing without an answer. The person is
// told by a channel, as the agent may not have the link.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
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
function run(args = [], settings = { AGENT_KEY, NOTIFY: "slack:ops" }) {
  const env = { ...process.env, BASE_URL: worker.url, ...settings };
  const child = spawn(process.execPath, ["agent.mjs", ...args], { cwd: program, env });
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
  agent.folder = async () => /I clear (\S+):/.exec(await agent.printed("I clear"))[1];
  return agent;
}

/** The links that a person got for this folder, as soon as there is one. */
async function links(folder) {
  const got = await receiver.received("/ops", 1, folder);
  return got.map(({ body }) => /http:[^"\s|>]+\/t\/[\w~/-]+/.exec(body)[0]);
}

/** Starts the agent, until its question has arrived. */
async function asked() {
  const agent = run();
  const folder = await agent.folder();
  await agent.printed("slack:ops is asked");
  const [link] = await links(folder);
  assert.deepEqual(readdirSync(folder), ALL);
  return { agent, folder, link, id: `waitpoint_${link.split("/").at(-2)}` };
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
  assert.deepEqual(readdirSync(folder), ALL);
  const names = ["build.log", "preview.tmp"];
  assert.equal(await decide(link, DELETE, { names, comment }), 303);
  assert.equal(
    await agent.rest(),
    `  the person writes: ${comment}
→ delete_files

I deleted build.log, preview.tmp, and keep crash.log, notes.md, report.csv.
`,
  );
  assert.deepEqual(readdirSync(folder), ["crash.log", "notes.md", "report.csv"]);
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
    [(it) => api(it, "complete", { data: "delete all" }), "a person says so"],
  ]) {
    const question = await asked();
    await end(question);
    assert.equal(await question.agent.rest(), `\nI keep everything, as ${why}.\n`);
    assert.deepEqual(readdirSync(question.folder), ALL);
  }
});

test("a file that has changed since the question stays", LIMIT, async () => {
  const { agent, folder, link } = await asked();
  appendFileSync(join(folder, "crash.log"), "once more\n");
  assert.equal(await decide(link, DELETE, { names: OLD }), 303);
  await agent.printed("I deleted build.log, preview.tmp, and keep crash.log");
  assert.deepEqual(readdirSync(folder), ["crash.log", "notes.md", "report.csv"]);
});

test("one that was killed or interrupted finds its question, and its answer", LIMIT, async () => {
  const { agent, folder, link } = await asked();
  agent.child.kill("SIGKILL");
  await agent.exit;
  const second = run([folder]);
  await second.printed("slack:ops is asked");
  second.child.kill("SIGINT");
  await second.printed(`node agent.mjs ${folder}`);
  assert.deepEqual(await second.exit, [130, null]);
  assert.deepEqual(readdirSync(folder), ALL);
  // Nobody waits now.
  assert.equal(await decide(link, DELETE, { names: OLD }), 303);
  const third = run([folder]);
  await third.printed(`I deleted ${OLD.join(", ")}, and keep notes.md, report.csv.`);
  assert.deepEqual(readdirSync(folder), ["notes.md", "report.csv"]);
  assert.equal((await links(folder)).length, 1, "it was asked once");
  // Other files are another question.
  writeFileSync(join(folder, "new.log"), "1");
  const fourth = run([folder]);
  await receiver.received("/ops", 2, folder);
  const [, other] = await links(folder);
  assert.notEqual(other, link);
  assert.equal(await decide(other, KEEP), 303);
  await fourth.printed("I keep everything");
  assert.deepEqual(readdirSync(folder), ["new.log", "notes.md", "report.csv"]);
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
  assert.deepEqual(readdirSync(folder), ALL);

  const owner = run(["--link"], { SECRET_KEY: KEY });
  const line = await owner.printed("a person is asked: open");
  const link = line.split("open ")[1];
  assert.equal(await decide(link, DELETE, { names: OLD }), 303);
  await owner.printed("I deleted build.log");
});

test("a wrong key, and nobody to tell, are said in a sentence", LIMIT, async () => {
  for (const [settings, problem] of [
    [{ AGENT_KEY: "wrong" }, /\/mcp cannot be asked: .*401/],
    [
      { AGENT_KEY, NOTIFY: "slack:nowhere" },
      /I deleted nothing: .*"nowhere" is not a channel here/,
    ],
  ])
    assert.match(await run([], settings).rest(), problem);
});
