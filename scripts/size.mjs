// `npm run size`: compares what is uploaded or downloaded with its budget, and fails above it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "./lib/build.mjs";
import { fail, root } from "./lib/process.mjs";

const worker = async () =>
  ["build/index.js", "build/waitpoint.wasm"].map((file) => readFileSync(join(root, file)));

/** An entry of the npm package with all that it imports, as an app's bundler would have it. */
const entry = (name) => async () => {
  const { build } = await import("esbuild");
  const options = { bundle: true, minify: true, format: "esm", write: false };
  const { outputFiles } = await build({ entryPoints: [join(root, "pkg", name)], ...options });
  return outputFiles.map(({ contents }) => contents);
};

const BUDGETS = [
  { what: "the Worker", files: worker, kilobytes: 630 },
  { what: "waitpoint", files: entry("index.js"), kilobytes: 20.5 },
  { what: "waitpoint/element, with waitpoint", files: entry("element.js"), kilobytes: 25 },
  { what: "waitpoint/server, with waitpoint", files: entry("server.js"), kilobytes: 100 },
];

// Each size is gzip -9, in kB of 1,000 bytes.
await build();
for (const { what, files, kilobytes } of BUDGETS) {
  const size = (await files()).reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0);
  console.log(`${what}: ${(size / 1000).toFixed(1)} kB of ${kilobytes} kB`);
  if (size > kilobytes * 1000) fail(`${what} is over its budget`);
}
