// `npm run abuse`: what abuse costs, and what a good client notices of it. Each flood meets a fresh
// `workerd serve` on one core. On the other core are the flood and a good client, who creates,
// completes and reads a token over and over. `--seconds N` a flood (default 4), `--only text` for
// floods whose name contains it. It fails if the isolate holds more than 64 MB after a flood, if a
// request costs more than a second of CPU, or if the good client waits for more than ten seconds.
// Linux.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { parseArgs } from "node:util";
import { build } from "../scripts/lib/build.mjs";
import { underNode } from "../scripts/lib/process.mjs";
import { cpuOf, quantile } from "../tests/support/measure.mjs";
import { MOST_MB, memoryOf } from "../tests/support/memory.mjs";
import { KEY, serve, waitpoint } from "../tests/support/workerd.mjs";
import { FLOODS, LIMITED } from "./abuse/floods.mjs";
import { create, goodRound, send } from "./abuse/requests.mjs";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "4" }, only: { type: "string", default: "" } },
});
const seconds = Number(values.seconds);
underNode(await build("worker"));
execFileSync("taskset", ["-cp", "1", String(process.pid)], { stdio: "ignore" });

/** What exceeded a limit. */
const failures = [];
// Microseconds of CPU a request, and milliseconds of a good client's round.
const MOST_CPU = 1_000_000;
const MOST_WAIT = 10_000;

const resident = (pid) =>
  Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]) / 1024;
const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));

async function measure(name, entry) {
  const {
    flood,
    together = 16,
    wrap,
    most = Infinity,
    requests = 0,
    ...rest
  } = typeof entry === "function" ? { flood: entry } : entry;
  const { warm = together <= 16 ? 50 : 0, settle = 200, prepare, relays = false } = rest;
  const upstream = relays ? await serve(waitpoint(), { cpu: 1 }) : undefined;
  const server = await serve(waitpoint(upstream ? { UPSTREAM: upstream.url } : {}, wrap), {
    cpu: 0,
    inspect: true,
  });
  const [mine, theirs] = [
    new Agent({ keepAlive: true }),
    new Agent({ keepAlive: true, maxSockets: together }),
  ];
  const [token, done] = [await create(server, mine), await create(server, mine)];
  await send(server, "POST", `${done.path}/complete`, { key: done.jwt, body: '{"data":"first"}' });
  const from = { "cf-connecting-ip": "192.0.2.1" };
  const ask = (method, path, options = {}) =>
    send(server, method, path, {
      ...options,
      headers: { ...from, ...options.headers },
      agent: theirs,
    });
  const prepared = await prepare?.({ server, agent: mine });
  const good = async (until) => {
    const times = [];
    for (let over = false; !over; ) {
      times.push(await goodRound(server, mine));
      over = until();
      await pause(5);
    }
    return times;
  };
  const within = (limit) => {
    const end = performance.now() + limit * 1000;
    return () => performance.now() >= end;
  };
  // Warm both up before anything is measured.
  const ends = Promise.withResolvers();
  const context = {
    server,
    upstream,
    ask,
    agent: theirs,
    token,
    done,
    ...prepared,
    ended: ends.promise,
  };
  for (let n = 0; n < warm; n++) await flood(context);
  await good(within(1));
  const cpuAtFirst = cpuOf(server.pid);
  const before = await good(within(seconds / 2));
  const cpuOfGood = (cpuOf(server.pid) - cpuAtFirst) / before.length;

  const [rss, cpu] = [resident(server.pid), cpuOf(server.pid)];
  const timeUp = within(seconds);
  const statuses = {};
  let count = 0;
  const over = () => (requests ? count >= requests : timeUp() || count >= most);
  const flooding = Array.from({ length: together }, async () => {
    do {
      const { status } = await flood(context);
      statuses[status || "broken"] = (statuses[status || "broken"] ?? 0) + 1;
      count++;
    } while (!over());
  });
  const during = await good(over);
  ends.resolve();
  await Promise.all(flooding);
  await pause(settle);
  const used = cpuOf(server.pid) - cpu - during.length * cpuOfGood;
  const grown = resident(server.pid) - rss;
  const memory = await memoryOf(server);
  const first = JSON.parse((await send(server, "GET", token.path, { key: KEY })).text);
  const second = JSON.parse((await send(server, "GET", done.path, { key: KEY })).text);
  if (first.status !== "WAITING" || second.output !== '"first"')
    throw new Error(`${name}: a flood has decided`);
  await server.stop();
  await upstream?.stop();
  mine.destroy();
  theirs.destroy();
  const shown = Object.entries(statuses).map(
    ([status, times]) => `${status}${Object.keys(statuses).length > 1 ? ` × ${times}` : ""}`,
  );
  const [cpuEach, wait] = [used / count, quantile(during, 0.99)];
  if (memory.total > MOST_MB)
    failures.push(`${name}: the isolate holds ${memory.total.toFixed(0)} MB, more than ${MOST_MB}`);
  if (cpuEach > MOST_CPU)
    failures.push(
      `${name}: a request takes ${(cpuEach / 1e6).toFixed(1)} s of CPU, more than a second`,
    );
  if (wait > MOST_WAIT)
    failures.push(`${name}: a good client waits for ${(wait / 1e3).toFixed(1)} s, more than ten`);
  const ms = (times) => `${quantile(times, 0.5).toFixed(1)} / ${quantile(times, 0.99).toFixed(1)}`;
  const cells = [
    name,
    count,
    shown.join(", "),
    Math.max(0, cpuEach).toFixed(0),
    grown.toFixed(0),
    `${memory.wasm.toFixed(0)} / ${memory.heap.toFixed(0)}`,
    ms(before),
    ms(during),
  ];
  return `| ${cells.join(" | ")} |`;
}

