// `npm run bench:cost`: what a token costs, a plain one and one with everything, and that a hundred
// thousand cost a hundred thousand times as much. Lives of tokens are run in `workerd serve`.
// `--sizes 1000,10000,100000`; `--lives 200` and `--kept 2000`: how many of each kind are measured;
// `--answer 200`: the milliseconds that a receiver of webhooks takes; `--list` prints each write of
// a token and does no more; `--write` updates docs/costs.md. Linux.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "../scripts/lib/build.mjs";
import { root, underNode } from "../scripts/lib/process.mjs";
import { bytesStored, kindsOf, manyLives, oneLife, PAGES, writesOf } from "./cost/lives.mjs";
import { KINDS, receiverOf } from "./cost/measure.mjs";
import { monthTable, n, PRICES_OF, priceTable, table } from "./cost/month.mjs";

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "1000,10000,100000" },
    lives: { type: "string", default: "200" },
    kept: { type: "string", default: "2000" },
    answer: { type: "string", default: "200" },
    list: { type: "boolean" },
    write: { type: "boolean" },
  },
});
const sizes = values.sizes.split(",").map(Number);
const [LIVES, KEPT, ANSWER] = [values.lives, values.kept, values.answer].map(Number);
underNode(await build("worker"));
execFileSync("taskset", ["-cp", "1", String(process.pid)], { stdio: "ignore" });

const kinds = kindsOf(await receiverOf(ANSWER));

/** SQLite's own count of changed rows. It has none of alarms, nor of what indices add. */
const changesOf = (writes) => writes.reduce((sum, { sqlite }) => sum + sqlite, 0);
const rowsOf = (writes) => writes.reduce((sum, { rows }) => sum + rows, 0);
const inSql = (writes) => writes.filter(({ sqlite }) => sqlite !== null);

if (values.list) {
  for (const [name, kind] of Object.entries(kinds)) {
    const writes = await writesOf(kind);
    const cells = writes.map(({ kind, what, rows, sqlite }) => [kind, what, rows, sqlite ?? ""]);
    const sums = ["in all", "", rowsOf(writes), changesOf(writes)];
    console.log(`\n${name}\n`);
    console.log(table(["object", "write", "rows", "rows of SQLite's"], [...cells, sums], 2));
  }
  process.exit();
}

/** What a token of a kind takes, a line each. */
async function takenBy(kind) {
  const [life, bytes] = [await oneLife(kind, LIVES), await bytesStored(kind, KEPT)];
  const taken = (field) => KINDS.reduce((sum, kind) => sum + life.sums[kind][field], 0) / LIVES;
  return {
    "Worker requests": life.sent / LIVES,
    "Worker CPU, ms": life.cpu / LIVES / 1000,
    "requests to objects": taken("requests"),
    "alarms that ring, billed as requests": taken("alarms"),
    "objects active, ms": taken("millis"),
    "rows written": taken("written"),
    "alarms set, of these": taken("alarmsSet"),
    "rows read": taken("read"),
    "stored, bytes: its object": bytes.token,
    "stored, bytes: its row in the index": bytes.index,
  };
}

const runs = [];
for (const size of sizes) runs.push(await manyLives(size));
const plain = await takenBy(kinds.plain);
const full = await takenBy(kinds.full);
const checks = [];
for (const kind of [kinds.plain, kinds.full]) checks.push(inSql(await writesOf(kind)));

const across = ({ total, size }, field) =>
  KINDS.reduce((sum, kind) => sum + total[kind][field] / size, 0);
const linear = table(
  [
    "tokens",
    "CPU of workerd a token, µs",
    "first tenth",
    "last tenth",
    "rows written a token",
    "rows read",
    "requests to objects",
    "alarms",
  ],
  runs.map((run) => [
    n(run.size, 0),
    n(run.cpu, 0),
    n(run.first, 0),
    n(run.last, 0),
    n(across(run, "written")),
    n(across(run, "read")),
    n(across(run, "requests")),
    n(across(run, "alarms")),
  ]),
  0,
);
const checked = checks
  .map((writes) => `${rowsOf(writes)} rows beside ${changesOf(writes)} of SQLite's`)
  .join(", and ");

const day = new Date().toISOString().slice(0, 10);
const document = `# What it costs

Written by \`npm run bench:cost -- --write\` from what it measured (${day}, ${cpus()[0].model},
one core for workerd). Run it again to update this page. The months at the end are multiplied from
these measurements.

## It grows linearly

Whole lives: a token is created (with a timeout and a tag), completed by JWT, listed in the index
and purged. Rows are those that are billed: a value put or deleted, a row of a statement, an alarm
set or deleted are one each. All tokens of a run belong to one environment and one month, so they
share one index.

${linear}

## What a token takes

- **A plain token**: a life as above, in which its page is fetched ${PAGES} times (two scanners and
  a person) and it is retrieved once; one life after the other.
- **A token with everything**: two approvers who must agree, a form of three fields, two recipients
  of notices (webhooks), who are told of it and reminded once. Each approver's link is opened
  ${PAGES} times, the form is filled in and sent, and the page is shown again. It is retrieved once.
  50 of them live at once.

Each is decided before its timeout, whose alarm then still rings, and before each alarm its object
is evicted. The mean of ${n(LIVES, 0)} lives of each kind:

${table(
  ["", "a plain token", "with everything"],
  Object.keys(plain).map((what) => [what, n(plain[what]), n(full[what])]),
)}

CPU is all that workerd used, the counting included, so it is more than a Worker is billed for.

Objects are billed for the time in which they are active, at 128 MB (0.128 GB-s a second): while
they handle a request or an alarm, and while they cannot hibernate, because they await an answer or
have set a timer. Here there is no network between them. Most of a plain token's time is the 20 to
100 ms in which its object collects rows for the index; where many tokens are created at once, only
a few of their objects do. The requests of webhooks are free, but the object is active until the
receiver has answered. Here a receiver takes ${n(ANSWER, 0)} ms, and there are four requests, one
after the other.

Each write of one life of each kind was compared with SQLite's own count of changed rows, which has
no alarms and no entries of indices: ${checked}.
\`npm run bench:cost -- --list\` lists them.

What is stored was measured on ${n(KEPT, 0)} tokens of each kind that are kept.

## A month

Paid plan, Cloudflare's prices of ${PRICES_OF}, all tokens kept for 30 days after their end, which
is the default. A line is \`max(0, tokens × a token − included) × price\`.

${priceTable()}

Plain tokens:

${monthTable(plain)}

Tokens with everything:

${monthTable(full)}

Waiting adds nothing while a socket hibernates. An idempotency key is one more object. With the
inbox, a token takes two rows written more ([figures.md](figures.md#the-inbox)).
`;
console.log(`\n${document}`);
if (values.write) writeFileSync(join(root, "docs", "costs.md"), document);
process.exit();
