// `npm run bench:inbox`: what a page of the inbox takes with many waiting tokens, in workerd's CPU,
// and how many rows SQLite reads for it. `--tokens N` (default 100,000), `--ended N` of which this
// many have ended (default 0), `--months N` over which they were created (default 1), `--rounds N`
// (default 20).
import { parseArgs } from "node:util";
import { build } from "../scripts/lib/build.mjs";
import { underNode } from "../scripts/lib/process.mjs";
import { COUNTING } from "../tests/support/counting.mjs";
import { operatorOf } from "../tests/support/inbox.mjs";
import { cpuOf, quantile } from "../tests/support/measure.mjs";
import { serve, waitpoint } from "../tests/support/workerd.mjs";

const { values } = parseArgs({
  options: {
    tokens: { type: "string", default: "100000" },
    ended: { type: "string", default: "0" },
    months: { type: "string", default: "1" },
    rounds: { type: "string", default: "20" },
  },
});
const [tokens, months, rounds] = [values.tokens, values.months, values.rounds].map(Number);
const ended = Math.ceil(Number(values.ended) / months);
underNode(await build("worker"));

const server = await serve(waitpoint({ INBOX: "on" }, COUNTING), { cpu: 0 });
const NOW = Date.now();
const HOUR = 3_600_000;
const monthOf = (at) => new Date(at).toISOString().slice(0, 7);
const put = async (month, rows) => {
  const answer = await fetch(`${server.url}/index/default/${month}`, {
    method: "POST",
    body: JSON.stringify({ put: rows }),
  });
  if (!answer.ok) throw new Error(await answer.text());
};
console.log(
  `storing ${tokens} tokens of ${months} month(s), of which ${ended * months} have ended`,
);
for (let month = 0; month < months; month++) {
  const created = NOW - month * 31 * 24 * HOUR;
  const share = Math.ceil(tokens / months);
  for (let at = 0; at < share; at += 1000) {
    const rows = Array.from({ length: Math.min(1000, share - at) }, (_, index) => {
      const number = at + index;
      const hasEnded = number < ended;
      return {
        created: created - number,
        id: `c${month}m${String(number).padStart(20, "0")}`,
        timeout: number % 10 === 0 ? null : NOW + HOUR + ((number * 7919) % 1_000_000_000),
        completed: hasEnded ? created - number + 500 : null,
        cancelled: hasEnded && number % 100 === 0 ? 1 : null,
        tags: JSON.stringify(["deploy", `service-${number % 100}`]),
        key: null,
        key_expires: null,
        title: `Deploy service ${number % 100} to production? Build ${number}`,
        failed: number % 1000 === 0 ? 1 : null,
      };
    });
    await put(monthOf(created), rows);
  }
}

const rowsRead = async () => (await (await fetch(`${server.url}/counts`)).json()).index.read;
const operator = await operatorOf(server.url);
const last = String(Math.ceil(tokens / months) - 1);
const pages = {
  "the first page": "",
  "200 rows": "?size=200",
  "a tag of every 100th": "?tag=service-42",
  "a text that few have": `?text=Build%20${last}`,
  "a text that none has": "?text=nowhere",
  "failed deliveries": "?failed=1",
  "no deadline": "?due=none",
  "created a week ago": "?age=7d",
  "what has timed out": "?view=timed-out",
  "what was decided": "?view=decided",
  "what was decided, a text that none has": "?view=decided&text=nowhere",
  "what was decided, a tag of every 100th": "?view=decided&tag=service-42",
  "what was withdrawn": "?view=withdrawn",
};
console.log("\n| page | CPU of workerd, ms: median | p90 | rows read | tokens shown |");
console.log("|---|--:|--:|--:|--:|");
for (const [what, query] of Object.entries(pages)) {
  const used = [];
  await operator.read(`/inbox${query}`);
  const earlier = await rowsRead();
  let shown = 0;
  for (let round = 0; round < rounds; round++) {
    const before = cpuOf(server.pid);
    const html = await operator.read(`/inbox${query}`);
    used.push((cpuOf(server.pid) - before) / 1000);
    // What has ended cannot be marked.
    shown = new Set(html.match(/\/inbox\/waitpoint_\w+/g)).size;
  }
  const read = ((await rowsRead()) - earlier) / rounds;
  const [median, p90] = [quantile(used, 0.5), quantile(used, 0.9)].map((ms) => ms.toFixed(1));
  console.log(`| ${what} | ${median} | ${p90} | ${Math.round(read)} | ${shown} |`);
}
await server.stop();
