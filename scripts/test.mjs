// `npm test`: everything. Format and lints, the pure modules natively, then the built Worker in
// real workerd with the real SDK. Further arguments choose test files: npm test -- tests/worker
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { root, run, say } from "./setup.mjs";
import { checkSizes } from "./size.mjs";

const chosen = process.argv.slice(2);
const env = await build();

if (chosen.length === 0) {
  const lints = ["--", "-D", "warnings"];
  const wasm = ["--target", "wasm32-unknown-unknown", "--features", "worker"];
  step("format", "cargo", ["fmt", "--check"]);
  step("lints of the pure modules and their tests", "cargo", ["clippy", "--all-targets", "--locked", ...lints]);
  step("lints of the Worker", "cargo", ["clippy", ...wasm, "--locked", ...lints]);
  step("the pure modules", "cargo", ["test", "--locked"]);
}

await checkSizes();
const bundle = join(root, "target", "bundle");
step("the bundle that wrangler would upload", env.NODE, [
  join(root, "node_modules/wrangler/bin/wrangler.js"),
  "deploy",
  "--dry-run",
  "--outdir",
  bundle,
]);

const files = testFiles(chosen.length ? chosen : ["tests"]);
step("the Worker in workerd", env.NODE, ["--test", "--test-timeout=300000", "--test-concurrency=2", ...files], {
  WAITPOINT_BUNDLE: bundle,
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
});

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
