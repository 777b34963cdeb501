// An agent that clears a folder, and asks a person before it deletes anything.
//
//   node agent.mjs            in a new folder, which it makes and fills
//   node agent.mjs FOLDER     goes on in a folder that it has made
//   node agent.mjs --link     shows the link itself, where nobody can be notified
//
// AGENT_KEY, or for development SECRET_KEY, and BASE_URL (default http://localhost:8787) say where
// it asks, and NOTIFY whom: an e-mail address, slack:NAME or teams:NAME. `npm install` here brings
// the client of MCP.
import { createHash } from "node:crypto";
import { lstatSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";

const { BASE_URL = "http://localhost:8787", NOTIFY = "you@example.com" } = process.env;
const KEY = process.env.AGENT_KEY ?? process.env.SECRET_KEY;
const PREFIX = "waitpoint-agent-";
const { values: flags, positionals } = parseArgs({
  options: { link: { type: "boolean", default: false } },
  allowPositionals: true,
});

/** The names that a person has ticked. Nothing else is ever deleted, whatever the model says. */
const approved = new Set();
/** The files as they were when they were listed, by their names. */
const listed = new Map();
let folder;
try {
  if (positionals.length > 0) folder = ownFolder(positionals[0]);
  const client = await connect();
  folder ??= newFolder();
  console.log(`I clear ${folder}: ${list(listFiles().map(({ name }) => name))}`);
  process.once("SIGINT", () => leave("", 130));
  await run(client);
  await client.close();
} catch (error) {
  leave(error.message, 1);
}

async function run(client) {
  let step = {};
  for (;;) {
    const { say, tool, args } = model(step);
    if (say) return console.log(`\n${say}`);
    // A wait goes on by the same call, again and again.
    if (tool !== step.tool) console.log(`→ ${tool}`);
    step = { tool, result: await callTool(client, tool, args) };
  }
}

/** Ends. What was asked stays, and is found again. */
function leave(why, code) {
  if (why) console.error(why);
  if (folder) console.log(`\nTo go on, with the same question: node agent.mjs ${folder}`);
  process.exit(code);
}

/**
 * Stands for a language model: looks at what the last call returned, and names the next call or
 * says what to tell the user.
 */
function model({ tool, result }) {
  if (result?.error) return { say: `I deleted nothing: ${result.error}` };
  switch (tool) {
    case undefined:
      return { tool: "list_files" };
    case "list_files": {
      const old = result.files.filter(({ name }) => /\.(log|tmp)$/.test(name));
      if (old.length === 0) return { say: "There is nothing to delete." };
      return { tool: "ask_human", args: question(old) };
    }
    case "ask_human":
    case "check_decision": {
      const { id, status, output, reason } = result;
      if (status === "waiting") return { tool: "check_decision", args: { id } };
      if (status === "completed" && output?.delete === true) {
        return { tool: "delete_files", args: { names: output.fields?.files ?? [] } };
      }
      const why = {
        completed: "a person says so",
        cancelled: `the question was withdrawn${reason ? `: ${reason}` : ""}`,
        timed_out: "nobody answered in time",
      };
      return { say: `I keep everything, as ${why[status]}.` };
    }
    case "delete_files":
      return { say: `I deleted ${list(result.deleted)}, and keep ${list(result.kept)}.` };
  }
}

/** What a person is asked. They may untick files, and leave a comment. */
function question(files) {
  const names = files.map(({ name }) => name);
  return {
    title: names.length === 1 ? `Delete ${names[0]}?` : `Delete ${names.length} files?`,
    description:
      `An agent clears ${folder} and thinks that nobody needs these files any more. ` +
      "A deleted file does not come back. What is not ticked stays.",
    choices: [
      { label: "Delete", data: { delete: true }, style: "danger" },
      { label: "Keep all", data: { delete: false }, form: false },
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
          default: names,
        },
      },
      required: ["files"],
    },
    timeout: "1d",
    // Whoever asks the same again, after a crash for example, finds the question that is there.
    idempotencyKey: createHash("sha256")
      .update(JSON.stringify([folder, files]))
      .digest("hex"),
    ...(flags.link ? { returnLink: true } : { notify: [receiver()] }),
  };
}

function receiver() {
  const [, channel = "email", name] = /^(?:(slack|teams):)?(.+)$/.exec(NOTIFY) ?? [];
  return { [channel]: name };
}

/** Calls one of the agent's own tools, or one of the MCP server. */
async function callTool(client, name, args = {}) {
  if (name === "list_files") {
    const files = listFiles();
    for (const file of files) listed.set(file.name, file);
    return { files };
  }
  if (name === "delete_files") return deleteFiles(args.names);
  if (name === "ask_human" && !flags.link) {
    const isHere = NOTIFY.includes("@") && new URL(BASE_URL).hostname === "localhost";
    console.log(`  ${NOTIFY} is asked${isHere ? ", by a mail in the terminal of npm start" : ""}`);
  }
  const call = client.callTool({ name, arguments: args }).catch((error) => {
    throw new Error(`${name} failed: ${error.message}`);
  });
  const { isError, content, structuredContent } = await call;
  if (isError) return { error: content[0].text };
  const { status, output, link } = structuredContent;
  if (link) console.log(`  a person is asked: open ${link}`);
  if (output?.comment) console.log(`  the person writes: ${output.comment}`);
  // This program, and not the model, keeps what was approved.
  if (status === "completed" && output?.delete === true) {
    for (const name of output.fields?.files ?? []) approved.add(name);
  }
  return structuredContent;
}

/** Sorted, so that the same files are the same question. */
function listFiles() {
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  const names = entries.map(({ name }) => name).sort();
  return names.map((name) => {
    const { size, mtimeMs: modified } = statSync(join(folder, name));
    return { name, size, modified };
  });
}

function deleteFiles(names) {
  // What has changed since is not what the person was asked about.
  const isUnchanged = ({ name, modified }) => listed.get(name)?.modified === modified;
  const isDue = (file) => names.includes(file.name) && approved.has(file.name) && isUnchanged(file);
  const deleted = listFiles().filter(isDue);
  for (const { name } of deleted) rmSync(join(folder, name));
  return { deleted: deleted.map(({ name }) => name), kept: listFiles().map(({ name }) => name) };
}

function newFolder() {
  const made = mkdtempSync(join(tmpdir(), PREFIX));
  const fill = (name, line, times) => writeFileSync(join(made, name), `${line}\n`.repeat(times));
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
  const entry = isOwn ? lstatSync(whole, { throwIfNoEntry: false }) : undefined;
  if (entry?.isDirectory()) return whole;
  throw new Error(`${path || "“”"} is not a folder of this program; leave it out to get a new one`);
}

async function connect() {
  if (!KEY) throw new Error("set AGENT_KEY, or SECRET_KEY; npm start keeps one in .dev.vars");
  const client = new Client(
    { name: "folder-agent", version: "1.0.0" },
    // The newest revision of MCP, or an older one if the server knows no newer.
    { versionNegotiation: { mode: "auto" } },
  );
  const requestInit = { headers: { authorization: `Bearer ${KEY}` } };
  const url = new URL("/mcp", BASE_URL);
  const transport = new StreamableHTTPClientTransport(url, { requestInit });
  await client.connect(transport).catch((error) => {
    throw new Error(`${url} cannot be asked: ${error.message}`);
  });
  return client;
}

function list(names) {
  return names.length === 0 ? "nothing" : names.join(", ");
}
