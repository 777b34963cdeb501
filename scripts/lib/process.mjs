// What the commands share: the project's folder, running programs, reporting.
import { execFileSync, spawnSync } from "node:child_process";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

const PREFIX = process.stderr.isTTY && !process.env.NO_COLOR ? "\x1b[2m[setup]\x1b[0m" : "[setup]";
export const say = (line) => console.error(`${PREFIX} ${line}`);

/** Prints an error as one sentence, without a stack, and ends the process. */
export function fail(sentence) {
  console.error(`error: ${sentence}`);
  process.exit(1);
}

/** Runs a command and shows its output. If it fails, `sentence` is the error. */
export function run(command, args, { sentence, env = process.env, cwd = root } = {}) {
  // Windows can run a .cmd only through a shell.
  const shell = command.endsWith(".cmd");
  const { status, error } = spawnSync(command, args, { cwd, env, shell, stdio: ["ignore", 2, 2] });
  if (error || status !== 0) {
    fail(sentence ?? `${[command, ...args].join(" ")} failed${error ? `: ${error.message}` : ""}`);
  }
}

/** The output of a command, or "" if it cannot be run. */
export function output(command, ...args) {
  try {
    return execFileSync(command, args, {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    return "";
  }
}

/** Runs this program again under the project's Node, if it was started by an older one. */
export function underNode(env) {
  if (process.execPath === env.NODE) return;
  process.exit(spawnSync(env.NODE, process.argv.slice(1), { stdio: "inherit", env }).status ?? 1);
}
