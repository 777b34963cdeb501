// Other environments that the npm package is tested in: old Chromiums, Firefox, WebKitGTK, older
// Nodes, frameworks and test runners. Tests of what a machine cannot have are skipped.
import { createHash } from "node:crypto";
import {
  chmodSync,
  createReadStream,
  createWriteStream,
  existsSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { output, root, run, say } from "./process.mjs";
import { installLocked } from "./tools.mjs";

const folder = join(root, ".tools", "environments");
const modules = join(folder, "node_modules");

/** Installs the environments' packages if the lock file has changed. Returns their folder. */
export async function ensureEnvironments() {
  const lock = readFileSync(join(root, "scripts/locked/environments/package-lock.json"));
  const hash = createHash("sha256").update(lock).digest("hex");
  const stamp = join(modules, ".lock");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== hash) {
    say("installing the environments that the npm package is tested in");
    installLocked(
      "environments",
      folder,
      "the packages of scripts/locked/environments could not be installed",
    );
    writeFileSync(stamp, hash);
  }
  if (process.platform === "linux" && process.arch === "x64") {
    for (const version of [110, 114]) await unpackChromium(version);
    ensureDebianBrowsers();
  }
  return folder;
}

/** Unpacks a Chromium for Linux on x64, built for AWS Lambda. */
async function unpackChromium(version) {
  const packed = join(modules, `chromium-${version}`, "bin", "chromium.br");
  const program = chromiumOf(version);
  if (existsSync(program)) return;
  await pipeline(createReadStream(packed), createBrotliDecompress(), createWriteStream(program));
  chmodSync(program, 0o755);
}

export const chromiumOf = (version) => join(modules, `chromium-${version}`, "chromium");

const DEBIAN = {
  "firefox-esr": "firefox-esr",
  WebKitWebDriver: "webkit2gtk-driver",
  "xvfb-run": "xvfb",
  xauth: "xauth",
};

function ensureDebianBrowsers() {
  const missing = Object.keys(DEBIAN).filter((program) => !find(program));
  if (!missing.length || process.getuid() !== 0 || !output("apt-get", "--version")) return;
  const packages = missing.map((program) => DEBIAN[program]).join(" ");
  say(`installing ${packages} from Debian`);
  const install = `apt-get install -y --no-install-recommends ${packages} >&2`;
  run("sh", ["-c", `${install} || { apt-get update >&2 && ${install}; } || true`], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}

/** The path of a program, or "". */
export const find = (program) => output("which", program).trim();

/** A package of the environments, as their own code would resolve it. */
export const environmentRequire = createRequire(join(folder, "package.json"));
export const inEnvironments = (...path) => join(modules, ...path);
