// `npm run serve -- --data DIR`: serves the Worker on standalone workerd, without wrangler and
// without Cloudflare, with its state in DIR. docs/self-hosting.md describes it.
import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { createServer, isIPv6 } from "node:net";
import { constants } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { build } from "./lib/build.mjs";
import { openDataFolder } from "./lib/data-folder.mjs";
import { fail, root, say } from "./lib/process.mjs";
import { readSettings } from "./lib/settings.mjs";
import { readWrangler, workerdBinary, workerdConfig } from "./lib/workerd.mjs";

const USAGE = `npm run serve -- --data DIR [options]

  --data DIR          the folder of its data; its last part is made if it is not there
  --port N            where it listens, 8787 by default; 0 is any free port
  --host H            the address there, 127.0.0.1 by default; 0.0.0.0 is every one
  --settings FILE     settings, one NAME=value a line; those of the environment count more
  --private-network   webhooks and upstreams may resolve to private addresses
  --bundle DIR        serves the modules that were built into this folder, and builds nothing`;

/**
 * How long requests in flight may take when it is to stop. Streams and sockets never end by
 * themselves; their clients connect again. Whoever connects meanwhile gets no answer.
 */
const DRAINED_WITHIN = 3_000;
/**
 * Runs workerd in the shell's place. If this process dies, its end of descriptor 4 is closed, and
 * workerd is killed: nobody would stop it otherwise.
 */
const DIES_WITH_US = '{ read -r _ <&4 || kill -KILL $$; } & exec "$@" 4<&-';

const options = parseOptions();
if (process.platform === "win32") fail("it runs on Linux and macOS; on Windows use WSL or Docker");
const settings = readSettings(options.settings);
await assertFree(options);
const bundle = resolve(options.bundle ?? join(root, "build"));
if (options.bundle && !existsSync(join(bundle, "waitpoint.wasm")))
  fail(`--bundle ${options.bundle} has no waitpoint.wasm; npm run build -- worker makes build/`);
const data = await openDataFolder(resolve(options.data));
if (options.bundle === undefined) await build("worker");

// Whatever workerd writes is its owner's alone.
process.umask(0o077);
writeFileSync(data.config, await config());
const workerd = start();
let isStopping = false;
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => stop(signal));
const port = await listening();
await assertHealthy();
console.log(`listening on http://${inUrl(options.host)}:${port}`);

function parseOptions() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        data: { type: "string" },
        port: { type: "string", default: "8787" },
        host: { type: "string", default: "127.0.0.1" },
        settings: { type: "string" },
        "private-network": { type: "boolean", default: false },
        bundle: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }));
  } catch (error) {
    fail(`${error.message.split(". ")[0]}\n\n${USAGE}`);
  }
  if (values.help) {
    console.log(USAGE);
    process.exit(0);
  }
  if (!values.data) fail(`--data is missing: the folder of its data\n\n${USAGE}`);
  if (!/^(0|[1-9]\d{0,4})$/.test(values.port) || values.port > 65535)
    fail(`--port takes a number from 0 to 65535, not ${JSON.stringify(values.port)}`);
  return values;
}

/** Fails in words, where workerd would fail with a stack. */
async function assertFree({ port, host }) {
  const sentences = {
    EADDRINUSE: `port ${port} is in use; choose another by --port`,
    EACCES: `port ${port} needs more rights; choose one from 1024 on by --port`,
    EADDRNOTAVAIL: `--host ${host} is not an address of this machine`,
    ENOTFOUND: `--host ${host} is not an address of this machine`,
  };
  const probe = createServer();
  await new Promise((resolve) => {
    probe.once("error", ({ code, message }) => fail(sentences[code] ?? message));
    probe.listen(Number(port), host, () => probe.close(resolve));
  });
}

/** An address as it stands in a URL. */
function inUrl(host) {
  return isIPv6(host) ? `[${host}]` : host;
}

async function config() {
  return workerdConfig({
    wrangler: await readWrangler(),
    bundle,
    objects: data.objects,
    address: `${inUrl(options.host)}:${options.port}`,
    settings: Object.keys(settings),
    privateNetwork: options["private-network"],
  });
}

function start() {
  const args = ["serve", "--import-path=/", "--control-fd=3", data.config];
  const child = spawn("sh", ["-c", DIES_WITH_US, "waitpoint", workerdBinary(), ...args], {
    // A group of its own, so that Ctrl-C reaches this process alone.
    detached: true,
    env: { ...process.env, ...settings },
    stdio: ["ignore", "inherit", "inherit", "pipe", "pipe", data.lock],
  });
  child.once("error", (error) => fail(`workerd could not be started: ${error.message}`));
  child.once("exit", (code, signal) => {
    // workerd has ended, so nobody is to be killed.
    child.stdio[4].end("\n");
    if (isStopping) process.exit(0);
    fail(`workerd ended by ${signal ?? `the code ${code}`}; what it said is above`);
  });
  return child;
}

/** The first signal lets requests in flight end. The second stops at once. */
function stop(signal) {
  if (isStopping) {
    workerd.kill("SIGKILL");
    process.exit(128 + constants.signals[signal]);
  }
  isStopping = true;
  say("stopping; a second signal stops at once");
  workerd.kill("SIGTERM");
  setTimeout(() => workerd.kill("SIGKILL"), DRAINED_WITHIN);
}

/** The port on which workerd listens. */
async function listening() {
  let said = "";
  for await (const data of workerd.stdio[3]) {
    said += data;
    const [, port] = /"socket":"http","port":(\d+)/.exec(said) ?? [];
    if (port) return port;
  }
  // It has ended, and its exit is reported.
  return new Promise(() => {});
}

/** Fails if the settings cannot be used, and says what is missing here. */
async function assertHealthy() {
  const host = { "0.0.0.0": "127.0.0.1", "::": "::1" }[options.host] ?? options.host;
  const answer = await fetch(`http://${inUrl(host)}:${port}/healthz`);
  const { error, missing = [] } = await answer.json();
  if (!answer.ok) {
    workerd.kill("SIGKILL");
    fail(error);
  }
  if (missing.includes("EMAIL"))
    say("EMAIL_FROM is set, but only Cloudflare sends mail: none is sent");
}
