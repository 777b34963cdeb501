// Makes the machine ready: Node packages, a Node that wrangler runs on, the wasm target, the build
// tools. Runs before anything is installed, so it needs Node's own modules alone. Each step looks
// first and does nothing when nothing is missing.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tools = join(root, ".tools");
const exe = process.platform === "win32" ? ".exe" : "";

// wrangler 4 and the tests' node:sqlite need it; an older Node gets this one beside it, for this
// project alone.
const NODE_NEEDED = [22, 16];
const NODE_VERSION = "24.21.0";

// What wasm-opt must know: what rustc emits for wasm32-unknown-unknown and wasm-bindgen's catch wrappers
// need; no more, as workerd must know each.
export const WASM_FEATURES = [
  "bulk-memory",
  "bulk-memory-opt",
  "exception-handling",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
].map((feature) => `--enable-${feature}`);

// A request's URL can be a token.url, which holds a credential. wrangler would keep every URL in its state folder, serve
// them at /cdn-cgi/ to whoever asks, and write its own log, with what the Worker logs, to the home folder.
export const NO_REQUEST_RECORDS = {
  X_LOCAL_OBSERVABILITY: "false",
  X_LOCAL_EXPLORER: "false",
  WRANGLER_WRITE_LOGS: "false",
};

const setUp = process.stderr.isTTY && !process.env.NO_COLOR ? "\x1b[2m[setup]\x1b[0m" : "[setup]";
export const say = (line) => console.error(`${setUp} ${line}`);

/** Ends the process with one sentence and no stack. */
export function fail(sentence) {
  console.error(`error: ${sentence}`);
  process.exit(1);
}

/** Runs a command to its end; its output is shown. Throws what `sentence` says if it fails. */
export function run(command, args, { sentence, env = process.env, cwd = root } = {}) {
  // Windows runs a .cmd through a shell alone.
  const shell = command.endsWith(".cmd");
  const { status, error } = spawnSync(command, args, { cwd, env, shell, stdio: ["ignore", 2, 2] });
  if (error || status !== 0) {
    fail(sentence ?? `${[command, ...args].join(" ")} failed${error ? `: ${error.message}` : ""}`);
  }
}

/** What a command prints, or "" if it cannot be run. */
export function output(command, ...args) {
  try {
    return execFileSync(command, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "";
  }
}

/** Everything in place; the environment in which the tools are found. */
export async function setup() {
  const node = ensureNode();
  ensurePackages();
  ensureRust();
  const bindgen = await ensureBindgen(locked("wasm-bindgen"));
  const bin = (name) => join(root, "node_modules", ".bin", name + (exe && ".cmd"));
  return {
    ...process.env,
    PATH: [dirname(node), dirname(bindgen), process.env.PATH].join(exe ? ";" : ":"),
    NODE: node,
    WASM_BINDGEN_BIN: bindgen,
    WASM_OPT_BIN: bin("wasm-opt"),
    ESBUILD_BIN: bin("esbuild"),
    WRANGLER_SEND_METRICS: "false",
    ...NO_REQUEST_RECORDS,
  };
}

function ensureNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > NODE_NEEDED[0] || (major === NODE_NEEDED[0] && minor >= NODE_NEEDED[1])) {
    return process.execPath;
  }
  const platform = { win32: "win" }[process.platform] ?? process.platform;
  const name = `node-${platform}-${process.arch}`;
  const node = join(tools, "node_modules", name, "bin", `node${exe}`);
  if (!output(node, "--version").includes(NODE_VERSION)) {
    say(`Node ${process.versions.node} is too old for wrangler; fetching ${NODE_VERSION} into .tools/`);
    run(npm, ["install", "--prefix", tools, "--no-save", "--no-audit", "--no-fund", `${name}@${NODE_VERSION}`], {
      sentence: `Node ${NODE_NEEDED.join(".")} or newer is needed and could not be fetched; install it from https://nodejs.org`,
    });
  }
  return node;
}

const npm = exe ? "npm.cmd" : "npm";

