// `npm run bench`: this Worker beside the TypeScript that a user would write (peers/typescript.ts)
// and the floor, the same durable writes and nothing else (peers/floor.js). All run in `workerd
// serve` on one core, the load on the other, in rounds of all three. `--rounds N` (default 7),
// `--tokens N` a phase (default 1,000), `--connections N` (default 64; a cold phase has 16 at
// most); `--beside FOLDER` measures another build of this Worker too, `--targets
// waitpoint,beside` only these. Linux.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build as bundle } from "esbuild";
import { build } from "../scripts/lib/build.mjs";
import { root, underNode } from "../scripts/lib/process.mjs";
import { cpuOf, quantile } from "../tests/support/measure.mjs";
import { built, KEY, serve, waitpoint } from "../tests/support/workerd.mjs";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "7" },
    tokens: { type: "string", default: "1000" },
    connections: { type: "string", default: "64" },
    beside: { type: "string" },
    targets: { type: "string" },
  },
});
const [rounds, tokens] = [Number(values.rounds), Number(values.tokens)];
const connections = Number(values.connections);
underNode(await build("worker"));
execFileSync("taskset", ["-cp", "1", String(process.pid)], { stdio: "ignore" });

const peer = async (file) => {
  const { outputFiles } = await bundle({
    entryPoints: [join(root, "bench", "peers", file)],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:workers"],
    write: false,
  });
  return {
    files: { "index.js": { text: outputFiles[0].text } },
    objects: { TOKENS: "TokenObject" },
    vars: { SECRET_KEYS: KEY },
  };
};
const TARGETS = {
  waitpoint: waitpoint(),
  typescript: await peer("typescript.ts"),
  floor: await peer("floor.js"),
};
if (values.beside) TARGETS.beside = { ...waitpoint(), files: built(values.beside) };
const names = values.targets?.split(",") ?? Object.keys(TARGETS);
const unknown = names.find((name) => !TARGETS[name]);
if (unknown)
  throw new Error(`There is no target ${unknown}; there are ${Object.keys(TARGETS).join(", ")}`);
const others = names.filter((name) => name !== "waitpoint");
// Garbage is collected after each phase, so that each pays for its own.
const COLLECTING = `
  import built from "./index.js";
  export * from "./index.js";
  const fetch = built.fetch.bind(built);
  export default {
    fetch: (request, env, context) =>
      request.method === "DELETE" ? new Response(gc()) : fetch(request, env, context),
  };`;
for (const target of Object.values(TARGETS)) target.entry = COLLECTING;

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** One request: status, headers, body and milliseconds. */
function send(origin, method, path, credential, body) {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const headers = { authorization: `Bearer ${credential}`, "content-type": "application/json" };
    if (body !== undefined) headers["content-length"] = Buffer.byteLength(body);
    const sent = request(origin + path, { method, headers, agent }, (answer) => {
      let text = "";
      answer.on("data", (chunk) => (text += chunk));
      answer.on("end", () =>
        resolve({
          status: answer.statusCode,
          headers: answer.headers,
          text,
          millis: performance.now() - began,
        }),
      );
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Sends all, so many at a time. */
async function load(work, count, together) {
  const answers = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: together }, async () => {
      while (next < count) {
        const index = next++;
        answers[index] = await work(index);
        if (answers[index].status !== 200)
          throw new Error(`${answers[index].status} ${answers[index].text}`);
      }
    }),
  );
  return answers;
}

