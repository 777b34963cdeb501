// `npm run size`: what is uploaded or downloaded, against its budget. Fails on excess.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "./build.mjs";
import { fail, root } from "./setup.mjs";

const BUDGETS = [
  { what: "the Worker", files: ["build/index.js", "build/index_bg.wasm"], kilobytes: 120 },
];

/** Prints each size, gzip -9 in kB of 1,000 bytes, and ends the process if one is over. */
export function checkSizes() {
  for (const { what, files, kilobytes } of BUDGETS) {
    const size = files.reduce((sum, file) => sum + gzipSync(readFileSync(join(root, file)), { level: 9 }).length, 0);
    console.log(`${what}: ${(size / 1000).toFixed(1)} kB of ${kilobytes} kB`);
    if (size > kilobytes * 1000) fail(`${what} is over its budget`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await build();
  checkSizes();
}
