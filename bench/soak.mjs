// `npm run soak`: `npm run serve` under a steady load for half an hour. Each token is created with
// a webhook, waited for, read, decided and forgotten. Latency and memory should be at the end what
// they were at the beginning, and nothing may be refused, lost or told twice. `--minutes N`
// (default 30), `--rate N` tokens a second (default 10), `--parts N` of the time that are compared
// (default 6). Linux.
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build } from "../scripts/lib/build.mjs";
import { underNode } from "../scripts/lib/process.mjs";
import { cpuOf, quantile } from "../tests/support/measure.mjs";
import { webhookSecret } from "../tests/support/receiver.mjs";
import { serveCommand } from "../tests/support/serve.mjs";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    rate: { type: "string", default: "10" },
    parts: { type: "string", default: "6" },
  },
});
const [minutes, rate, count] = [values.minutes, values.rate, values.parts].map(Number);
underNode(await build("worker"));

const TOKENS = "/api/v1/waitpoints/tokens";
const KEY = `tr_dev_${crypto.randomUUID()}`;
/** How long a token waits for its decision, and how soon all that follows has come, in ms. */
const DECIDED_AFTER = 2_000;
const TOLD_WITHIN = 60_000;
/** Soon tokens are forgotten as fast as they are made. */
const RETENTION = "2m";

/** Of each token the ids of its webhook's events, how many messages its waiter got, and `hook`. */
const told = new Map();
const receiver = createServer(async (request, response) => {
  const { data } = JSON.parse(Buffer.concat(await Array.fromAsync(request)));
  response.end();
  const heard = told.get(data.id);
  heard?.events.add(request.headers["webhook-id"]);
  heard?.hook();
});
await once(receiver.listen(0, "127.0.0.1"), "listening");
const webhook = { url: `http://127.0.0.1:${receiver.address().port}` };

const storage = mkdtempSync(join(tmpdir(), "waitpoint-soak-"));
const vars = { SECRET_KEYS: KEY, WEBHOOK_SECRET: webhookSecret(), RETENTION };
const server = await serveCommand({ vars }, { storage });
const children = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ");
const workerd = Number(children(server.pid)[0]);
const resident = () =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${workerd}/status`, "utf8"))[1]) / 1_024;

async function send(path, body, bearer = KEY) {
  const answer = await fetch(server.url + path, {
    method: body ? "POST" : "GET",
    headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status} ${text}`);
  return { json: JSON.parse(text), headers: answer.headers };
}

/** Waits for a token: `ready` when the first message has come, `ended` when the second has. */
function wait(id, jwt) {
  const url = `${server.url.replace("http", "ws")}${TOKENS}/${id}/wait`;
  const socket = new WebSocket(url, ["waitpoint.v1", `bearer.${jwt}`]);
  const messages = [Promise.withResolvers(), Promise.withResolvers()];
  const heard = told.get(id);
  socket.addEventListener("message", () => messages[heard.messages++]?.resolve());
  for (const { promise, reject } of messages) {
    socket.addEventListener("error", () => reject(new Error(`the waiter of ${id} was refused`)));
    promise.catch(() => {});
  }
  return { ready: messages[0].promise, ended: messages[1].promise, close: () => socket.close() };
}

const within = (promise, what) =>
  Promise.race([
    promise,
    new Promise((_, reject) => {
      const late = () => reject(new Error(`${what} within ${TOLD_WITHIN} ms`));
      setTimeout(late, TOLD_WITHIN).unref();
    }),
  ]);

/** One token from its creation to its webhook. Its times in milliseconds go to `part`. */
async function live(part) {
  const timed = async (what, work) => {
    const began = performance.now();
    const result = await work();
    part[what].push(performance.now() - began);
    return result;
  };
  const fields = { timeout: "1h", tags: ["soak"], webhook };
  const { json, headers } = await timed("create", () => send(TOKENS, fields));
  const [id, jwt] = [json.id, headers.get("x-trigger-jwt")];
  const hooked = Promise.withResolvers();
  // One delivery may arrive twice, with one id. Two ids would be two events.
  told.set(id, { events: new Set(), messages: 0, hook: hooked.resolve });
  const waiter = wait(id, jwt);
  await within(waiter.ready, `no first message of ${id}`);
  await new Promise((resolve) => setTimeout(resolve, DECIDED_AFTER));
  await timed("retrieve", () => send(`${TOKENS}/${id}`));
  const began = performance.now();
  const completed = timed("complete", () => send(`${TOKENS}/${id}/complete`, { data: id }, jwt));
  await Promise.all([
    completed,
    within(waiter.ended, `${id} was not told to its waiter`).then(() =>
      part.waiter.push(performance.now() - began),
    ),
    within(hooked.promise, `${id} was not told to its webhook`).then(() =>
      part.webhook.push(performance.now() - began),
    ),
  ]);
  waiter.close();
  const { json: token } = await send(`${TOKENS}/${id}`, undefined, jwt);
  if (token.output !== JSON.stringify(id)) throw new Error(`${id} has the output ${token.output}`);
}

const TIMES = ["create", "retrieve", "complete", "waiter", "webhook"];
const failures = [];
const start = (part) =>
  part.lives.push(live(part).catch((error) => void failures.push(error.message)));
const shown = (times) =>
  times.length ? `${quantile(times, 0.5).toFixed(1)} / ${quantile(times, 0.99).toFixed(1)}` : "";

/** Prints the line of a part when the last of its tokens has ended. */
async function print(part, ...figures) {
  await Promise.all(part.lives);
  const cells = [...figures, ...TIMES.map((what) => shown(part[what]))];
  console.log(`| ${cells.join(" | ")} |`);
}

console.log(
  `\n${rate} tokens a second for ${minutes} minutes; times in ms, p50 / p99\n\n` +
    `| until minute | tokens | RSS, MB | CPU a token, µs | ${TIMES.join(" | ")} |\n` +
    `|--:|--:|--:|--:|${TIMES.map(() => "--:|").join("")}`,
);
const began = performance.now();
const printed = [];
for (let n = 1; n <= count; n++) {
  const part = { lives: [], ...Object.fromEntries(TIMES.map((what) => [what, []])) };
  const until = began + (n / count) * minutes * 60_000;
  const [first, cpu] = [performance.now(), cpuOf(workerd)];
  while (performance.now() < until) {
    // A schedule, not a pause after each: a slow server gets no less to do.
    const due = Math.floor(((performance.now() - first) / 1_000) * rate);
    while (part.lives.length <= due) start(part);
    await new Promise((resolve) => setTimeout(resolve, 500 / rate));
  }
  const minute = ((performance.now() - began) / 60_000).toFixed(1);
  const used = (cpuOf(workerd) - cpu) / part.lives.length;
  printed.push(print(part, minute, part.lives.length, resident().toFixed(0), used.toFixed(0)));
}
await Promise.all(printed);
for (const [id, { events, messages }] of told) {
  if (events.size === 1 && messages === 2) continue;
  failures.push(`${id}: ${events.size} events to its webhook, ${messages} messages to its waiter`);
}
console.log(`\n${failures.length} failures`);
for (const failure of failures.slice(0, 20)) console.log(failure);
await server.stop();
rmSync(storage, { recursive: true });
process.exit(failures.length > 0 ? 1 : 0);