function ensurePackages() {
  const lock = createHash("sha256").update(readFileSync(join(root, "package-lock.json"))).digest("hex");
  const stamp = join(root, "node_modules", ".lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  say("installing the npm packages");
  run(npm, ["ci", "--no-audit", "--no-fund", "--loglevel", "error"]);
  writeFileSync(stamp, lock);
}

function ensureRust() {
  if (!output("cargo", "--version")) {
    fail("cargo is missing; install Rust from https://rustup.rs and run this again");
  }
  const libraries = output("rustc", "--print", "target-libdir", "--target", "wasm32-unknown-unknown").trim();
  if (libraries && existsSync(libraries)) return;
  say("adding the Rust target wasm32-unknown-unknown");
  run("rustup", ["target", "add", "wasm32-unknown-unknown"], {
    sentence: "the Rust target wasm32-unknown-unknown is missing and rustup could not add it; see https://rustup.rs",
  });
}

/** The version of a crate in Cargo.lock. */
function locked(crate) {
  const entry = new RegExp(`name = "${crate}"\\nversion = "([^"]+)"`);
  const found = readFileSync(join(root, "Cargo.lock"), "utf8").match(entry);
  return found?.[1] ?? fail(`Cargo.lock names no ${crate}`);
}

/** wasm-bindgen's release where it can be downloaded, else built from crates.io. */
async function ensureBindgen(version) {
  const found = cargoTool("wasm-bindgen", version);
  if (found) return found;
  const target = {
    "linux x64": "x86_64-unknown-linux-musl",
    "linux arm64": "aarch64-unknown-linux-musl",
    "darwin x64": "x86_64-apple-darwin",
    "darwin arm64": "aarch64-apple-darwin",
    "win32 x64": "x86_64-pc-windows-msvc",
  }[`${process.platform} ${process.arch}`];
  const name = `wasm-bindgen-${version}-${target}`;
  const url = `https://github.com/wasm-bindgen/wasm-bindgen/releases/download/${version}/${name}.tar.gz`;
  if (target && (await download(url, `wasm-bindgen ${version}`, name))) {
    const ready = cargoTool("wasm-bindgen", version);
    if (ready) return ready;
  }
  return ensureCargoTool("wasm-bindgen", version, "wasm-bindgen-cli");
}

/** Unpacks an archive's programs into .tools/bin; false if it cannot be had. */
async function download(url, what, folder) {
  const archive = join(tools, `${folder}.tar.gz`);
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(60_000) });
    if (!answer.ok) return false;
    say(`downloaded ${what}`);
    mkdirSync(join(tools, "bin"), { recursive: true });
    writeFileSync(archive, Buffer.from(await answer.arrayBuffer()));
    if (spawnSync("tar", ["xzf", archive, "-C", tools]).status !== 0) return false;
    for (const program of ["wasm-bindgen", "wasm-bindgen-test-runner"]) {
      renameSync(join(tools, folder, program + exe), join(tools, "bin", program + exe));
    }
    return true;
  } catch {
    return false;
  } finally {
    rmSync(archive, { force: true });
    rmSync(join(tools, folder), { recursive: true, force: true });
  }
}

/** A tool of exactly this version, in .tools/bin or on the PATH. */
function cargoTool(name, version) {
  const exact = (path) => output(path, "--version").trim().split(" ").pop() === version;
  const own = join(tools, "bin", name + exe);
  if (exact(own)) return own;
  const known = output(exe ? "where" : "which", name).split("\n")[0].trim();
  return known && exact(known) ? known : undefined;
}

function ensureCargoTool(name, version, crate = name) {
  const found = cargoTool(name, version);
  if (found) return found;
  say(`building ${crate} ${version} from crates.io into .tools/ (a few minutes, once)`);
  const args = ["install", "--root", tools, "--target-dir", join(tools, "target"), `${crate}@${version}`];
  // A registry may lack a version that the crate's own lock file names; then newer ones do.
  const { status } = spawnSync("cargo", [...args, "--locked"], { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) run("cargo", args);
  return cargoTool(name, version) ?? fail(`${crate} was built but does not call itself ${version}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await setup();
  say("everything is in place");
}
