// The product as `npm start` runs it: started, interrupted, killed.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after } from "node:test";
import { root, TOKENS, until } from "./harness.mjs";

const running = new Set();
after(() => {
  for (const process of running) process.kill("SIGKILL");
});

export function launch(port, folder, ...flags) {
  const args = [
    join(root, "scripts/start.mjs"),
    "--port",
    String(port),
    "--persist-to",
    folder,
    // Two that start at the same time would both take 9229.
    ...["--inspector-port", "0"],
    ...flags,
  ];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  const server = { process: child, output: "" };
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data) => (server.output += data));
  return server;
}

export async function start(port, ...options) {
  const server = launch(port, ...options);
  const ended = once(server.process, "exit").then(() => assert.fail(`it ended:\n${server.output}`));
  await Promise.race([ended, printed(server, `Waitpoint is ready at http://localhost:${port}`)]);
  const key = readFileSync(join(root, ".dev.vars"), "utf8").match(/SECRET_KEYS=(\S+)/)[1];
  server.api = (path, body) =>
    fetch(`http://localhost:${port}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${key}` },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  server.create = async (fields) => {
    const answer = await server.api(TOKENS, fields);
    const text = await answer.text();
    // Otherwise a test would fail later, and not say why.
    assert.equal(answer.status, 200, `${text}\n${server.output}`);
    return JSON.parse(text);
  };
  server.complete = (id, data) => server.api(`${TOKENS}/${id}/complete`, { data });
  server.retrieve = async (id) => (await server.api(`${TOKENS}/${id}`)).json();
  ended.catch(() => {});
  return server;
}

async function printed(server, text) {
  while (!server.output.includes(text)) await once(server.process.stdout, "data");
}

/**
 * Sends Ctrl-C and waits for all processes that it started: workerd holds the storage until then.
 */
export async function interrupt(server) {
  const started = tree(server.process.pid);
  const exit = once(server.process, "exit");
  server.process.kill("SIGINT");
  await exit;
  await until(
    async () => started.filter(isAlive),
    (alive) => alive.length === 0,
  );
}

/** Kills the whole process tree, the processes of this name first. */
export function kill(server, name) {
  const pids = tree(server.process.pid);
  const named = (pid) => readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(name);
  for (const pid of [...pids.filter(named), ...pids])
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  server.process.kill("SIGKILL");
}

export function tree(pid) {
  const table = execFileSync("ps", ["-eo", "pid=,ppid="], { encoding: "utf8" });
  const rows = table
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent) =>
    rows.filter(([, of]) => of === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}

/**
 * A port for a server that must be told one. Linux gives those from 32768 on to programs that ask
 * for any, so one of these could be another test's before the server listens.
 */
export async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const probe = createServer().listen(port, "localhost");
    // Rejects if the port is in use.
    const isFree = await once(probe, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    probe.close();
    await once(probe, "close");
    return port;
  }
}
