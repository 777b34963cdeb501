// The build: the Worker's modules into build/, the npm package's wasm into pkg/wasm/. Does nothing
// when no input has changed.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, run, say } from "./process.mjs";
import { setup, WASM_FEATURES } from "./tools.mjs";

const INPUTS = [
  ...["Cargo.toml", "Cargo.lock", "package-lock.json", "build.rs", "src", "www"],
  ...["scripts/lib/build.mjs", "scripts/lib/tools.mjs"],
];

/** Builds both, or the Worker alone. Returns the environment in which the tools are found. */
export async function build(only) {
  const env = await setup();
  await buildIfChanged("build", [...INPUTS, "askama.toml"], () =>
    buildWorker(env, "worker", "build"),
  );
  if (only === "worker") return env;
  // After setup, which installs what this module imports.
  const { SOURCES, buildPackage } = await import("./package.mjs");
  await buildIfChanged("pkg/wasm", [...INPUTS, ...SOURCES], () => buildPackage(env));
  return env;
}

/** Builds the Worker with the feature `faults`, which panics on request. Returns its folder. */
export async function buildFaults() {
  const folder = join("target", "faults");
  const env = await setup();
  await buildIfChanged(folder, [...INPUTS, "askama.toml"], () =>
    buildWorker(env, "faults", folder),
  );
  return join(root, folder);
}

/** Runs `make`, which fills `folder`, unless the inputs are those of the last time. */
async function buildIfChanged(folder, inputs, make) {
  const stamp = join(root, folder, ".inputs");
  const now = fingerprint(inputs);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === now) return;
  await make();
  writeFileSync(stamp, now);
}

/** Builds the Worker of a feature into a folder. */
async function buildWorker(env, feature, folder) {
  say("building the Worker");
  const sentence = "the Worker did not build; what was said is above";
  const target = ["--target", "wasm32-unknown-unknown"];
  // Why, and what each saves: docs/decisions/upload-size.md. The hint is Rust's `#[inline]`. What
  // LLVM knows to be cold, such as the way to an error, is never inlined.
  const thresholds = [
    "-inline-threshold=90",
    "-inlinehint-threshold=150",
    "-inlinecold-threshold=0",
    "-inline-cold-callsite-threshold=0",
  ];
  const inlining = ["--", "-C", `llvm-args=${thresholds.join(" ")}`];
  run("cargo", ["rustc", "--release", ...target, "--features", feature, "--locked", ...inlining], {
    env,
    sentence,
  });
  const glue = join(root, "target", "glue", feature);
  run(
    env.WASM_BINDGEN_BIN,
    [
      ...[
        "--target",
        "web",
        "--no-typescript",
        "--remove-producers-section",
        "--experimental-reset-state-function",
      ],
      ...["--out-dir", glue, "--out-name", "waitpoint"],
      join(root, "target/wasm32-unknown-unknown/release/waitpoint.wasm"),
    ],
    { env, sentence },
  );
  editGlue(join(glue, "waitpoint.js"));
  const out = join(root, folder);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  // Functions of a kind have names of a kind: side by side, gzip sees what they share.
  const pack = ["--reorder-functions-by-name"];
  const strip = ["--strip-debug", "--strip-producers", "--strip-target-features"];
  const wasm = join(out, "waitpoint.wasm");
  run(
    env.WASM_OPT_BIN,
    [join(glue, "waitpoint_bg.wasm"), "-o", wasm, "-O3", ...pack, ...strip, ...WASM_FEATURES],
    { env, sentence },
  );
  // Imported only here, because the setup above installs it.
  const { build: bundle } = await import("esbuild");
  const source = (name) => join(root, "src", "worker", "js", `${name}.js`);
  await bundle({
    entryPoints: [source("entry")],
    outfile: join(out, "index.js"),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["*.wasm"],
    alias: {
      "waitpoint:wasm": join(glue, "waitpoint.js"),
      "waitpoint:crossings": source("crossings"),
      "waitpoint:guard": source("guard"),
    },
    // js-sys polls its futures from the `queueMicrotask` of this module.
    inject: [source("guard")],
    // wasm-bindgen's own way to the file is not used.
    define: { "import.meta.url": '""' },
  });
}

/** How wasm-bindgen's registry begins. It frees closures that only JavaScript still holds. */
const REGISTRY = "const CLOSURE_DTORS = (typeof FinalizationRegistry === 'undefined')";

/**
 * Edits what wasm-bindgen wrote, in two ways. It names a module once for each function that needs
 * no wrapping, and wrangler would warn of each. And it registers every closure with the garbage
 * collector, two for each `await`, which is a twentieth of a request; as no closure of the Worker
 * is left to JavaScript alone, none is registered. (`block_concurrency_while` of the crate `worker`
 * makes one by `Closure::once_into_js`, which frees itself when it is called, and it always is.)
 */
function editGlue(file) {
  const text = readFileSync(file, "utf8");
  if (!text.includes(REGISTRY))
    throw new Error(`${file} has no line "${REGISTRY}": wasm-bindgen writes it otherwise now`);
  const named = new Set();
  const isNew = (line) => {
    const [, name] = /^\s*"(waitpoint:\w+)": import\d+,$/.exec(line) ?? [];
    return !name || (!named.has(name) && named.add(name));
  };
  writeFileSync(
    file,
    text.replace(REGISTRY, "const CLOSURE_DTORS = true").split("\n").filter(isNew).join("\n"),
  );
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
