// `npm run bench:list`: what a page of the API's list takes with many tokens in a month of the
// index, in workerd's CPU, and how many rows SQLite reads for it. `--tokens N` (default 1,000,000),
// `--rounds N` (default 10). `--most N` fails if a page reads more rows.
import { parseArgs } from "node:util";
import { build } from "../scripts/lib/build.mjs";
import { underNode } from "../scripts/lib/process.mjs";
import { COUNTING } from "../tests/support/counting.mjs";
import { cpuOf, quantile } from "../tests/support/measure.mjs";
import { KEY, serve, waitpoint } from "../tests/support/workerd.mjs";

const { values } = parseArgs({
  options: {
    tokens: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "10" },
    most: { type: "string", default: "Infinity" },
  },
});
const [tokens, rounds, most] = [values.tokens, values.rounds, values.most].map(Number);
underNode(await build("worker"));

const server = await serve(waitpoint({}, COUNTING), { cpu: 0 });
// All of one month: from its end backwards, a token each millisecond.
const NEWEST = new Date().setUTCDate(1) - 1_000;
const HOUR = 3_600_000;
const MONTH = new Date(NEWEST).toISOString().slice(0, 7);

/** The token with this number, the newest first: of ten, three wait and one timed out. */
const rowOf = (number) => {
  const created = NEWEST - number;
  const [waits, timedOut] = [number % 10 < 3, number % 10 === 3];
  return {
    created,
    id: `c${String(number).padStart(24, "0")}`,
    timeout: timedOut ? created + HOUR : NEWEST + 365 * 24 * HOUR,
    completed: waits || timedOut ? null : created + 1_000,
    tags: JSON.stringify(["deploy", `service-${number % 100}`]),
    key: number % 2 ? null : `key-${number}`,
    key_expires: null,
    title: "",
  };
};
console.log(`storing ${tokens} tokens of one month`);
for (let at = 0; at < tokens; at += 1000) {
  const rows = Array.from({ length: Math.min(1000, tokens - at) }, (_, index) => rowOf(at + index));
  const answer = await fetch(`${server.url}/index/default/${MONTH}`, {
    method: "POST",
    body: JSON.stringify({ put: rows }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

const rowsRead = async () => (await (await fetch(`${server.url}/counts`)).json()).index.read;
const list = async (query) => {
  const answer = await fetch(
    `${server.url}/api/v1/waitpoints/tokens?${new URLSearchParams(query)}`,
    { headers: { authorization: `Bearer ${KEY}` } },
  );
  if (!answer.ok) throw new Error(await answer.text());
  return (await answer.json()).data.length;
};
const cursorAt = (number) => {
  const { created, id } = rowOf(number);
  return `${created}_${id}`;
};
const middle = Math.floor(tokens / 2);
const createdAt = (from, to) => ({
  "filter[createdAt][from]": NEWEST - to,
  "filter[createdAt][to]": NEWEST - from,
});
const pages = {
  "the first page": {},
  "100 rows": { "page[size]": 100 },
  "behind a cursor in the middle": { "page[after]": cursorAt(middle) },
  "before a cursor in the middle": { "page[before]": cursorAt(middle) },
  "that wait, three of ten": { "filter[status]": "WAITING" },
  "that timed out, one of ten": { "filter[status]": "TIMED_OUT" },
  "a tag of every 100th": { "filter[tags]": "service-42" },
  "the same, that wait (none)": { "filter[tags]": "service-44", "filter[status]": "WAITING" },
  "a tag that none has": { "filter[tags]": "nowhere" },
  "an idempotency key": { "filter[idempotencyKey]": `key-${middle - (middle % 2)}` },
  "a key that none has": { "filter[idempotencyKey]": "nowhere" },
  "created in a minute in the middle": createdAt(middle, middle + 60_000),
  "of that minute, a tag that none has": {
    ...createdAt(middle, middle + 60_000),
    "filter[tags]": "nowhere",
  },
};
console.log("\n| page | CPU of workerd, ms: median | p90 | rows read | tokens shown |");
console.log("|---|--:|--:|--:|--:|");
const tooMany = [];
for (const [what, query] of Object.entries(pages)) {
  const used = [];
  await list(query);
  const earlier = await rowsRead();
  let shown = 0;
  for (let round = 0; round < rounds; round++) {
    const before = cpuOf(server.pid);
    shown = await list(query);
    used.push((cpuOf(server.pid) - before) / 1000);
  }
  const read = Math.round(((await rowsRead()) - earlier) / rounds);
  if (read > most) tooMany.push(`${what}: ${read}`);
  const [median, p90] = [quantile(used, 0.5), quantile(used, 0.9)].map((ms) => ms.toFixed(1));
  console.log(`| ${what} | ${median} | ${p90} | ${read} | ${shown} |`);
}
await server.stop();
if (tooMany.length > 0) {
  console.error(`\nmore than ${most} rows were read for a page:\n${tooMany.join("\n")}`);
  process.exitCode = 1;
}
