// `npm run bench:wait`: how soon a waiter is notified of a decision, how soon a list shows a token,
// and how many rows a token's life writes. Measured in `workerd serve` on this machine, which also
// runs the waiters.
import { connect } from "node:net";
import { parseArgs } from "node:util";
import { build } from "../scripts/lib/build.mjs";
import { underNode } from "../scripts/lib/process.mjs";
import { COUNTING } from "../tests/support/counting.mjs";
import { quantile } from "../tests/support/measure.mjs";
import { KEY, serve, waitpoint } from "../tests/support/workerd.mjs";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "100" } } });
const rounds = Number(values.rounds);
underNode(await build("worker"));

const TOKENS = "/api/v1/waitpoints/tokens";
const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };

async function client(worker) {
  const api = (path, body, more) =>
    fetch(worker.url + path, {
      method: body ? "POST" : "GET",
      headers: { ...headers, ...more },
      body: body && JSON.stringify(body),
    });
  return {
    api,
    create: async (fields = {}) => (await api(TOKENS, fields)).json(),
    complete: async (id) => (await api(`${TOKENS}/${id}/complete`, { data: 1 })).arrayBuffer(),
  };
}

/** The headers by which a client waits. */
const WAYS = {
  socket: {
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": Buffer.alloc(16).toString("base64"),
    "sec-websocket-protocol": `waitpoint.v1, bearer.${KEY}`,
  },
  events: { ...headers, accept: "text/event-stream" },
  poll: { ...headers, prefer: "wait=25" },
};

/**
 * A waiter. `ready` resolves when it was told that the token waits, `told` with the time of its
 * end. It is a bare connection: a thousand WebSockets of Node's take longer to read than to send.
 */
function wait(way, worker, id) {
  const { hostname, port } = new URL(worker.url);
  const [ready, told] = [Promise.withResolvers(), Promise.withResolvers()];
  const socket = connect({ host: hostname, port: Number(port) });
  const lines = Object.entries({ host: hostname, ...WAYS[way] }).map((pair) => pair.join(": "));
  socket.write(`GET ${TOKENS}/${id}/wait HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    if (text.includes('"COMPLETED"')) {
      told.resolve(performance.now());
      socket.destroy();
    } else if (text.includes('"WAITING"')) ready.resolve();
  });
  const failed = (error) => {
    for (const { reject } of [ready, told]) reject(error);
  };
  socket.on("error", failed);
  socket.on("end", () => failed(new Error(`the waiter of ${id} by ${way} was told nothing`)));
  // Nothing shows that a poll is held, so it gets some time.
  if (way === "poll") setTimeout(ready.resolve, 1_500);
  return { ready: ready.promise, told: told.promise };
}

const worker = await serve(waitpoint());
const { create, complete, api } = await client(worker);

console.log("\nFrom the request that completes to the waiter's receipt, ms\n");
console.log("| waiters of the token | way | p50 | p99 | n |\n|--:|---|--:|--:|--:|");
for (const waiters of [1, 100, 1000]) {
  for (const way of Object.keys(WAYS)) {
    const times = [];
    const tokens =
      waiters === 1 ? rounds : waiters === 100 ? Math.ceil(rounds / 10) : Math.ceil(rounds / 50);
    for (let n = 0; n < tokens; n += waiters === 1 ? 10 : 1) {
      // A poll takes time to begin, so ten single waiters begin together.
      const together = await Promise.all(
        Array.from({ length: waiters === 1 ? 10 : 1 }, async () => {
          const { id } = await create();
          const all = [];
          for (let at = 0; at < waiters; at += 100) {
            const some = Array.from({ length: Math.min(100, waiters - at) }, () =>
              wait(way, worker, id),
            );
            if (way !== "poll") await Promise.all(some.map(({ ready }) => ready));
            all.push(...some);
          }
          await Promise.all(all.map(({ ready }) => ready));
          return { id, all };
        }),
      );
      for (const { id, all } of together) {
        const began = performance.now();
        await complete(id);
        times.push(...(await Promise.all(all.map(({ told }) => told))).map((at) => at - began));
      }
    }
    const shown = [0.5, 0.99].map((share) => quantile(times, share).toFixed(1));
    console.log(`| ${waiters} | ${way} | ${shown.join(" | ")} | ${times.length} |`);
  }
}

const lags = [];
for (let n = 0; n < rounds; n++) {
  const tag = `lag-${n}`;
  const { id } = await create({ tags: [tag] });
  const began = performance.now();
  while (!(await (await api(`${TOKENS}?filter[tags]=${tag}`)).text()).includes(id));
  lags.push(performance.now() - began);
}
console.log(
  "\nFrom the answer to a create to a list that holds the token: " +
    `p50 ${quantile(lags, 0.5).toFixed(1)} ms, p99 ${quantile(lags, 0.99).toFixed(1)} ms ` +
    `(n = ${rounds})`,
);
await worker.stop();

const counting = await serve(waitpoint({ RETENTION: "1s" }, COUNTING));
const counted = await client(counting);
const rows = async () => (await counted.api("/counts")).json();
const total = (counts) => Object.values(counts).reduce((sum, { written }) => sum + written, 0);
const gone = async (id) => {
  while ((await counted.api(`${TOKENS}/${id}`)).status !== 404)
    await new Promise((resolve) => setTimeout(resolve, 50));
};
console.log(
  "\nRows written in a token's life (each alarm set or deleted is one), of 20 tokens each\n",
);
console.log("| token | created | ended and forgotten | in all |\n|---|--:|--:|--:|");
for (const [what, fields] of Object.entries({
  "without timeout, completed": {},
  "with a timeout, completed": { timeout: "1h" },
  "with an idempotency key, completed": { timeout: "1h", idempotencyKey: "k" },
  "timed out": { timeout: "2s" },
})) {
  const settled = async () => {
    // Work after the response is done when nothing has been written for a while.
    for (let before = -1; ; ) {
      const now = total(await rows());
      if (now === before) return now;
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
  };
  const start = await settled();
  const ids = [];
  for (let n = 0; n < 20; n++) {
    ids.push(
      (
        await counted.create({
          ...fields,
          ...(fields.idempotencyKey && { idempotencyKey: `k${n}` }),
        })
      ).id,
    );
  }
  const created = await settled();
  if (what !== "timed out") for (const id of ids) await counted.complete(id);
  for (const id of ids) await gone(id);
  const forgotten = await settled();
  const each = [created - start, forgotten - created, forgotten - start].map((count) =>
    (count / 20).toFixed(1),
  );
  console.log(`| ${what} | ${each.join(" | ")} |`);
}
await counting.stop();
