// `npm run fuzz:http`: Schemathesis sends the built Worker what its OpenAPI document allows and
// forbids. Flags: --max-examples N (of each operation and phase), --seed N, --max-time SECONDS
// (repeats until they are over). With --optional a machine that cannot install Schemathesis skips
// this, except in CI.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { KEY, serve, waitpoint } from "../tests/support/workerd.mjs";
import { build } from "./lib/build.mjs";
import { fail, output, root, say, underNode } from "./lib/process.mjs";

const OTHER_KEY = "tr_prod_98765432109876543210wxyz";
const folder = join(root, "tests", "http");
const venv = join(root, ".tools", "schemathesis");
const program = (name) =>
  join(venv, ...(process.platform === "win32" ? ["Scripts", `${name}.exe`] : ["bin", name]));

const { values } = parseArgs({
  options: {
    "max-examples": { type: "string", default: "100" },
    "max-time": { type: "string" },
    seed: { type: "string", default: String(Math.floor(Math.random() * 2 ** 32)) },
    optional: { type: "boolean", default: false },
  },
});

const env = await build("worker");
underNode(env);
const missing = ensureSchemathesis();
if (missing) {
  if (!values.optional || process.env.CI === "true") fail(missing);
  say(`skipped: ${missing}`);
  process.exit(0);
}
await fuzz();

async function fuzz() {
  const scratch = mkdtempSync(join(tmpdir(), "waitpoint-fuzz-"));
  const user = (name, key) => ({
    name,
    fixedHeaders: [{ name: "Authorization", value: `Bearer ${key}` }],
  });
  const keys = join(scratch, "keys.json");
  writeFileSync(keys, JSON.stringify({ auth: [user("default", KEY), user("prod", OTHER_KEY)] }));
  const secret = `whsec_${Buffer.alloc(32, "secret").toString("base64")}`;
  const vars = {
    SECRET_KEYS: `${KEY}\nprod=${OTHER_KEY}`,
    CALLBACK_SECRETS: "FUZZ=an-invented-secret",
    CHANNELS: "fuzz=https://hooks.example.com/fuzz",
    WEBHOOK_SECRET: `${secret}\nprod=${secret}`,
  };
  let panics = 0;
  const listen = (data) => (panics += String(data).match(/panicked at|RuntimeError/g)?.length ?? 0);
  const server = await serve(waitpoint(vars), { internet: false, listen });
  const report = join(scratch, "report.json");
  const args = [
    "--config-file",
    join(folder, "schemathesis.toml"),
    "run",
    join(root, "www", "openapi.json"),
  ];
  args.push("--url", server.url, "--report-json-path", report);
  for (const flag of ["seed", "max-examples", "max-time"])
    if (values[flag]) args.push(`--${flag}`, values[flag]);
  // Asynchronously, as somebody must read what workerd logs: it stops when the pipe is full.
  const schemathesis = spawn(program("schemathesis"), args, {
    stdio: ["ignore", 2, 2],
    env: { ...env, FUZZ_KEYS: keys, SCHEMATHESIS_HOOKS: join(folder, "hooks.py") },
  });
  const [status] = await once(schemathesis, "exit");
  const answers = existsSync(report) && JSON.parse(readFileSync(report, "utf8"));
  await server.stop();
  rmSync(scratch, { recursive: true, force: true });
  if (!answers) fail("Schemathesis made no report; what it said is above");
  const { test_cases: cases, failures, errors, operations, running_time: seconds } = answers;
  const count = (list) => list.reduce((sum, { count }) => sum + count, 0);
  const ofServer = count(failures.filter(({ type }) => type === "ServerError"));
  console.log(
    `${cases.generated} cases for ${operations.tested} of ${operations.total} operations ` +
      `in ${Math.round(seconds)} s: ` +
      `${count(failures)} failures, of which 5xx ${ofServer}; ` +
      `${count(errors)} without an answer; ${panics} panics (seed ${values.seed})`,
  );
  if (status !== 0 || panics > 0)
    fail(`run it again by: npm run fuzz:http -- --seed ${values.seed}`);
}

/**
 * Installs Schemathesis into .tools/ by its lock file. Returns why that is impossible, or
 * undefined.
 */
function ensureSchemathesis() {
  const lock = join(folder, "requirements.txt");
  const wanted = createHash("sha256").update(readFileSync(lock)).digest("hex");
  const stamp = join(venv, ".lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return undefined;
  const check = "import ensurepip, sys, venv; print(sys.version_info >= (3, 11))";
  const python = ["python3", "python"].find((name) => output(name, "-c", check).trim() === "True");
  if (!python) return "Schemathesis needs Python 3.11 or newer with its module venv";
  say("installing Schemathesis into .tools/");
  rmSync(venv, { recursive: true, force: true });
  const pip = [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--require-hashes",
    "-r",
    lock,
  ];
  const stdio = ["ignore", 2, 2];
  const installed =
    spawnSync(python, ["-m", "venv", venv], { stdio }).status === 0 &&
    spawnSync(program("python"), pip, { stdio }).status === 0;
  if (!installed) return "Schemathesis could not be installed by pip; what it said is above";
  writeFileSync(stamp, wanted);
  return undefined;
}
