// `npm run crash`: `npm run serve` is killed a thousand times while clients race for tokens, and
// whatever they were told must stay true. `--kills N` (default 1,000), `--completions N` at least
// (default 10,000), `--seed N` (default by the clock), `--folder` for the storage (default the
// system's temporary folder). SIGKILL ends the process, not the machine: writes that the system has
// and the disk has not survive it. They would not survive a power cut.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { crash } from "../tests/crash/crash.mjs";
import { quantile } from "../tests/support/measure.mjs";
import { serveCommand } from "../tests/support/serve.mjs";
import { waitpoint } from "../tests/support/workerd.mjs";
import { build } from "./lib/build.mjs";
import { underNode } from "./lib/process.mjs";

const { values } = parseArgs({
  options: {
    kills: { type: "string", default: "1000" },
    completions: { type: "string", default: "10000" },
    seed: { type: "string", default: String(Date.now() % 2 ** 31) },
    folder: { type: "string", default: tmpdir() },
  },
});
underNode(await build("worker"));

const storage = mkdtempSync(join(values.folder, "waitpoint-crash-"));
const type = execFileSync("stat", ["-f", "-c", "%T", storage], { encoding: "utf8" }).trim();
console.log(
  `seed ${values.seed}, storage on ${type} (${storage}), ${cpus().length} × ${cpus()[0].model}`,
);
const report = await crash({
  target: waitpoint(),
  serve: serveCommand,
  storage,
  seed: Number(values.seed),
  kills: Number(values.kills),
  completions: Number(values.completions),
  say: console.log,
});
rmSync(storage, { recursive: true });

const { seconds, kills, acknowledged, tokens, counts, failures, atKill, lags, faults } = report;
const shown = (numbers) =>
  `p50 ${quantile(numbers, 0.5)}, p99 ${quantile(numbers, 0.99)}, most ${Math.max(...numbers)}`;
const fresh = (what) => atKill.reduce((sum, { fresh }) => sum + fresh[what], 0);
const { completions, cancels, extensions, votes, announced } = acknowledged;
const bound = (count) => (300 / count).toFixed(3);
const timedOut = counts.timeouts + counts.webhooks;
const FAULTS = ["lost", "doubled", "contradictory", "vanished", "split", "untold", "mistold"];
console.log(`
${kills} times SIGKILL in ${Math.round(seconds)} s
Requests in flight at a kill: ${shown(atKill.map(({ inFlight }) => inFlight))}
${tokens} tokens, ${counts.keys} with an idempotency key, ${timedOut} timed out
${counts.requests} requests, ${counts.unanswered} of them never answered
${counts.waiters} waiters notified, ${counts.quorums} tokens decided by votes
Acknowledged, and of them in the 100 ms before a kill: ${completions} completions, \
${fresh("completions")}; ${cancels} cancels, ${fresh("cancels")}; ${extensions} extensions, \
${fresh("extensions")}; ${votes} votes, ${fresh("votes")}; ${announced} creations that somebody \
is told of, ${fresh("announced")}
${counts.told} times a recipient was told, ${counts.toldAgain} of them again; ${counts.strangers} \
tokens that only recipients know; ${counts.defaults} default decisions
Told before anybody asked: ${counts.creations} creations, ${counts.reminders} reminders, \
${counts.webhooks} timeouts, these so many ms late: ${shown(lags)}
${FAULTS.map((fault) => `${fault} ${faults[fault]?.length ?? 0}`).join(", ")}
With 95 % confidence (3/N) less than ${bound(completions)} % of acknowledged completions are lost,
and less than ${bound(fresh("completions"))} % of those right before a kill`);
for (const [fault, tokens] of Object.entries(faults)) {
  for (const { id, events } of tokens.slice(0, 3)) {
    console.log(
      fault,
      id,
      events.map((event) => ({ ...event, output: event.output?.slice(0, 80) })),
    );
  }
}
for (const failure of new Set(failures)) console.log("failure:", failure);
process.exit(Object.keys(faults).length + failures.length > 0 ? 1 : 0);
