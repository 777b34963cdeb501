// `npm start`: serves the Worker on local workerd, with its state in .wrangler/ and its inbox on.
// On a terminal it also shows a link to the inbox, the mail that the Worker sends, and a token that
// waits to be decided. `--port N`; all other flags go to `wrangler dev`.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { build } from "./lib/build.mjs";
import { inboxLink } from "./lib/inbox-link.mjs";
import { maskLine, secretsOf } from "./lib/mask.mjs";
import { fail, root, say } from "./lib/process.mjs";
import { repeatedName } from "./lib/settings.mjs";

const { port, flags } = parseOptions(process.argv.slice(2));
const origin = `http://localhost:${port}`;
const isOnTerminal = process.stdin.isTTY && process.stdout.isTTY;
/** Called with the text of each mail that the Worker sends. */
let onMail = printMail;

await assertFree(port);
const env = await build("worker");
const { environment, secretKey } = developmentSecret();
const mailStays = !hasFlag("--config", "-c", "--env", "-e");
/** Whether the demo may send a mail to example.com. */
const hasDemoMail = mailStays && !/^\s*NOTIFY_DOMAINS\s*=/m.test(readVars());
deleteRequestRecords();
serve();
await untilReady();
console.log(`\nWaitpoint is ready at ${origin}`);
console.log(`Agents ask people at ${origin}/mcp, with the key in AGENT_KEYS of .dev.vars`);
await showInbox();
if (isOnTerminal) await showDemo();

function readVars() {
  return readFileSync(join(root, ".dev.vars"), "utf8");
}

function hasFlag(...names) {
  return flags.some((flag) => names.includes(flag.split("=")[0]));
}

function parseOptions(args) {
  const flags = [];
  let port = "8787";
  for (let at = 0; at < args.length; at++) {
    const [name, value] = args[at].split("=");
    if (name === "--port" || name === "-p") port = value ?? args[++at];
    else flags.push(args[at]);
  }
  if (!/^[1-9]\d{0,4}$/.test(port ?? "") || port > 65535) {
    fail(`--port takes a number from 1 to 65535, not ${JSON.stringify(port)}`);
  }
  return { port: Number(port), flags };
}

async function assertFree(port) {
  const probe = createServer();
  await new Promise((resolve) => {
    probe.once("error", () =>
      fail(`port ${port} is in use; choose another: npm start -- --port ${port + 1}`),
    );
    probe.listen(port, "localhost", () => probe.close(resolve));
  });
}

