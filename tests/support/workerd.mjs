// The built Worker in `workerd serve`, without wrangler's proxy, for benchmarks and tests.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../../scripts/lib/process.mjs";
import { workerdBinary } from "../../scripts/lib/workerd.mjs";

export const KEY = "tr_dev_123456789012345678901234";

/** The modules of a build in this folder. */
export const built = (folder) =>
  Object.fromEntries(["index.js", "waitpoint.wasm"].map((name) => [name, join(folder, name)]));

/**
 * This repository's Worker with these variables. `wrap` is a module around its own, which it
 * imports.
 */
export const waitpoint = (vars = {}, wrap) => ({
  files: built(join(root, "build")),
  entry: wrap,
  objects: { TOKENS: "TokenObject", KEYS: "KeyObject", INDEX: "IndexObject" },
  vars: { SECRET_KEYS: KEY, ...vars },
});

/**
 * Starts a Worker on a free port. Returns its `url` and `pid`, and `kill()`, `start()`, `restart()`
 * and `stop()`. `restart` calls its argument in between.
 * - `storage`: the folder of its objects; by default one in memory, if possible, that is deleted.
 * - `cpu`: the core that it may use. `flags`: V8's flags. `env`: more variables for workerd.
 * - `internet: false`: its requests reach nobody.
 * - `listen`: is called with what it logs.
 * - `inspect`: opens an inspector at `server.inspector`, which memory.mjs reads.
 */
export async function serve(
  { files, entry, objects, vars },
  { cpu, storage, env = {}, internet = true, listen, flags = [], inspect = false } = {},
) {
  const folder = mkdtempSync(
    join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "waitpoint-bench-"),
  );
  for (const [name, file] of Object.entries(files)) {
    if (typeof file === "string") copyFileSync(file, join(folder, name));
    else writeFileSync(join(folder, name), file.text);
  }
  if (entry) writeFileSync(join(folder, "entry.js"), entry);
  const names = [...(entry ? ["entry.js"] : []), ...Object.keys(files)];
  const namespace = (name) => `(className = "${name}", uniqueKey = "${name}", enableSql = true)`;
  const module = (name) =>
    `(name = "${name}", ${name.endsWith(".wasm") ? "wasm" : "esModule"} = embed "${name}")`;
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
  compatibilityFlags = ["global_fetch_strictly_public", "no_nodejs_compat", "no_nodejs_compat_v2"],
  modules = [${names.map(module)}],
  durableObjectNamespaces = [${Object.values(objects).map(namespace)}],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [
    ${[
      ...Object.entries(objects).map(
        ([name, type]) => `(name = "${name}", durableObjectNamespace = "${type}")`,
      ),
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
    const workerd = [
      workerdBinary(),
      "serve",
      ...(inspector ? [`--inspector-addr=${inspector}`] : []),
      "--control-fd=3",
      join(folder, "config.capnp"),
    ];
    const [command, ...args] =
      cpu === undefined ? workerd : ["taskset", "-c", String(cpu), ...workerd];
    child = spawn(command, args, {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    // `close` comes after the exit, when everything it logged has been read.
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

/** An entry that takes the keys from a header, as when an isolate gets new settings. */
export const CHANGING_KEYS = `
  import * as built from "./index.js";
  export const { TokenObject, KeyObject, IndexObject } = built;
  export default {
    fetch(request, env, context) {
      const keys = request.headers.get("test-keys");
      const changed = keys ? { ...env, SECRET_KEYS: decodeURIComponent(keys) } : env;
      return built.default.fetch(request, changed, context);
    },
  };`;
