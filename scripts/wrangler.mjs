// `npm run wrangler -- …`: the project's own wrangler, on a Node that it supports.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { root } from "./lib/process.mjs";
import { setup } from "./lib/tools.mjs";

const env = await setup();
const cli = join(root, "node_modules", "wrangler", "bin", "wrangler.js");
const { status } = spawnSync(env.NODE, [cli, ...process.argv.slice(2)], {
  cwd: root,
  env,
  stdio: "inherit",
});
process.exit(status ?? 1);
