// `npm run bench:cost`: what a token costs, and that a hundred thousand cost a hundred thousand
// times as much. Lives of tokens are run in `workerd serve`: created, completed, indexed, purged.
// `--sizes 1000,10000,100000`; `--write` updates docs/costs.md. Linux.
import { execFileSync } from "node:child_process";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "../scripts/lib/build.mjs";
import { root, underNode } from "../scripts/lib/process.mjs";
import { COUNTING } from "../tests/support/counting.mjs";
import { cpuOf } from "../tests/support/measure.mjs";
import { KEY, serve, waitpoint } from "../tests/support/workerd.mjs";

const { values } = parseArgs({
  options: { sizes: { type: "string", default: "1000,10000,100000" }, write: { type: "boolean" } },
});
const sizes = values.sizes.split(",").map(Number);
underNode(await build("worker"));
execFileSync("taskset", ["-cp", "1", String(process.pid)], { stdio: "ignore" });

// Live objects hold memory and files, so their number is limited.
const BATCH = 1_000;
const PAGES = 3;
const TOKENS = "/api/v1/waitpoints/tokens";
const FIELDS = ["requests", "alarms", "written", "read", "alarmsSet", "forgotten", "millis"];
const KINDS = ["token", "key", "index"];

const agent = new Agent({ keepAlive: true, maxSockets: 16 });
function send(server, method, path, credential, body, headers = {}) {
  return new Promise((resolve, reject) => {
    const all = { ...(credential && { authorization: `Bearer ${credential}` }), ...headers };
    if (body !== undefined) all["content-length"] = Buffer.byteLength(body);
    const sent = request(server.url + path, { method, headers: all, agent }, (answer) => {
      let text = "";
      answer.on("data", (chunk) => (text += chunk));
      answer.on("end", () => {
        if (answer.statusCode === 200) resolve({ text, headers: answer.headers });
        else reject(new Error(`${answer.statusCode} ${text}`));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

async function each(count, work) {
  let next = 0;
  const all = [];
  const worker = async () => {
    for (let n = next++; n < count; n = next++) all[n] = await work(n);
  };
  await Promise.all(Array.from({ length: 16 }, worker));
  return all;
}

const counts = async (server) => JSON.parse((await send(server, "GET", "/counts")).text);
async function until(ask, done) {
  for (;;) {
    const found = await ask();
    if (done(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
/** Waits until nothing is left to do. */
const untilIdle = (server) => {
  let before = -1;
  return until(
    async () => cpuOf(server.pid),
    (now) => {
      const still = now - before < 1_000;
      before = now;
      return still;
    },
  );
};

const create = async (server) => {
  const { text, headers } = await send(
    server,
    "POST",
    TOKENS,
    KEY,
    '{"timeout":"1h","tags":["cost"]}',
  );
  const { id, url } = JSON.parse(text);
  return { path: `${TOKENS}/${id}`, page: new URL(url).pathname, jwt: headers["x-trigger-jwt"] };
};
const complete = (server, { path, jwt }) =>
  send(server, "POST", `${path}/complete`, jwt, '{"data":{"status":"approved","by":"cost"}}');

/** Counts and CPU while `work` runs: sums by kind, CPU microseconds, seconds. */
async function measured(server, work) {
  await untilIdle(server);
  const [before, cpu, began] = [await counts(server), cpuOf(server.pid), performance.now()];
  await work();
  await untilIdle(server);
  const after = await counts(server);
  const sums = Object.fromEntries(
    KINDS.map((kind) => [
      kind,
      Object.fromEntries(FIELDS.map((field) => [field, after[kind][field] - before[kind][field]])),
    ]),
  );
  const bytesBefore = Object.fromEntries(KINDS.map((kind) => [kind, before[kind].bytes]));
  return {
    sums,
    bytesBefore,
    bytes: Object.fromEntries(KINDS.map((kind) => [kind, after[kind].bytes])),
    cpu: cpuOf(server.pid) - cpu,
    seconds: (performance.now() - began) / 1000,
  };
}

/** Runs so many whole lives and returns what they took. */
async function lives(size) {
  // Tokens are kept long enough that the last of a batch is completed before the first is purged.
  const server = await serve(waitpoint({ RETENTION: "3s" }, COUNTING), { cpu: 0 });
  // The first calls include compilation, so they are not measured.
  const warm = async () => each(100, async () => complete(server, await create(server)));
  await warm();
  await until(
    () => counts(server),
    ({ token }) => token.forgotten >= 100,
  );
  const total = Object.fromEntries(
    KINDS.map((kind) => [kind, Object.fromEntries(FIELDS.map((field) => [field, 0]))]),
  );
  const batches = [];
  for (let done = 0; done < size; done += BATCH) {
    const count = Math.min(BATCH, size - done);
    if (done > 0) {
      await server.restart(() => {
        const folder = join(server.folder, "TokenObject");
        for (const name of readdirSync(folder))
          if (/^[0-9a-f]{64}/.test(name)) rmSync(join(folder, name));
      });
      await warm();
      await until(
        () => counts(server),
        ({ token }) => token.forgotten >= 100,
      );
    }
    const { forgotten } = (await counts(server)).token;
    const batch = await measured(server, async () => {
      await each(count, async () => complete(server, await create(server)));
      await until(
        () => counts(server),
        ({ token }) => token.forgotten >= forgotten + count,
      );
    });
    for (const kind of KINDS)
      for (const field of FIELDS) total[kind][field] += batch.sums[kind][field];
    batches.push(batch.cpu / count);
    process.stderr.write(`${done + count} of ${size} \r`);
  }
  await server.stop();
  const tenth = Math.max(1, Math.floor(batches.length / 10));
  const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  return {
    size,
    total,
    cpu: mean(batches),
    first: mean(batches.slice(0, tenth)),
    last: mean(batches.slice(-tenth)),
  };
}

/** One life after another, each with its reads: what a token takes where nothing queues up. */
async function livesWithReads(count) {
  const server = await serve(waitpoint({ RETENTION: "2s" }, COUNTING), { cpu: 0 });
  const life = async () => {
    const token = await create(server);
    for (let n = 0; n < PAGES; n++)
      await send(server, "GET", token.page, "", undefined, { accept: "text/html" });
    await complete(server, token);
    await send(server, "GET", token.path, KEY);
  };
  const run = async (times) => {
    const { forgotten } = (await counts(server)).token;
    for (let n = 0; n < times; n++) await life();
    await until(
      () => counts(server),
      ({ token }) => token.forgotten >= forgotten + times,
    );
  };
  await run(100);
  const found = await measured(server, () => run(count));
  await server.stop();
  return found;
}

/**
 * The bytes of a completed token's object and of its row in the index, of so many that are kept.
 */
async function bytesStored(count) {
  const server = await serve(waitpoint({}, COUNTING), { cpu: 0 });
  await each(100, async () => complete(server, await create(server)));
  const found = await measured(server, () =>
    each(count, async () => complete(server, await create(server))),
  );
  const before = found.bytesBefore.index;
  await server.stop();
  return { token: found.bytes.token, index: (found.bytes.index - before) / count };
}

const runs = [];
for (const size of sizes) runs.push(await lives(size));
const LOOKED_AT = 200;
const life = await livesWithReads(LOOKED_AT);
const bytes = await bytesStored(2_000);
const of = (run, kind, field) => run.total[kind][field] / run.size;
const across = (run, field) => KINDS.reduce((sum, kind) => sum + of(run, kind, field), 0);
const n = (value, digits = 2) =>
  value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

const COLUMNS = [
  "tokens",
  "CPU of workerd a token, µs",
  "first tenth",
  "last tenth",
  "rows written a token",
  "rows read",
  "requests to objects",
  "alarms",
];
const linear = `| ${COLUMNS.join(" | ")} |
|${COLUMNS.map(() => "--:|").join("")}
${runs
  .map((run) => {
    const cells = [
      n(run.size, 0),
      n(run.cpu, 0),
      n(run.first, 0),
      n(run.last, 0),
      n(across(run, "written")),
      n(across(run, "read")),
      n(across(run, "requests")),
      n(across(run, "alarms")),
    ];
    return `| ${cells.join(" | ")} |`;
  })
  .join("\n")}`;

const taken = (field) => KINDS.reduce((sum, kind) => sum + life.sums[kind][field], 0) / LOOKED_AT;
const perToken = {
  "Worker requests": 3 + PAGES,
  "Worker CPU, ms": life.cpu / LOOKED_AT / 1000,
  "requests to objects": taken("requests"),
  "alarms that ring, billed as requests": taken("alarms"),
  // The caller of the index is active meanwhile too.
  "objects active, ms": taken("millis") + life.sums.index.millis / LOOKED_AT,
  "rows written": taken("written"),
  "alarms set, of these": taken("alarmsSet"),
  "rows read": taken("read"),
  "stored, bytes: its object": bytes.token,
  "stored, bytes: its row in the index": bytes.index,
};
const stored = bytes.token + bytes.index;
const asked = taken("requests") + taken("alarms");

// Cloudflare's prices of the paid plan on this day: what is included, and dollars for each further
// `per`.
const PRICES_OF = "2026-11-17";
const PRICES = [
  { what: "Worker requests", a: perToken["Worker requests"], included: 10e6, per: 1e6, price: 0.3 },
  {
    what: "Worker CPU",
    a: perToken["Worker CPU, ms"],
    included: 30e6,
    per: 1e6,
    price: 0.02,
    unit: "ms",
  },
  { what: "requests to objects", a: asked, included: 1e6, per: 1e6, price: 0.15 },
  {
    what: "objects active",
    a: perToken["objects active, ms"],
    factor: 0.128 / 1000,
    included: 400e3,
    per: 1e6,
    price: 12.5,
    unit: "GB-s",
  },
  { what: "rows written", a: perToken["rows written"], included: 50e6, per: 1e6, price: 1 },
  { what: "rows read", a: perToken["rows read"], included: 25e9, per: 1e6, price: 0.001 },
  {
    what: "stored for a month",
    a: stored,
    factor: 1e-9,
    included: 5,
    per: 1,
    price: 0.2,
    unit: "GB",
  },
];
const BASE = 5;
const bill = (tokens) =>
  PRICES.map(({ what, a, factor = 1, included, per, price, unit = "" }) => {
    const used = tokens * a * factor;
    return { what, used, unit, dollars: (Math.max(0, used - included) / per) * price };
  });
const MONTHS = [1e6, 100e6];
const bills = MONTHS.map(bill);
const large = (value) =>
  value >= 1e6 ? `${n(value / 1e6)} M` : value >= 1e3 ? `${n(value / 1e3)} k` : n(value);
const usedAndPaid = ({ used, unit, dollars }) =>
  `${`${large(used)} ${unit}`.trim()} | ${n(dollars)}`;
const inAll = (lines) => BASE + lines.reduce((sum, { dollars }) => sum + dollars, 0);
const money = `| a month | ${MONTHS.map((tokens) => `${tokens / 1e6} M tokens | $`).join(" | ")} |
|---|${MONTHS.map(() => "--:|--:").join("|")}|
${PRICES.map(({ what }, at) => {
  const cells = bills.map((lines) => usedAndPaid(lines[at]));
  return `| ${what} | ${cells.join(" | ")} |`;
}).join("\n")}
| base fee | ${MONTHS.map(() => ` | ${n(BASE)}`).join(" | ")} |
| **in all** | ${bills.map((lines) => ` | **${n(inAll(lines))}**`).join(" | ")} |`;

const perUnit = ({ per, unit = "" }) => {
  if (per === 1) return `a ${unit}`;
  return unit ? `a million ${unit}` : "a million";
};
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

A life as above, in which its page is fetched ${PAGES} times (two scanners and a person) and it is
retrieved once; ${LOOKED_AT} lives, one after the other:

| | a token |
|---|--:|
${Object.entries(perToken)
  .map(([what, value]) => `| ${what} | ${n(value)} |`)
  .join("\n")}

CPU is all that workerd used, the counting included, so it is more than a Worker is billed for.
Objects are billed for the time in which they are active, at 128 MB (0.128 GB-s a second): that is
how long their handlers took, here without a network between them. What is stored was measured on
2,000 tokens that are kept, with a small output.

## A month

Paid plan, Cloudflare's prices of ${PRICES_OF}, all tokens kept for 30 days after their end, which
is the default. A line is \`max(0, tokens × a token − included) × price\`.

| | included | price |
|---|--:|--:|
${PRICES.map((line) => {
  const included = `${large(line.included)} ${line.unit ?? ""}`.trim();
  return `| ${line.what} | ${included} | $${line.price} ${perUnit(line)} |`;
}).join("\n")}

${money}

Waiting adds nothing while a socket hibernates. A webhook keeps its object active until the receiver
answers. An idempotency key is one more object.
`;
console.log(`\n${document}`);
if (values.write) writeFileSync(join(root, "docs", "costs.md"), document);
process.exit();