console.log(
  `\nFloods of ${seconds} s, 16 at a time (200 for those that are slow, fewer of what is large), ` +
    "beside a good client that does one thing after the other\n",
);
console.log(
  "| flood | requests | answers | CPU of workerd a request, µs | workerd grew by, MB " +
    "| wasm / heap of the isolate after it, MB | good client's round before, p50 / p99 ms " +
    "| during |\n|---|--:|---|--:|--:|--:|--:|--:|",
);
for (const [name, entry] of Object.entries(FLOODS))
  if (name.includes(values.only)) console.log(await measure(name, entry));

// The cost of asking a rate limiter where nobody floods: the same reads without one, and with one
// that is asked each time, as from a credential's 101st request in ten seconds on.
const reads = { "no limit bound": [], "a limit bound and asked": [] };
for (let round = 0; round < 5 && !values.only; round++) {
  for (const [name, wrap] of Object.entries({
    "no limit bound": undefined,
    "a limit bound and asked": LIMITED.replaceAll(/limiter\(\d+/g, "limiter(Infinity"),
  })) {
    const server = await serve(waitpoint({}, wrap), { cpu: 0 });
    const agent = new Agent({ keepAlive: true, maxSockets: 16 });
    const { path, jwt } = await create(server, agent);
    const read = (count) =>
      Promise.all(
        Array.from({ length: 16 }, async () => {
          for (let n = 0; n < count / 16; n++) await send(server, "GET", path, { key: jwt, agent });
        }),
      );
    await read(1_000);
    const cpu = cpuOf(server.pid);
    await read(4_000);
    reads[name].push((cpuOf(server.pid) - cpu) / 4_000);
    await server.stop();
  }
}
if (!values.only) {
  console.log("\nCPU of workerd a retrieve, µs (medians of 5 rounds of 4,000)\n\n| | |\n|---|--:|");
  for (const [name, cpus] of Object.entries(reads))
    console.log(`| ${name} | ${quantile(cpus, 0.5).toFixed(0)} |`);
}
for (const failure of failures) console.error(`error: ${failure}`);
process.exit(failures.length ? 1 : 0);
