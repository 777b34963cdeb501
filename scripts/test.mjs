// `npm test`: formats and lints, the pure modules natively and by the fuzzers, the package's Rust
// in a browser, then the built Worker in workerd with the real SDK, and the packed npm package
// against it. Arguments choose test files: npm test -- tests/worker
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensureBrowser } from "./lib/browser.mjs";
import { build } from "./lib/build.mjs";
import { ensureEnvironments } from "./lib/environments.mjs";
import { ensureLocked } from "./lib/locked.mjs";
import { root, run, say } from "./lib/process.mjs";

const chosen = process.argv.slice(2);
const needsBrowser = chosen.length === 0 || chosen.some((path) => /client|notices|page/.test(path));
const env = { ...(await build()), ...(needsBrowser && ensureBrowser()) };
if (chosen.length === 0 || chosen.some((path) => path.includes("client")))
  await ensureEnvironments();
if (chosen.length === 0 || chosen.some((path) => path.includes("mcp")))
  ensureLocked("inspector", "the MCP inspector");

if (chosen.length === 0) {
  const lints = ["--", "-D", "warnings"];
  const wasm = (feature) => [
    "--target",
    "wasm32-unknown-unknown",
    "--features",
    feature,
    "--locked",
  ];
  step("format", "cargo", ["fmt", "--check"]);
  step("format of the fuzz targets", "cargo", [
    "fmt",
    "--check",
    "--manifest-path",
    "fuzz/Cargo.toml",
  ]);
  step("format and lints of JavaScript", env.NODE, [
    join(root, "node_modules/@biomejs/biome/bin/biome"),
    "ci",
    "--error-on-warnings",
  ]);
  step("lints of the pure modules and their tests", "cargo", [
    "clippy",
    "--all-targets",
    "--locked",
    ...lints,
  ]);
  step("lints of the Worker", "cargo", ["clippy", ...wasm("worker"), ...lints]);
  step("lints of the Worker that panics", "cargo", ["clippy", ...wasm("faults"), ...lints]);
  step("lints of the package", "cargo", ["clippy", ...wasm("browser"), ...lints]);
  // The features are tested apart: the tests of one would bring std into the library of the other.
  step("lints of the package's own tests", "cargo", [
    "clippy",
    "--tests",
    ...wasm("browser"),
    ...lints,
  ]);
  step("lints of the package's server part", "cargo", ["clippy", ...wasm("server"), ...lints]);
  step("the pure modules", "cargo", ["test", "--locked"]);
  step("the pure modules, by what the fuzzers found and for some seconds more", env.NODE, [
    join(root, "scripts/fuzz.mjs"),
    "--optional",
    "--seconds",
    "5",
  ]);
  step("the package's Rust in a browser", "cargo", ["test", ...wasm("browser")], {
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: join(
      dirname(env.WASM_BINDGEN_BIN),
      "wasm-bindgen-test-runner",
    ),
  });
}

step("the sizes", env.NODE, [join(root, "scripts/size.mjs")]);
const bundle = join(root, "target", "bundle");
step("the bundle that wrangler would upload", env.NODE, [
  join(root, "node_modules/wrangler/bin/wrangler.js"),
  "deploy",
  "--dry-run",
  "--outdir",
  bundle,
]);

if (chosen.length === 0) {
  // The same cases each time. `npm run fuzz:http` makes new ones.
  const fuzz = [
    join(root, "scripts/fuzz-http.mjs"),
    "--optional",
    "--seed",
    "1",
    "--max-examples",
    "30",
  ];
  step("the Worker against its OpenAPI document", env.NODE, fuzz);
}

const files = testFiles(chosen.length ? chosen : ["tests"]);
step(
  "the Worker and the package",
  env.NODE,
  ["--test", "--test-timeout=300000", "--test-concurrency=3", ...files],
  {
    WAITPOINT_BUNDLE: bundle,
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
  },
);

function step(what, command, args, variables = {}) {
  say(what);
  run(command, args, { env: { ...env, ...variables }, sentence: `${what}: failed; see above` });
}

/** The .test.mjs files among these files and folders. */
function testFiles(paths) {
  return paths.flatMap((path) => {
    if (path.endsWith(".mjs")) return [join(root, path)];
    return readdirSync(join(root, path), { recursive: true })
      .filter((name) => name.endsWith(".test.mjs"))
      .sort()
      .map((name) => join(root, path, name));
  });
}
