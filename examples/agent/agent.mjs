// An agent that clears a folder, and asks a person before it deletes anything.
//
//   node agent.mjs            in a new folder, which it makes and fills
//   node agent.mjs FOLDER     goes on in a folder that it has made
//   node agent.mjs --link     shows the link itself, where nobody can be notified
//
// AGENT_KEY, or for development SECRET_KEY, and BASE_URL (default http://localhost:8787) say where
// it asks, and NOTIFY whom: an e-mail address, slack:NAME or teams:NAME. `npm install` here brings
// the client of MCP.
import { createHash, randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { model } from "./model.mjs";

// An empty variable is a missing one.
const BASE_URL = process.env.BASE_URL || "http://localhost:8787";
const NOTIFY = process.env.NOTIFY || "you@example.com";
const KEY = process.env.AGENT_KEY || process.env.SECRET_KEY;
const PREFIX = "waitpoint-agent-";
const DELETE = "Delete";

/** What the model can do. It sees nothing but what these return. */
const tools = {
  list_files: () => ({ files: listFiles().map(({ name, size }) => ({ name, size })) }),
  delete_files: deleteFiles,
};

let client;
let folder;
let showsLink = false;
try {
  const args = process.argv.slice(2);
  showsLink = args.includes("--link");
  const [path, other] = args.filter((arg) => arg !== "--link");
  if (path?.startsWith("-")) throw new Error(`${path} is not an option; there is only --link`);
  if (other !== undefined) throw new Error(`${other} is one too many; name only one folder`);
  if (path !== undefined) folder = ownFolder(path);
  client = await connect();
  folder ??= newFolder();
  console.log(`I clear ${folder}`);
  process.once("SIGINT", () => leave("", 130));
  await run();
  await client.close();
} catch (error) {
  leave(error.message, 1);
}

async function run() {
  let step = {};
  for (;;) {
    const { say, tool, args } = await model(step);
    if (say) return console.log(`\n${say}`);
    console.log(`→ ${tool} ${JSON.stringify(args)}`);
    const isKnown = Object.hasOwn(tools, tool);
    const result = isKnown ? await tools[tool](args ?? {}) : { error: `no tool is “${tool}”` };
    step = { tool, result };
  }
}

/** Ends. What was asked stays, and is found again. */
function leave(why, code) {
  if (why) console.error(why);
  if (folder) console.log(`\nTo go on: node agent.mjs ${folder}`);
  process.exit(code);
}

/**
 * Asks a person, and deletes what they have ticked. The question is made here, of the files as they
 * are, and only its own decision counts: a model can neither word it nor bring another one.
 */
async function deleteFiles(args) {
  // One question at a time: what a killed run has asked comes before what the model proposes now.
  const earlier = readQuestion();
  const asked = earlier ?? propose(args);
  if (asked.error) return asked;
  // Written before it is asked, so that a crash at any time finds it again.
  if (!earlier) fs.writeFileSync(questionPath(), JSON.stringify(asked));
  announce(earlier);
  const { error, status, output, reason } = await decide(asked);
  if (error && earlier) return { error: `${error} To ask anew, delete ${questionPath()}.` };
  if (!error && output?.comment) console.log(`  the person writes: ${output.comment}`);
  const isApproved = status === "completed" && output?.choice === DELETE;
  const done = isApproved ? deleteTicked(asked.files, [output.fields?.files].flat()) : {};
  // It is over, however it ended: the next call asks anew.
  fs.rmSync(questionPath());
  if (error) return { error };
  if (status !== "completed") console.log(`  to ask anew: node agent.mjs ${folder}`);
  return { status, reason, deleted: [], changed: [], ...done, kept: namesOf(listFiles()) };
}

/** What the model wants to delete, as something to ask. */
function propose({ files: names, reason }) {
  if (!Array.isArray(names) || typeof reason !== "string") {
    return { error: "give files, a list of names, and reason, a text" };
  }
  const present = listFiles();
  const unknown = names.find((name) => !namesOf(present).includes(name));
  if (unknown !== undefined) return { error: `${JSON.stringify(unknown)} is not a file here` };
  const files = present.filter(({ name }) => names.includes(name));
  if (files.length === 0) return { error: "name one file or more" };
  return { idempotencyKey: randomUUID(), files, reason };
}

function deleteTicked(asked, ticked) {
  const hashes = new Map(listFiles().map(({ name, hash }) => [name, hash]));
  const due = asked.filter(({ name }) => ticked.includes(name) && hashes.has(name));
  // What has changed since is not what the person was asked about.
  const isUnchanged = ({ name, hash }) => hashes.get(name) === hash;
  const deleted = namesOf(due.filter(isUnchanged));
  const changed = namesOf(due.filter((file) => !isUnchanged(file)));
  for (const name of deleted) fs.rmSync(join(folder, name));
  return { deleted, changed };
}

function namesOf(files) {
  return files.map(({ name }) => name);
}

/** Says who is asked, once. */
function announce(earlier) {
  const isHere = NOTIFY.includes("@") && new URL(BASE_URL).hostname === "localhost";
  const where = isHere ? ": open “View request” in the mail, in the terminal of npm start" : "";
  if (earlier) console.log("  the question from before goes on: its notice was sent then");
  else if (!showsLink) console.log(`  ${NOTIFY} is asked${where}`);
}

/** The decision on this question, however long that takes. */
async function decide({ idempotencyKey, files, reason }) {
  const whom = showsLink ? { returnLink: true } : { notify: [receiver()] };
  // Whoever asks the same by the same key gets the question that is there.
  let decision = await call("ask_human", { ...question(files, reason), idempotencyKey, ...whom });
  const { id, link } = decision;
  if (link) console.log(`  a person is asked: open ${link}`);
  while (decision.status === "waiting") {
    decision = await call("check_decision", { id });
    // The question is there, so the next run goes on with it.
    if (decision.error) throw new Error(decision.error);
  }
  return decision;
}

/** What a person is asked. They may untick files, and leave a comment. */
function question(files, reason) {
  return {
    title: files.length === 1 ? "Delete a file?" : `Delete ${files.length} files?`,
    description:
      `An agent wants to clear ${folder}. A deleted file does not come back. What is not ticked ` +
      `stays. The agent's reason: ${reason.replace(/\s+/g, " ").slice(0, 500)}`,
    choices: [
      { label: DELETE, style: "danger" },
      { label: "Keep all", form: false },
    ],
    form: {
      type: "object",
      properties: {
        files: {
          type: "array",
          title: "Files to delete",
          items: {
            type: "string",
            oneOf: files.map(({ name, size }) => ({ const: name, title: `${name} (${size} B)` })),
          },
          minItems: 1,
          default: namesOf(files),
        },
      },
      required: ["files"],
    },
    timeout: "1d",
  };
}

function receiver() {
  const [, channel = "email", name] = /^(?:(slack|teams):)?(.+)$/.exec(NOTIFY) ?? [];
  return { [channel]: name };
}

/** Calls a tool of the MCP server. */
async function call(name, args) {
  const result = await client.callTool({ name, arguments: args }).catch((error) => {
    throw new Error(`${name} failed: ${error.message}`);
  });
  return result.isError ? { error: result.content[0].text } : result.structuredContent;
}

/** Where the question is kept that is not over. No tool of the model reads or writes it. */
function questionPath() {
  return join(folder, ".question.json");
}

function readQuestion() {
  if (!fs.existsSync(questionPath())) return;
  try {
    return JSON.parse(fs.readFileSync(questionPath(), "utf8"));
  } catch (error) {
    throw new Error(`${questionPath()} cannot be read; delete it to ask anew: ${error.message}`);
  }
}

function listFiles() {
  const entries = fs.readdirSync(folder, { withFileTypes: true });
  const isListed = (entry) => entry.isFile() && !entry.name.startsWith(".");
  const names = entries.filter(isListed).map(({ name }) => name);
  return names.sort().map((name) => {
    const bytes = fs.readFileSync(join(folder, name));
    const hash = createHash("sha256").update(bytes).digest("hex");
    return { name, size: bytes.length, hash };
  });
}

function newFolder() {
  const made = fs.mkdtempSync(join(tmpdir(), PREFIX));
  const fill = (name, line, times) => fs.writeFileSync(join(made, name), `${line}\n`.repeat(times));
  fill("build.log", "compiled a module", 120);
  fill("crash.log", "something went wrong", 4);
  fill("preview.tmp", "pixels", 80);
  fill("notes.md", "- call Ann", 3);
  fill("report.csv", "2026;1042;80.00", 12);
  return made;
}

/** A folder of an earlier run. Another one is refused: its files are no example. */
function ownFolder(path) {
  const whole = resolve(path);
  const isOwn = dirname(whole) === resolve(tmpdir()) && basename(whole).startsWith(PREFIX);
  const entry = isOwn ? fs.lstatSync(whole, { throwIfNoEntry: false }) : undefined;
  if (entry?.isDirectory()) return whole;
  throw new Error(`${path || "“”"} is not a folder of this program; leave it out to get a new one`);
}

async function connect() {
  if (!KEY) throw new Error("set AGENT_KEY, or SECRET_KEY; npm start keeps one in .dev.vars");
  if (!URL.canParse(BASE_URL)) throw new Error(`BASE_URL is ${BASE_URL}, which is not a URL`);
  const made = new Client(
    { name: "folder-agent", version: "1.0.0" },
    // The newest revision of MCP, or an older one if the server knows no newer.
    { versionNegotiation: { mode: "auto" } },
  );
  const requestInit = { headers: { authorization: `Bearer ${KEY}` } };
  const url = new URL("/mcp", BASE_URL);
  const transport = new StreamableHTTPClientTransport(url, { requestInit });
  await made.connect(transport).catch((error) => {
    throw new Error(`${url} cannot be asked: ${error.message}`);
  });
  return made;
}
