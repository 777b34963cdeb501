// What every command needs: where the project is, how to run a program, how to report.
import { execFileSync, spawnSync } from "node:child_process";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

const setUp = process.stderr.isTTY && !process.env.NO_COLOR ? "\x1b[2m[setup]\x1b[0m" : "[setup]";
export const say = (line) => console.error(`${setUp} ${line}`);

/** Ends the process with one sentence and no stack. */
export function fail(sentence) {
  console.error(`error: ${sentence}`);
  process.exit(1);
}

/** Runs a command to its end; its output is shown. Throws what `sentence` says if it fails. */
export function run(command, args, { sentence, env = process.env, cwd = root } = {}) {
  // Windows runs a .cmd through a shell alone.
  const shell = command.endsWith(".cmd");
  const { status, error } = spawnSync(command, args, { cwd, env, shell, stdio: ["ignore", 2, 2] });
  if (error || status !== 0) {
    fail(sentence ?? `${[command, ...args].join(" ")} failed${error ? `: ${error.message}` : ""}`);
  }
}

/** What a command prints, or "" if it cannot be run. */
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

/**
 * Runs the program again if this Node is not the one that the project's set-up brings, as that is
 * too old.
 */
export function underNode(env) {
  if (process.execPath === env.NODE) return;
  process.exit(spawnSync(env.NODE, process.argv.slice(1), { stdio: "inherit", env }).status ?? 1);
}