/** Waits until the process is idle: work after the response is part of the cost. */
async function untilIdle(pid) {
  // Rows for the index are batched for a tenth of a second.
  for (let before = -1, now = cpuOf(pid); now - before > 500; now = cpuOf(pid)) {
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

const TOKENS = "/api/v1/waitpoints/tokens";
const PHASES = [
  "create",
  "first completion",
  "repeated completion",
  "retrieve",
  "retrieve while it waits",
  "retrieve with the secret key",
  "cold completion",
  "repeated, asked of the object",
];
/** Requests before the measurement, so that code is compiled and optimized. */
const WARM = 600;
/** Phases that can be repeated are, as garbage is collected at random times. */
const OFTEN = 4;
/**
 * A completion is usually repeated soon. So many tokens an isolate mostly remembers, as its cache
 * has 4,096 slots.
 */
const AGAIN = 200;
const figures = Object.fromEntries(
  names.map((name) => [name, Object.fromEntries(PHASES.map((phase) => [phase, []]))]),
);

async function collect(server) {
  const { status, text } = await send(server.url, "DELETE", "/", "");
  if (status !== 200) throw new Error(text);
}

async function measure(name, server, phase, count, together, work) {
  await collect(server);
  await untilIdle(server.pid);
  const [cpu, began] = [cpuOf(server.pid), performance.now()];
  const answers = await load(work, count, together);
  const seconds = (performance.now() - began) / 1000;
  await collect(server);
  await untilIdle(server.pid);
  const millis = answers.map((answer) => answer.millis);
  figures[name][phase].push({
    cpu: (cpuOf(server.pid) - cpu) / count,
    rate: count / seconds,
    p50: quantile(millis, 0.5),
    p99: quantile(millis, 0.99),
  });
  return answers;
}

const WAKES = 100;
const woken = Object.fromEntries(names.map((name) => [name, []]));

/** From the completing request to the message on a WebSocket, one token after another. */
async function measureWaking(name, server, all, complete) {
  for (const token of all) {
    const url = `${server.url.replace("http", "ws")}${TOKENS}/${token.id}/wait`;
    const socket = new WebSocket(url, ["waitpoint.v1", `bearer.${token.jwt}`]);
    await once(socket, "message");
    const told = once(socket, "message");
    const began = performance.now();
    complete(token);
    await told;
    woken[name].push(performance.now() - began);
    socket.close();
  }
}

/** Waits for an event of a socket. A failing socket is an error. */
const once = (socket, type) =>
  new Promise((resolve, reject) => {
    socket.addEventListener(type, resolve, { once: true });
    socket.addEventListener("error", () => reject(new Error("a waiter was refused")), {
      once: true,
    });
  });

async function round(name, target) {
  const server = await serve(target, { cpu: 0, flags: ["--expose-gc"] });
  const create = () => send(server.url, "POST", TOKENS, KEY, '{"timeout":"1h","tags":["bench"]}');
  const complete = ({ id, jwt }) =>
    send(
      server.url,
      "POST",
      `${TOKENS}/${id}/complete`,
      jwt,
      '{"data":{"status":"approved","by":"bench"}}',
    );
  const made = (answers) =>
    answers.map(({ text, headers }) => ({
      id: JSON.parse(text).id,
      jwt: headers["x-trigger-jwt"],
    }));
  const retrieve = ({ id, jwt }) => send(server.url, "GET", `${TOKENS}/${id}`, jwt);
  const retrieveOwned = ({ id }) => retrieve({ id, jwt: KEY });
  const warm = made(await load(create, WARM, 16));
  for (let n = 0; n < 2; n++) await load((index) => complete(warm[index]), WARM, 16);
  await load((index) => retrieve(warm[index]), WARM, 16);
  await load((index) => retrieveOwned(warm[index]), WARM, 16);

  const all = made(await measure(name, server, "create", tokens, connections, create));
  // Each credential is used for the first time, as a person's is.
  await measure(name, server, "first completion", tokens, connections, (index) =>
    complete(all[index]),
  );
  const again = all.slice(-AGAIN);
  await measure(name, server, "repeated completion", OFTEN * tokens, connections, (index) =>
    complete(again[index % again.length]),
  );
  await measure(name, server, "retrieve", OFTEN * tokens, connections, (index) =>
    retrieve(all[index % tokens]),
  );
  if (name !== "floor")
    await measureWaking(name, server, made(await load(create, WAKES, 16)), complete);
  const waiting = made(await load(create, tokens, 64));
  await measure(name, server, "retrieve while it waits", OFTEN * tokens, connections, (index) =>
    retrieve(waiting[index % tokens]),
  );
  await measure(
    name,
    server,
    "retrieve with the secret key",
    OFTEN * tokens,
    connections,
    (index) => retrieveOwned(waiting[index % tokens]),
  );
  const [later, cold] = [made(await load(create, WARM, 64)), made(await load(create, tokens, 64))];
  await untilIdle(server.pid);
  await server.restart();
  await load((index) => complete(later[index]), WARM, 16);
  await measure(name, server, "cold completion", tokens, Math.min(connections, 16), (index) =>
    complete(cold[index]),
  );
  // The objects are awake, but the isolate remembers neither completions nor credentials.
  await load((index) => send(server.url, "GET", `${TOKENS}/${all[index].id}`, KEY), tokens, 16);
  await measure(name, server, "repeated, asked of the object", tokens, connections, (index) =>
    complete(all[index]),
  );
  await server.stop();
}

for (let n = 0; n < rounds; n++) {
  for (let at = 0; at < names.length; at++) {
    const name = names[(at + n) % names.length];
    await round(name, TARGETS[name]);
  }
  process.stderr.write(`round ${n + 1} of ${rounds}\r`);
}

const median = (numbers) => quantile(numbers, 0.5);
const of = (name, phase, figure) => figures[name][phase].map((one) => one[figure]);
const ratio = (phase, other) => {
  const [ours, theirs] = [of("waitpoint", phase, "cpu"), of(other, phase, "cpu")];
  return median(ours.map((cpu, at) => cpu / theirs[at])).toFixed(2);
};
console.log(
  `\nCPU of workerd a request, µs, medians of ${rounds} rounds of ${tokens} requests by ` +
    `${connections} connections, ` +
    "and the medians of the paired ratios\n",
);
const columns = [...names, ...others.map((other) => `÷ ${other}`)];
console.log(`| | ${columns.join(" | ")} |\n|---|${columns.map(() => "--:").join("|")}|`);
for (const phase of PHASES) {
  const cpus = names.map((name) => median(of(name, phase, "cpu")).toFixed(0));
  console.log(`| ${[phase, ...cpus, ...others.map((other) => ratio(phase, other))].join(" | ")} |`);
}
console.log("\nRequests a second, and p50 / p99 in ms, as the load saw them\n");
console.log(`| | ${names.join(" | ")} |\n|---|${names.map(() => "--:").join("|")}|`);
for (const phase of PHASES) {
  const shown = names.map((name) => {
    const [rate, p50, p99] = ["rate", "p50", "p99"].map((one) => median(of(name, phase, one)));
    return `${rate.toFixed(0)}, ${p50.toFixed(1)} / ${p99.toFixed(1)}`;
  });
  console.log(`| ${phase} | ${shown.join(" | ")} |`);
}

console.log(
  `\nFrom a completion to its one waiter's receipt (WebSocket), ms, n = ${rounds * WAKES} each\n`,
);
console.log("| | p50 | p99 |\n|---|--:|--:|");
for (const name of names.filter((name) => name !== "floor")) {
  const [p50, p99] = [0.5, 0.99].map((share) => quantile(woken[name], share).toFixed(1));
  console.log(`| ${name} | ${p50} | ${p99} |`);
}

const size = ({ files }) =>
  Object.values(files).reduce(
    (sum, file) =>
      sum +
      gzipSync(typeof file === "string" ? readFileSync(file) : file.text, { level: 9 }).length,
    0,
  );
console.log(
  "\nWhat is uploaded, kB gzip -9, and ms from the start of the process to the first answer " +
    "(medians of 7)\n",
);
console.log("| | size | start |\n|---|--:|--:|");
for (const name of names) {
  const starts = [];
  for (let n = 0; n < 7; n++) {
    const began = performance.now();
    const server = await serve(TARGETS[name], { cpu: 0, flags: ["--expose-gc"] });
    await send(server.url, "POST", TOKENS, KEY, "{}");
    starts.push(performance.now() - began);
    await server.stop();
  }
  console.log(
    `| ${name} | ${(size(TARGETS[name]) / 1000).toFixed(1)} | ${median(starts).toFixed(0)} |`,
  );
}
process.exit();
