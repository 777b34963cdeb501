// A Chromium and its driver for the tests: the machine's own, else Debian's, else Chrome for
// Testing in .tools/.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fail, output, root, run, say } from "./process.mjs";
import { installLocked } from "./tools.mjs";

/** Flags of the tests and the benchmark: headless, as root too, and without requests of its own. */
export const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const PROGRAMS = ["chromium", "chromium-browser", "google-chrome-stable", "google-chrome"];
const PATHS = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];

/** The paths as variables CHROME and CHROMEDRIVER. If these are set they win. */
export function ensureBrowser() {
  const found = findBrowser();
  if (found) return found;
  if (process.platform === "linux" && process.getuid() === 0 && output("apt-get", "--version")) {
    say("installing Chromium and its driver from Debian");
    const packages = "chromium chromium-driver";
    const install = `apt-get install -y --no-install-recommends ${packages} >&2`;
    run("sh", ["-c", `${install} || { apt-get update >&2 && ${install}; }`], {
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      sentence: `apt-get could not install ${packages}; do so, or set CHROME and CHROMEDRIVER`,
    });
    return (
      findBrowser() ?? fail("chromium and chromedriver were installed, and are not on the PATH")
    );
  }
  say("downloading Chrome for Testing and its driver into .tools/");
  return { CHROME: downloadBrowser("chrome"), CHROMEDRIVER: downloadBrowser("chromedriver") };
}

/** A browser and a driver of the same major version. */
function findBrowser() {
  const which = (name) =>
    output(process.platform === "win32" ? "where" : "which", name)
      .split("\n")[0]
      .trim();
  const major = (path) => output(path, "--version").match(/\d+/)?.[0];
  const CHROME =
    process.env.CHROME ?? PROGRAMS.map(which).concat(PATHS.filter(existsSync)).find(Boolean);
  const CHROMEDRIVER = process.env.CHROMEDRIVER ?? which("chromedriver");
  if (CHROME && CHROMEDRIVER && major(CHROME) && major(CHROME) === major(CHROMEDRIVER))
    return { CHROME, CHROMEDRIVER };
}

/**
 * Downloads a part of Chrome's stable release, by a program of scripts/locked/browsers. Nobody
 * publishes a checksum of the part itself.
 */
function downloadBrowser(what) {
  const sentence =
    `no ${what} was found or could be downloaded; ` +
    "install Chromium and chromedriver, or set CHROME and CHROMEDRIVER";
  const folder = join(root, ".tools", "browsers");
  const program = join(
    folder,
    "node_modules",
    "@puppeteer",
    "browsers",
    "lib",
    "cjs",
    "main-cli.js",
  );
  if (!existsSync(program)) installLocked("browsers", folder, sentence);
  const args = [
    program,
    "install",
    `${what}@stable`,
    "--path",
    join(root, ".tools"),
    "--format",
    "{{path}}",
  ];
  try {
    return execFileSync(process.execPath, args, { encoding: "utf8" }).trim();
  } catch {
    fail(sentence);
  }
}
