// `npm run fuzz`: the fuzz targets of the pure modules (fuzz/targets), by libFuzzer.
//
//   npm run fuzz -- [--seconds N] [target …]    explores, N seconds a target (60)
//   npm run fuzz -- --replay                    only the committed inputs
//
// Exploring continues where it left off. No seed repeats a run, as libFuzzer's choices depend on
// addresses too. With --optional a machine that cannot build the targets skips them, except in CI.
//
// This needs stable Rust and no cargo-fuzz: as the crate has no unsafe code, coverage is enough,
// and stable Rust can build that in.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { fail, output, root, run, say } from "./lib/process.mjs";

const folder = join(root, "fuzz");
const manifest = join(folder, "Cargo.toml");
const COVERAGE = [
  "-Cpasses=sancov-module",
  "-Cllvm-args=-sanitizer-coverage-level=4",
  "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
  "-Cllvm-args=-sanitizer-coverage-pc-table",
  "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

// Longer inputs cover nothing new and are slow.
const LIMITS = ["-max_len=4096", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1"];
// The targets that read JSON start from JSONTestSuite as well.
const READ_JSON = ["approval", "callback", "complete", "create", "form", "mcp", "upstream"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "60" },
    replay: { type: "boolean", default: false },
    optional: { type: "boolean", default: false },
  },
});
const seconds = Number(values.seconds);
if (!(seconds > 0)) fail("give --seconds a number, such as --seconds 60");
const obstacle = whyNot();
if (!obstacle) await fuzzAll({ seconds: values.replay ? undefined : seconds, names: positionals });
else if (values.optional && !process.env.CI) say(`skipped: ${obstacle}`);
else fail(obstacle);

/** Why the targets cannot be built here, or undefined if they can. */
function whyNot() {
  if (process.platform !== "win32" && output(process.env.CXX ?? "c++", "--version"))
    return undefined;
  return "libFuzzer needs a C++ compiler, on Linux or macOS";
}

/** Builds the targets and returns the folder that they are in. */
function build() {
  const host =
    output("rustc", "-vV").match(/host: (.+)/)?.[1] ??
    fail("rustc is missing; see https://rustup.rs");
  say("building the fuzz targets");
  // With a target named, build scripts and macros are compiled without these flags.
  run("cargo", ["build", "--release", "--locked", "--manifest-path", manifest, "--target", host], {
    env: {
      ...process.env,
      RUSTFLAGS: COVERAGE.join(" "),
      CARGO_TARGET_DIR: join(root, "target", "fuzz"),
    },
    sentence: "the fuzz targets did not build; what cargo said is above",
  });
  return join(root, "target", "fuzz", host, "release");
}

function jsonTestSuite() {
  const metadata = ["metadata", "--locked", "--format-version=1", "--manifest-path", manifest];
  const { packages } = JSON.parse(execFileSync("cargo", metadata, { maxBuffer: 1 << 26 }));
  const { manifest_path } = packages.find(({ name }) => name === "json-syntax");
  return join(dirname(manifest_path), "tests", "inputs");
}

/** Runs one target and returns its result. */
async function fuzz(program, seeds, artifacts, { seconds, found }) {
  const name = basename(program);
  mkdirSync(found, { recursive: true });
  const artifact = join(artifacts, `${name}-`);
  const budget = seconds === undefined ? ["-runs=0"] : [`-max_total_time=${seconds}`];
  const child = spawn(program, [
    ...LIMITS,
    ...budget,
    `-artifact_prefix=${artifact}`,
    found,
    ...seeds,
  ]);
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data) => (said = (said + data).slice(-20_000)));
  const code = await new Promise((resolve) => child.on("close", resolve));
  const executions = Number(said.match(/number_of_executed_units:\s*(\d+)/)?.[1] ?? 0);
  const coverage = Number(said.match(/.*\bcov: (\d+)/s)?.[1] ?? 0);
  return { name, code, executions, coverage, said };
}

/** Runs the targets of these names, or all. Ends the process if one finds something. */
async function fuzzAll({ seconds, names }) {
  const known = readdirSync(join(folder, "targets"))
    .map((file) => basename(file, ".rs"))
    .sort();
  const strange = names.find((name) => !known.includes(name));
  if (strange) fail(`there is no target ${strange}; there are ${known.join(", ")}`);
  const programs = build();
  const suite = jsonTestSuite();
  const artifacts = join(root, "target", "fuzz", "artifacts");
  mkdirSync(artifacts, { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), "waitpoint-fuzz-"));
  const left = names.length ? names.slice() : known.slice();
  const failures = [];
  const next = async () => {
    for (let name = left.shift(); name; name = left.shift()) {
      const seeds = [join(folder, "corpus", name), ...(READ_JSON.includes(name) ? [suite] : [])];
      const found =
        seconds === undefined ? join(scratch, name) : join(root, "target", "fuzz", "corpus", name);
      const done = await fuzz(join(programs, name), seeds, artifacts, { seconds, found });
      say(
        `${name}: ${done.executions.toLocaleString("en")} executions, ` +
          `${done.coverage} edges${done.code === 0 ? "" : ", FAILED"}`,
      );
      if (done.code !== 0) failures.push(done);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, next));
  rmSync(scratch, { recursive: true, force: true });
  for (const { said } of failures) console.error(said);
  if (failures.length) {
    fail(
      `${failures.map(({ name }) => name).join(", ")}: see above. ` +
        "Each input that failed is in target/fuzz/artifacts. " +
        "Fix the cause and keep the input in fuzz/corpus.",
    );
  }
}
