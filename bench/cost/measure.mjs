// A Worker that counts, what is sent to it, and what that takes.
import { once } from "node:events";
import { Agent, createServer, request } from "node:http";
import { cpuOf } from "../../tests/support/measure.mjs";

const FIELDS = ["requests", "alarms", "written", "read", "alarmsSet", "forgotten", "millis"];
export const KINDS = ["token", "key", "index"];

/** Zero of everything that is counted. */
export const nothing = () =>
  Object.fromEntries(
    KINDS.map((kind) => [kind, Object.fromEntries(FIELDS.map((field) => [field, 0]))]),
  );

/** Adds counts to a total. */
export function add(total, counts) {
  for (const kind of KINDS) for (const field of FIELDS) total[kind][field] += counts[kind][field];
}

const agent = new Agent({ keepAlive: true });

/** Sends a request. It counts on the server, and fails if it is answered with another status. */
export function send(server, method, path, { key, body, headers = {}, status = 200 } = {}) {
  server.sent = (server.sent ?? 0) + 1;
  return new Promise((resolve, reject) => {
    const all = { ...(key && { authorization: `Bearer ${key}` }), ...headers };
    if (body !== undefined) all["content-length"] = Buffer.byteLength(body);
    const sent = request(server.url + path, { method, headers: all, agent }, (answer) => {
      let text = "";
      answer.on("data", (chunk) => (text += chunk));
      answer.on("end", () => {
        if (answer.statusCode === status) resolve({ text, headers: answer.headers });
        else reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}

/** Does something so many times, some of them at once. */
export async function each(count, work, together = 16) {
  let next = 0;
  const worker = async () => {
    for (let n = next++; n < count; n = next++) await work(n);
  };
  await Promise.all(Array.from({ length: together }, worker));
}

export async function counts(server) {
  const answer = await fetch(`${server.url}/counts`);
  return answer.json();
}

async function until(ask, done) {
  for (;;) {
    const found = await ask();
    if (done(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Waits until the Worker has forgotten so many tokens. */
export const untilForgotten = (server, count) =>
  until(
    () => counts(server),
    ({ token }) => token.forgotten >= count,
  );

/** Waits until nothing is left to do. */
export const untilIdle = (server) => {
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

/** Counts, requests and CPU (microseconds) while `work` runs. */
export async function measured(server, work) {
  await untilIdle(server);
  const [before, sent, cpu] = [await counts(server), server.sent ?? 0, cpuOf(server.pid)];
  await work();
  await untilIdle(server);
  const after = await counts(server);
  const sums = nothing();
  for (const kind of KINDS)
    for (const field of FIELDS) sums[kind][field] = after[kind][field] - before[kind][field];
  const bytesOf = (found) => Object.fromEntries(KINDS.map((kind) => [kind, found[kind].bytes]));
  return {
    sums,
    sent: server.sent - sent,
    bytesBefore: bytesOf(before),
    bytes: bytesOf(after),
    cpu: cpuOf(server.pid) - cpu,
  };
}

/** A receiver of webhooks that answers after so many milliseconds. `answered` waits for answers. */
export async function receiverOf(millis) {
  const [counts, waiting] = [new Map(), new Map()];
  const answer = ({ url }, response) => {
    response.end();
    const count = (counts.get(url) ?? 0) + 1;
    counts.set(url, count);
    const { wanted, resolve } = waiting.get(url) ?? {};
    if (count === wanted) resolve();
  };
  const server = createServer((message, response) => {
    message.resume();
    setTimeout(answer, millis, message, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  server.unref();
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    answered: (path, wanted) =>
      new Promise((resolve) => {
        waiting.set(path, { wanted, resolve });
        if ((counts.get(path) ?? 0) >= wanted) resolve();
      }),
  };
}
