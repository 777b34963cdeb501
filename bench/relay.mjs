// `npm run bench:relay`: how long a click takes through a relay, and directly at an upstream that
// is slow to respond. Both are this Worker in `workerd serve`. `--delay N` milliseconds (default
// 2,000), `--rounds N` (default 20).

import { once } from "node:events";
import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { build } from "../scripts/lib/build.mjs";
import { underNode } from "../scripts/lib/process.mjs";
import { quantile } from "../tests/support/measure.mjs";
import { KEY, serve, waitpoint } from "../tests/support/workerd.mjs";

const { values } = parseArgs({
  options: {
    delay: { type: "string", default: "2000" },
    rounds: { type: "string", default: "20" },
  },
});
const [delay, rounds] = [Number(values.delay), Number(values.rounds)];
underNode(await build("worker"));

const upstream = await serve(waitpoint());
const slow = createServer(async (request, response) => {
  const body = Buffer.concat(await Array.fromAsync(request));
  await new Promise((resolve) => setTimeout(resolve, slow.delay));
  const { host, connection, "content-length": _, ...headers } = request.headers;
  const init = { method: request.method, headers, body: body.length ? body : undefined };
  const answer = await fetch(upstream.url + request.url, init).catch(() => undefined);
  // At the end the relay may still be about to deliver the last decision.
  if (!answer) return request.socket.destroy();
  response
    .writeHead(answer.status, { "content-type": "application/json" })
    .end(await answer.text());
});
slow.delay = 0;
await once(slow.listen(0, "127.0.0.1"), "listening");
const behind = `http://127.0.0.1:${slow.address().port}`;
const relay = await serve(waitpoint({ UPSTREAM: behind }));

const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
const post = async (url, body) =>
  (await fetch(url, { method: "POST", headers, body: JSON.stringify(body) })).json();
const tokens = "/api/v1/waitpoints/tokens";
const times = { "straight at upstream": [], "through the relay": [] };
for (const delayed of [0, delay]) {
  slow.delay = delayed;
  for (const all of Object.values(times)) all.length = 0;
  for (let n = 0; n < rounds; n++) {
    for (const [way, origin] of [
      ["straight at upstream", behind],
      ["through the relay", relay.url],
    ]) {
      const { id } = await post(upstream.url + tokens, {});
      const began = performance.now();
      await post(`${origin}${tokens}/${id}/complete`, { data: 1 });
      times[way].push(performance.now() - began);
    }
  }
  console.log(
    `\nUpstream takes ${delayed} ms more for each answer; a click takes, ms (n = ${rounds})\n\n` +
      "| | p50 | p99 |\n|---|--:|--:|",
  );
  for (const [way, all] of Object.entries(times)) {
    console.log(
      `| ${way} | ${[0.5, 0.99].map((share) => quantile(all, share).toFixed(1)).join(" | ")} |`,
    );
  }
}
await Promise.all([relay.stop(), upstream.stop()]);
slow.closeAllConnections();
slow.close();
