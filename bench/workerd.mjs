// The built Worker in `workerd serve`, without wrangler's proxy: what a benchmark measures against.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "../scripts/setup.mjs";

/** Runs the program again if this Node is not the one that the project's set-up brings, as that is too old. */
export function underNode(env) {
  if (process.execPath === env.NODE) return;
  process.exit(spawnSync(env.NODE, process.argv.slice(1), { stdio: "inherit", env }).status ?? 1);
}

export const KEY = "tr_dev_123456789012345678901234";

/** The modules of a build of it. */
export const built = (folder) => Object.fromEntries(["index.js", "waitpoint.wasm"].map((name) => [name, join(folder, name)]));

/** The Worker of this repository, with these variables. `wrap`: a module around its own, named `built`. */
export const waitpoint = (vars = {}, wrap) => ({
  files: built(join(root, "build")),
  entry: wrap,
  objects: { TOKENS: "TokenObject", KEYS: "KeyObject", INDEX: "IndexObject" },
  vars: { SECRET_KEYS: KEY, ...vars },
});

/**
 * Starts a Worker on a free port: `url`, `pid`, `kill()`, `start()`, `restart()`, `stop()`; `restart` does something between, if it is
 * told. Its objects lie in the folder `storage`, or in one in memory, where there is one, that goes with it. `cpu` is the core that it
 * may use, `env` what workerd's environment has besides; without `internet` what it sends reaches nobody; `listen` hears what it logs;
 * `flags` are the engine's. With `inspect` there is an inspector at `server.inspector`, which memory.mjs reads.
 */
export async function serve({ files, entry, objects, vars }, { cpu, storage, env = {}, internet = true, listen, flags = [], inspect = false } = {}) {
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "waitpoint-bench-"));
  for (const [name, file] of Object.entries(files)) {
    if (typeof file === "string") copyFileSync(file, join(folder, name));
    else writeFileSync(join(folder, name), file.text);
  }
  if (entry) writeFileSync(join(folder, "entry.js"), entry);
  const names = [...(entry ? ["entry.js"] : []), ...Object.keys(files)];
  const module = (name) => `(name = "${name}", ${name.endsWith(".wasm") ? "wasm" : "esModule"} = embed "${name}")`;
  const text = JSON.stringify;
  writeFileSync(
    join(folder, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  v8Flags = ${text(flags)},
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = [${internet ? '"public", "private"' : ""}])),
    (name = "disk", disk = (path = ${text(storage ?? folder)}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  compatibilityDate = "2026-11-17",
  compatibilityFlags = ["no_nodejs_compat", "no_nodejs_compat_v2"],
  modules = [${names.map(module)}],
  durableObjectNamespaces = [${Object.values(objects).map((name) => `(className = "${name}", uniqueKey = "${name}", enableSql = true)`)}],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [
    ${[
      ...Object.entries(objects).map(([name, type]) => `(name = "${name}", durableObjectNamespace = "${type}")`),
      ...Object.entries(vars).map(([name, value]) => `(name = "${name}", text = ${text(value)})`),
    ]}
  ],
);`,
  );
  const server = { url: "", inspector: "", pid: 0, folder, log: "" };
  const onLog = (data) => {
    server.log = (server.log + data).slice(-100_000);
    listen?.(data);
  };
  let child, closed;
  const end = () => child.kill("SIGKILL");
  const start = async () => {
    const inspector = process.env.WORKERD_INSPECT ?? (inspect ? "127.0.0.1:0" : undefined);
    const workerd = [binary(), "serve", ...(inspector ? [`--inspector-addr=${inspector}`] : []), "--control-fd=3", join(folder, "config.capnp")];
    const [command, ...args] = cpu === undefined ? workerd : ["taskset", "-c", String(cpu), ...workerd];
    child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe", "pipe"], env: { ...process.env, ...env } });
    // With its exit, and all that it had logged by then.
    closed = once(child, "close");
    for (const stream of [child.stdout, child.stderr]) stream.on("data", onLog);
    const port = await new Promise((resolve, reject) => {
      let said = "";
      child.stdio[3].on("data", (data) => {
        said += data;
        const found = /"socket":"http","port":(\d+)/.exec(said);
        const inspected = /"listen-inspector","port":(\d+)/.exec(said);
        if (inspected) server.inspector = `127.0.0.1:${inspected[1]}`;
        if (found && (inspected || !inspector)) resolve(found[1]);
      });
      child.once("exit", () => reject(new Error(`workerd ended:\n${server.log}`)));
    });
    server.url = `http://127.0.0.1:${port}`;
    server.pid = child.pid;
  };
  const kill = async () => {
    end();
    await closed;
  };
  process.once("exit", end);
  await start();
  Object.assign(server, { start, kill });
  server.restart = async (between = () => {}) => {
    await kill();
    between();
    await start();
  };
  server.stop = async () => {
    process.off("exit", end);
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  return server;
}

/** workerd itself, without the Node program around it. */
function binary() {
  const require = createRequire(import.meta.url);
  const name = `@cloudflare/workerd-${{ win32: "windows" }[process.platform] ?? process.platform}-${{ x64: "64" }[process.arch] ?? process.arch}`;
  return join(dirname(require.resolve(`${name}/package.json`)), "bin", "workerd");
}

/** CPU time that a process and its threads have used, in microseconds. */
export function cpuOf(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const used = (thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
  return threads.reduce((sum, thread) => sum + used(thread), 0) / 1_000;
}

/** The value below which this share of the numbers lies. */
export function quantile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
