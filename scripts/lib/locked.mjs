// Packages that only tests need, in folders of their own: scripts/locked/ has their lock files.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { root, say } from "./process.mjs";
import { installLocked } from "./tools.mjs";

export const lockedFolder = (name) => join(root, ".tools", name);

/** Installs the packages of this lock file if it has changed. `what` they are is said. */
export function ensureLocked(name, what) {
  const folder = lockedFolder(name);
  const lock = readFileSync(join(root, "scripts/locked", name, "package-lock.json"));
  const hash = createHash("sha256").update(lock).digest("hex");
  const stamp = join(folder, "node_modules", ".lock");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  say(`installing ${what}`);
  installLocked(
    name,
    folder,
    `${what}: the packages of scripts/locked/${name} could not be installed`,
  );
  writeFileSync(stamp, hash);
}

/** The program of the MCP inspector. */
export function inspectorProgram() {
  const inspector = join(lockedFolder("inspector"), "package.json");
  const path = createRequire(inspector).resolve("@modelcontextprotocol/inspector/package.json");
  const { bin } = JSON.parse(readFileSync(path, "utf8"));
  return join(path, "..", bin["mcp-inspector"]);
}
