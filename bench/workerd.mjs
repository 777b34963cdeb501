// The built Worker in `workerd serve`, without wrangler's proxy: what a benchmark measures against.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../scripts/setup.mjs";

/** Runs the program again if this Node is not the one that the project's set-up brings, as that is too old. */
export function underNode(env) {
  if (process.execPath === env.NODE) return;
  process.exit(spawnSync(env.NODE, process.argv.slice(1), { stdio: "inherit", env }).status ?? 1);
}

export const KEY = "tr_dev_123456789012345678901234";

/** The Worker of this repository, with these variables. `wrap`: a module around its own, named `built`. */
export const waitpoint = (vars = {}, wrap) => ({
  files: Object.fromEntries(["index.js", "index_bg.wasm"].map((name) => [name, join(root, "build", name)])),
  entry: wrap,
  objects: { TOKENS: "TokenObject", KEYS: "KeyObject", INDEX: "IndexObject" },
  vars: { SECRET_KEYS: KEY, ...vars },
});

/** Starts a Worker on a free port: `url`, `pid`, `stop()`. Its objects lie in a folder that goes with it. */
export async function serve({ files, entry, objects, vars }, { cpu } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "waitpoint-bench-"));
  for (const [name, path] of Object.entries(files)) copyFileSync(path, join(folder, name));
  if (entry) writeFileSync(join(folder, "entry.js"), entry);
  const names = [...(entry ? ["entry.js"] : []), ...Object.keys(files)];
  const module = (name) => `(name = "${name}", ${name.endsWith(".wasm") ? "wasm" : "esModule"} = embed "${name}")`;
  const text = JSON.stringify;
  writeFileSync(
    join(folder, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["public", "private"])),
    (name = "disk", disk = (path = ${text(folder)}, writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  compatibilityDate = "2026-08-01",
  modules = [${names.map(module)}],
  durableObjectNamespaces = [${Object.values(objects).map((name) => `(className = "${name}", uniqueKey = "${name}", enableSql = true)`)}],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [
    ${Object.entries(objects).map(([name, type]) => `(name = "${name}", durableObjectNamespace = "${type}")`)},
    ${Object.entries(vars).map(([name, value]) => `(name = "${name}", text = ${text(value)})`)}
  ],
);`,
  );
  const workerd = join(root, "node_modules", "workerd", "bin", "workerd");
  const args = [workerd, "serve", "--control-fd=3", join(folder, "config.capnp")];
  const command = cpu === undefined ? args : ["taskset", "-c", String(cpu), ...args];
  const child = spawn(command[0], command.slice(1), { stdio: ["ignore", "ignore", "pipe", "pipe"] });
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  let errors = "";
  child.stderr.on("data", (data) => (errors += data));
  const port = await new Promise((resolve, reject) => {
    let said = "";
    child.stdio[3].on("data", (data) => {
      said += data;
      const found = /"socket":"http","port":(\d+)/.exec(said);
      if (found) resolve(Number(found[1]));
    });
    child.once("exit", () => reject(new Error(`workerd ended:\n${errors}`)));
  });
  const stop = async () => {
    process.off("exit", end);
    end();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  };
  return { url: `http://127.0.0.1:${port}`, pid: child.pid, folder, stop, errors: () => errors };
}

/** CPU time of a process and its threads, in microseconds. */
export function cpuOf(pid) {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /, "").split(" ").slice(11, 13);
  return (Number(user) + Number(system)) * 10_000;
}

/** The value below which this share of the numbers lies. */
export function quantile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
