// `npm run build`: the Worker's modules into build/, the npm package's wasm into pkg/wasm/. Does nothing
// when nothing has changed. `npm run build -- worker` for the Worker alone.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WASM_FEATURES, root, run, say, setup } from "./setup.mjs";

const INPUTS = ["Cargo.toml", "Cargo.lock", "package-lock.json", "build.rs", "src", "www"];

/** Builds both, or the Worker alone; the environment in which the tools are found. */
export async function build(only) {
  const env = await setup();
  await unlessBuilt("build", [...INPUTS, "askama.toml", "scripts/build.mjs"], () => buildWorker(env));
  if (only === "worker") return env;
  // Not before setup: it needs what that installs.
  const { SOURCES, buildPackage } = await import("./package.mjs");
  await unlessBuilt("pkg/wasm", [...INPUTS, ...SOURCES], () => buildPackage(env));
  return env;
}

/** Runs `make`, which fills `folder`, unless it did so from the same inputs before. */
async function unlessBuilt(folder, inputs, make) {
  const stamp = join(root, folder, ".inputs");
  const now = fingerprint(inputs);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === now) return;
  await make();
  writeFileSync(stamp, now);
}

function buildWorker(env) {
  say("building the Worker");
  run(env.WORKER_BUILD, ["--release", "--no-opt", "--features", "worker", "--locked"], {
    env,
    sentence: "the Worker did not build; what cargo said is above",
  });
  // Here rather than by worker-build, which keeps the names: a sixth of the upload.
  const wasm = join(root, "build", "index_bg.wasm");
  run(env.WASM_OPT_BIN, [wasm, "-o", wasm, "-Oz", "--strip-debug", "--strip-producers", ...WASM_FEATURES], { env });
}

/** A hash of all that a build reads. */
function fingerprint(inputs) {
  const hash = createHash("sha256");
  for (const input of inputs) {
    const path = join(root, input);
    const files = input.includes(".")
      ? [path]
      : readdirSync(path, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
          .sort();
    for (const file of files) hash.update(file.slice(root.length)).update(readFileSync(file));
  }
  return hash.digest("hex");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build(process.argv[2]);
