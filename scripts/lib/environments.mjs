// Other environments that the npm package is tested in: old Chromiums, Firefox, WebKitGTK, older
// Nodes, frameworks and test runners. Tests of what a machine cannot have are skipped.
import { chmodSync, createReadStream, createWriteStream, existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { ensureLocked, lockedFolder } from "./locked.mjs";
import { output, run, say } from "./process.mjs";

const folder = lockedFolder("environments");
const modules = join(folder, "node_modules");

/** Installs the environments' packages if the lock file has changed. Returns their folder. */
export async function ensureEnvironments() {
  ensureLocked("environments", "the environments that the npm package is tested in");
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