/** The key in .dev.vars, which is written there if there is none, as is one for agents. */
function developmentSecret() {
  const file = join(root, ".dev.vars");
  const pattern = /^\s*SECRET_KEYS\s*=\s*["']?([^"'\s]+)/m;
  let text = existsSync(file) ? readFileSync(file, "utf8") : "";
  const write = (name, value) => {
    text = `${name}=${value}\n${text}`;
    writeFileSync(file, text, { mode: 0o600 });
    say(`wrote ${name} for development to .dev.vars`);
  };
  if (!/^\s*SECRET_KEYS\s*=/m.test(text)) write("SECRET_KEYS", `tr_dev_${letters()}`);
  const twice = repeatedName(text);
  if (twice) {
    fail(`.dev.vars has ${twice} twice, and only the last counts: put its lines in one "…"`);
  }
  const line = text.match(pattern);
  if (!line) fail(".dev.vars has no key in SECRET_KEYS=; delete that line to get a new one");
  const [, named, key] = line[1].match(/^(?:([\w-]{1,64})=(?=[^=]))?(.*)$/);
  if (!/^\s*AGENT_KEYS\s*=/m.test(text)) {
    write("AGENT_KEYS", `${named ? `${named}=` : ""}agent_dev_${letters()}`);
  }
  return { environment: named ?? "default", secretKey: key };
}

/** 24 random letters and digits. */
function letters() {
  const base64 = randomBytes(64).toString("base64");
  return base64.replace(/[^0-9A-Za-z]/g, "").slice(0, 24);
}

/** Deletes the URLs that wrangler kept here before NO_REQUEST_RECORDS told it not to. */
function deleteRequestRecords() {
  const [flag, value] = flags.flatMap((flag, at) =>
    /^--persist-to($|=)/.test(flag) ? [flag, flags[at + 1]] : [],
  );
  const state = resolve(root, flag?.split("=")[1] ?? value ?? join(".wrangler", "state"));
  rmSync(join(state, "v3", "observability"), { recursive: true, force: true });
}

/**
 * Flags with which links lead here. By default the Worker's requests have the host of a route in
 * wrangler.toml, and its variables may name the public one. What .dev.vars or a flag says is kept.
 */
function linksToHere() {
  const own = /^\s*PUBLIC_URL\s*=/m.test(readVars());
  return [
    ...(hasFlag("--local-upstream", "--host") ? [] : ["--local-upstream", `localhost:${port}`]),
    ...(own ? [] : ["--var", "PUBLIC_URL:"]),
  ];
}

/** A flag without which workerd, which has no jurisdictions, could keep no token. */
function keptHere() {
  const own = /^\s*JURISDICTION\s*=/m.test(readVars());
  return own ? [] : ["--var", "JURISDICTION:"];
}

/** Flags with which there is an inbox, unless .dev.vars or wrangler.toml decide that. */
function inboxIsOn() {
  const own = /^\s*INBOX\s*=/m.test(`${readFileSync(join(root, "wrangler.toml"))}\n${readVars()}`);
  return own ? [] : ["--var", "INBOX:on"];
}

/**
 * Flags with which mail is sent to wrangler's simulation of the mail service. wrangler.toml does
 * not have that binding, because a deployment needs an account that may send mail.
 */
function mailStaysHere() {
  if (!mailStays) return [];
  const toml = readFileSync(join(root, "wrangler.toml"), "utf8");
  const own = /^\s*\[\[send_email\]\]/m.test(toml);
  const binding = own ? "" : '\n[[send_email]]\nname = "EMAIL"\n';
  writeFileSync(join(root, "wrangler.start.toml"), `# Written by npm start.\n${toml}${binding}`);
  const hasSender = /^\s*EMAIL_FROM\s*=/m.test(`${toml}\n${readVars()}`);
  return [
    ...["--config", "wrangler.start.toml"],
    ...(hasSender ? [] : ["--var", "EMAIL_FROM:Waitpoint <waitpoint@example.com>"]),
  ];
}

function serve() {
  const cli = join(root, "node_modules", "wrangler", "bin", "wrangler.js");
  const args = [
    cli,
    "dev",
    "--port",
    String(port),
    "--show-interactive-dev-session=false",
    ...linksToHere(),
    ...mailStaysHere(),
    ...inboxIsOn(),
    ...keptHere(),
    ...flags,
  ];
  const child = spawn(env.NODE, args, {
    cwd: root,
    // The Worker does not read request.cf, which wrangler would fetch from the network.
    env: { CLOUDFLARE_CF_FETCH_ENABLED: "false", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: process.platform !== "win32",
  });
  forward(child.stdout, process.stdout);
  forward(child.stderr, process.stderr);
  child.once("exit", (code) => process.exit(code ?? 1));
  // The process group includes workerd. Nothing of it may outlive this process.
  const stop = () => {
    try {
      process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGTERM");
    } catch {
      // It has ended already.
    }
  };
  process.once("exit", stop);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(0));
}

/** Prints what wrangler prints, without credentials, npm's messages and the log of requests. */
function forward(from, to) {
  const allowed = {
    folders: [root.replace(/[\\/]$/, "")],
    secrets: secretsOf(readVars()),
  };
  createInterface({ input: from }).on("line", (line) => {
    if (isOnTerminal && line.includes("send_email binding called")) return;
    if (isOnTerminal && /^(Text|HTML): \S/.test(line)) {
      const [, file] = /^Text: (.+)/.exec(line) ?? [];
      if (file && existsSync(file)) onMail(readFileSync(file, "utf8"));
      return;
    }
    const text = maskLine(line, allowed);
    if (text !== undefined) to.write(`${text}\n`);
  });
}

async function untilReady() {
  for (;;) {
    const answer = await fetch(`${origin}/healthz`).catch(() => undefined);
    if (answer?.ok) return;
    if (answer) fail((await answer.json()).error);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Where the operators' inbox is. The link is a credential, so it is shown on a terminal alone. */
async function showInbox() {
  const answer = await fetch(`${origin}/inbox/sign-in`, { redirect: "manual" });
  if (answer.status === 404) return;
  if (!isOnTerminal || !answer.ok) return console.log(`Its inbox is at ${origin}/inbox`);
  const link = origin + inboxLink(environment, secretKey);
  console.log(
    `\nThe inbox, where operators decide. This link signs you in once, within 15 minutes:`,
  );
  console.log(`\n  ${link}`);
}

/** Shows a paused run from its own side: it creates a token and waits for its end. */
async function showDemo() {
  const api = async (path, init) => {
    const headers = { authorization: `Bearer ${secretKey}`, "content-type": "application/json" };
    const answer = await fetch(origin + path, { headers, ...init });
    if (!answer.ok) fail(`${path}: ${await answer.text()}`);
    return answer.json();
  };
  const tokens = "/api/v1/waitpoints/tokens";
  const approval = {
    title: "Let the demo run go on?",
    description: "A run is paused in your terminal. It goes on as soon as you have decided.",
    requestedBy: "npm start",
  };
  const body = JSON.stringify({
    timeout: "1h",
    tags: ["demo"],
    approval,
    notify: hasDemoMail ? [{ email: "you@example.com" }] : undefined,
  });
  const mailed = new Promise((resolve) => {
    onMail = (text) => {
      printMail(text);
      resolve();
    };
  });
  const token = await api(tokens, { method: "POST", body });
  console.log("\nA run is paused, for an hour at most, and asks you.");
  if (hasDemoMail) {
    // Whatever happens to the mail, its link is not the only one.
    await Promise.race([mailed, new Promise((resolve) => setTimeout(resolve, 5_000))]);
    console.log(
      "Open the link in the mail and decide. Or complete it as a program would, by POST of JSON to",
    );
  } else {
    console.log("Open this and decide, or complete it as a program would, by POST of JSON to");
  }
  console.log(`
  ${token.url}

Waiting…  (Ctrl-C ends everything)`);
  for (;;) {
    const { status, output, completedAt } = await api(`${tokens}/${token.id}`);
    if (status !== "WAITING") {
      console.log(
        `\nThe run resumes: ${status} at ${completedAt}, with the output\n\n  ${output}\n`,
      );
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/** Shows a mail as its reader would get it; nothing is sent anywhere. */
function printMail(text) {
  const lines = text.trimEnd().split(/\r?\n/);
  console.log(
    `\n┌ mail (nothing leaves this machine)\n${lines.map((line) => `│ ${line}`).join("\n")}\n└`,
  );
}
