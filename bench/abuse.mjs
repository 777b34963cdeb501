// `npm run abuse`: what abuse costs, and what somebody who behaves notices of it. Each flood meets
// a fresh `workerd serve` on one core; on the other are the flood and a good client, who creates,
// completes and reads a token over and over. `--seconds N` a flood (default 4), `--only text` those
// whose name holds it. It fails if the isolate holds more than 64 MB after a flood, if a request
// costs more than a second of CPU, or if the good client waits for more than ten. Linux.
import { execFileSync } from "node:child_process";
import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import { parseArgs } from "node:util";
import { build } from "../scripts/lib/build.mjs";
import { underNode } from "../scripts/lib/process.mjs";
import {
  controls,
  escapes,
  invalidForm,
  manyNames,
  markup,
  nested,
  objects,
} from "../tests/support/hostile.mjs";
import { cpuOf, quantile } from "../tests/support/measure.mjs";
import { MOST_MB, memoryOf } from "../tests/support/memory.mjs";
import { KEY, serve, waitpoint } from "../tests/support/workerd.mjs";

const { values } = parseArgs({
  options: { seconds: { type: "string", default: "4" }, only: { type: "string", default: "" } },
});
const seconds = Number(values.seconds);
underNode(await build("worker"));
execFileSync("taskset", ["-cp", "1", String(process.pid)], { stdio: "ignore" });

const TOKENS = "/api/v1/waitpoints/tokens";

// Limits in the Worker itself, in place of the platform's bindings, which count in another process.
const LIMITED = `
  import * as built from "./index.js";
  const limiter = (most, seconds) => {
    const counts = new Map();
    let period = 0;
    return {
      async limit({ key }) {
        const now = Math.floor(Date.now() / 1000 / seconds);
        if (now !== period) (counts.clear(), (period = now));
        counts.set(key, (counts.get(key) ?? 0) + 1);
        return { success: counts.get(key) <= most };
      },
    };
  };
  const limits = { TOKEN_LIMIT: limiter(2000, 10), ENVIRONMENT_LIMIT: limiter(5000, 10), ADDRESS_LIMIT: limiter(1000, 60) };
  export default { fetch: (request, env, context) => built.default.fetch(request, { ...env, ...limits }, context) };
  export const { TokenObject, KeyObject, IndexObject } = built;`;

/** One request by a connection of the agent: status and body; 0 if the connection broke. */
function send(server, method, path, { key, body, headers = {}, agent, chunked } = {}) {
  return new Promise((resolve) => {
    const all = { ...(key && { authorization: `Bearer ${key}` }), ...headers };
    if (body !== undefined && !chunked) all["content-length"] = Buffer.byteLength(body);
    const sent = request(server.url + path, { method, headers: all, agent }, (answer) => {
      let text = "";
      answer.on("data", (chunk) => (text += chunk));
      answer.on("end", () => resolve({ status: answer.statusCode, text, headers: answer.headers }));
      answer.on("error", () => resolve({ status: 0, text }));
    });
    sent.on("error", () => resolve({ status: 0, text: "" }));
    sent.end(body);
  });
}

async function create(server, agent) {
  const { status, text, headers } = await send(server, "POST", TOKENS, {
    key: KEY,
    body: '{"timeout":"1h"}',
    agent,
  });
  if (status !== 200) throw new Error(`a good client was told ${status} ${text}`);
  const { id, url } = JSON.parse(text);
  return {
    id,
    path: `${TOKENS}/${id}`,
    page: new URL(url).pathname,
    jwt: headers["x-trigger-jwt"],
  };
}

/**
 * A good client's round: milliseconds of its three requests. Anything but the right answer is an
 * error.
 */
async function goodRound(server, agent) {
  const began = performance.now();
  const { path, jwt } = await create(server, agent);
  const completed = await send(server, "POST", `${path}/complete`, {
    key: jwt,
    body: '{"data":"good"}',
    agent,
  });
  const read = await send(server, "GET", path, { key: jwt, agent });
  if (
    completed.headers["waitpoint-outcome"] !== "completed" ||
    JSON.parse(read.text).output !== '"good"'
  ) {
    throw new Error(
      `a good client was told ${completed.status} ${completed.text}, ${read.status} ${read.text}`,
    );
  }
  return performance.now() - began;
}

const sign = (scopes) => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    sub: "default",
    pub: true,
    scopes,
    iss: "https://id.trigger.dev",
    aud: "https://api.trigger.dev",
    exp: now + 900,
    iat: now,
  };
  const text = `${part({ alg: "HS256" })}.${part(claims)}`;
  return `${text}.${createHmac("sha256", KEY).update(text).digest("base64url")}`;
};
const anyJwt = sign(["read:waitpoints", "write:waitpoints"]);
const forged = (jwt) =>
  `${jwt.slice(0, jwt.lastIndexOf("."))}.${randomBytes(32).toString("base64url")}`;
const madeUp = () => `waitpoint_c${randomUUID().replaceAll("-", "").slice(0, 24)}`;

/**
 * A body that comes a byte at a time, until the flood ends; what was answered then, if anything.
 */
function trickle({ server, token, ended }) {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    let said = "";
    socket.on("data", (data) => (said += data));
    socket.on("error", () => {});
    socket.write(
      `POST ${token.path}/complete HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${token.jwt}\r\ncontent-length: 100000\r\n\r\n{`,
    );
    const timer = setInterval(() => socket.write(" "), 100);
    ended.then(() => {
      clearInterval(timer);
      socket.destroy();
      resolve({ status: said ? Number(said.split(" ")[1]) : "no answer" });
    });
  });
}

/** Headers that never end. */
function slowloris({ server, ended }) {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    socket.write(`GET / HTTP/1.1\r\nhost: ${hostname}\r\n`);
    const timer = setInterval(() => socket.write("x-more: 1\r\n"), 100);
    ended.then(() => {
      clearInterval(timer);
      socket.destroy();
      resolve({ status: "no answer" });
    });
  });
}

/** Opened, told that the token waits, and left without a word. */
function leave({ server, token }) {
  return new Promise((resolve) => {
    const headers = {
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": randomBytes(16).toString("base64"),
    };
    const sent = request(`${server.url}${token.path}/wait`, {
      headers: { ...headers, authorization: `Bearer ${token.jwt}` },
    });
    sent.on("upgrade", (answer, socket, first) => {
      const gone = () => {
        socket.destroy();
        resolve({ status: answer.statusCode });
      };
      socket.on("error", () => {});
      first.length ? gone() : socket.once("data", gone);
    });
    sent.on("response", (answer) => resolve({ status: answer.statusCode }));
    sent.on("error", () => resolve({ status: 0 }));
    sent.end();
  });
}

/** A body whose every byte is a chunk of its own. */
function crumbs({ server, token }) {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    const over = (status) => {
      socket.destroy();
      resolve({ status });
    };
    socket.on("data", (data) => over(Number(String(data).split(" ")[1])));
    socket.on("error", () => over(0));
    socket.write(
      `POST ${token.path}/complete HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer nobody\r\ntransfer-encoding: chunked\r\n\r\n`,
    );
    socket.write(`${"1\r\n \r\n".repeat(200_000)}0\r\n\r\n`);
  });
}

/**
 * A long poll that is left as soon as it is sent. A connection that is reset has gone; one of which
 * only the client's side has ended may still be read from, so the poll is held until its time is
 * over.
 */
const abandon =
  (leave) =>
  ({ server, token }) => {
    return new Promise((resolve) => {
      const { hostname, port } = new URL(server.url);
      const socket = connect(Number(port), hostname);
      socket.on("error", () => resolve({ status: 0 }));
      const head = `GET ${token.path}/wait HTTP/1.1\r\nhost: ${hostname}\r\nprefer: wait=25\r\nauthorization: Bearer ${token.jwt}\r\n\r\n`;
      const goAway = () => {
        socket[leave]();
        resolve({ status: "left" });
      };
      socket.write(head, () => setTimeout(goAway, 1));
    });
  };

/** Asks for an output of 3 MB and reads no more than its beginning. */
function stall({ server, large, ended }) {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    socket.write(
      `GET ${large.path} HTTP/1.1\r\nhost: ${hostname}\r\nauthorization: Bearer ${large.jwt}\r\n\r\n`,
    );
    ended.then(() => {
      socket.destroy();
      resolve({ status: "not read" });
    });
  });
}

/**
 * Decides upstream and here, each with megabytes that differ in their end; the object compares them
 * afterwards.
 */
async function disagree({ ask, server, upstream, agent }) {
  const { path, jwt } = await create(server, agent);
  await send(upstream, "POST", `${path}/complete`, { key: KEY, body: `{"data":${objects(1)}}` });
  return ask("POST", `${path}/complete`, { key: jwt, body: `{"data":${objects(0)}}` });
}

/** A token that was completed with this body of a machine's POST to its link. */
const completed =
  (body, type = "text/plain") =>
  async ({ server, agent }) => {
    const large = await create(server, agent);
    const { status, text } = await send(server, "POST", large.page, {
      body,
      agent,
      headers: { "content-type": type },
    });
    if (status !== 200) throw new Error(`an output was answered ${status} ${text}`);
    return { large };
  };

/** Tokens with as many tags as one can have; a list looks at each. */
async function tagged({ server, agent }) {
  const body = JSON.stringify({ timeout: "1h", tags: [..."abcdefghij"] });
  for (let n = 0; n < 2_000; n++) await send(server, "POST", TOKENS, { key: KEY, body, agent });
  await pause(500);
  return {};
}
const list =
  (query) =>
  ({ ask }) =>
    ask("GET", `${TOKENS}?${query}`, { key: KEY });
const tags = Array.from({ length: 3_500 }, (_, n) => `t${n.toString(36)}`);

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const HTML = { accept: "text/html" };
const again =
  (body, headers) =>
  ({ ask, done }) =>
    ask("POST", `${done.path}/complete`, { key: done.jwt, body, headers });
const toLink =
  (body, headers) =>
  ({ ask, done }) =>
    ask("POST", done.page, { body, headers });

const big = Buffer.alloc(3 * 1024 * 1024 + 1, "x");
// Local workerd holds two files open for each object, for ten seconds; a process may have 20,000
// here.
const MOST_OBJECTS = 4_000;
const FLOODS = {
  "wrong keys": ({ ask }) =>
    ask("POST", TOKENS, { key: `tr_prod_${randomBytes(12).toString("hex")}`, body: "{}" }),
  "forged JWTs": ({ ask, token }) =>
    ask("POST", `${token.path}/complete`, { key: forged(token.jwt), body: '{"data":1}' }),
  "forged JWTs of 4 kB": ({ ask, token }) =>
    ask("POST", `${token.path}/complete`, { key: forged(`e30.${"A".repeat(4000)}.x`), body: "{}" }),
  "JWTs of 15 kB": ({ ask, token }) =>
    ask("POST", `${token.path}/complete`, {
      key: forged(`e30.${"A".repeat(15_000)}.x`),
      body: "{}",
    }),
  "wrong links": ({ ask, token }) =>
    ask("GET", `${token.path}/callback/${forged(token.jwt)}`, { headers: { accept: "text/html" } }),
  "headers of 50 kB": ({ ask, token }) =>
    ask("GET", token.path, { key: token.jwt, headers: { "x-long": "x".repeat(50_000) } }),
  "headers of 1 MB": ({ ask, token }) =>
    ask("GET", token.path, { key: token.jwt, headers: { "x-long": "x".repeat(1_000_000) } }),
  "URLs of 15 kB": ({ ask }) => ask("GET", `/${"a".repeat(15_000)}?${"b".repeat(500)}`),
  "bodies that are too long": ({ ask, token }) =>
    ask("POST", `${token.path}/complete`, { key: token.jwt, body: big }),
  "the same in chunks": ({ ask, token }) =>
    ask("POST", `${token.path}/complete`, { key: token.jwt, body: big, chunked: true }),
  "3 MB with a wrong key": ({ ask, token }) =>
    ask("POST", `${token.path}/complete`, { key: "x".repeat(30), body: big }),
  "a finished token again": ({ ask, done }) =>
    ask("POST", `${done.path}/complete`, { key: done.jwt, body: '{"data":1}' }),
  "3 MB to a finished token": ({ ask, done }) =>
    ask("POST", `${done.path}/complete`, {
      key: done.jwt,
      body: JSON.stringify({ data: "x".repeat(3_000_000) }),
    }),
  "made-up tokens read": {
    most: MOST_OBJECTS,
    flood: ({ ask }) => ask("GET", `${TOKENS}/${madeUp()}`, { key: anyJwt }),
  },
  "made-up tokens completed": {
    most: MOST_OBJECTS,
    flood: ({ ask }) =>
      ask("POST", `${TOKENS}/${madeUp()}/complete`, { key: anyJwt, body: '{"data":1}' }),
  },
  "waiters that leave": leave,
  "pages fetched": ({ ask, token }) => ask("GET", token.page, { headers: { accept: "text/html" } }),
  "pages by HEAD": ({ ask, token }) => ask("HEAD", token.page),
  "bodies that trickle": { together: 200, flood: trickle },
  "headers that never end": { together: 200, flood: slowloris },
  "1,000 headers": ({ ask, token }) =>
    ask("GET", token.path, {
      key: token.jwt,
      headers: Object.fromEntries(tags.slice(0, 1_000).map((name) => [`x-${name}`, "1"])),
    }),
  "small bodies in chunks": ({ ask, done }) =>
    ask("POST", `${done.path}/complete`, { key: done.jwt, body: '{"data":1}', chunked: true }),
  "bytes in chunks of their own": { together: 4, requests: 4, warm: 0, flood: crumbs },
  "long polls that leave at once": {
    requests: 10_000,
    warm: 0,
    settle: 2_000,
    flood: abandon("resetAndDestroy"),
  },
  "long polls that end their side at once": {
    requests: MOST_OBJECTS,
    warm: 0,
    settle: 2_000,
    flood: abandon("destroy"),
  },
  "answers of 3 MB that nobody reads": {
    together: 100,
    prepare: completed("x".repeat(3_000_000)),
    flood: stall,
  },
  "3 MB of [": { warm: 1, flood: again(nested) },
  "3 MB of escapes": { warm: 1, flood: again(escapes) },
  "3 MB of multipart": {
    warm: 1,
    flood: toLink(big.subarray(1), { "content-type": "multipart/form-data; boundary=x" }),
  },
  "forms of 786,430 names": { warm: 1, flood: toLink(manyNames, FORM) },
  "forms of control characters": {
    warm: 1,
    flood: toLink(Buffer.concat([Buffer.from("a="), controls]).subarray(0, controls.length), FORM),
  },
  "forms that are not UTF-8": { warm: 1, flood: toLink(invalidForm, { ...FORM, ...HTML }) },
  "an output of control characters read": {
    together: 4,
    warm: 1,
    prepare: completed(controls.subarray(0, 1024 * 1024 - 1)),
    flood: ({ ask, large }) => ask("GET", large.path, { key: large.jwt }),
  },
  "the page of a comment of 3 MB": {
    together: 4,
    warm: 1,
    prepare: completed(markup, "application/json"),
    flood: ({ ask, large }) => ask("GET", large.page, { headers: HTML }),
  },
  "lists of 3,500 tags": {
    together: 2,
    warm: 0,
    prepare: tagged,
    flood: list(`filter[tags]=${tags}`),
  },
  "lists of a tag of 14 kB": {
    together: 2,
    warm: 0,
    prepare: tagged,
    flood: list(`filter[tags]=${"x".repeat(14_000)}`),
  },
  "relay: two outputs of 3 MB that differ": {
    together: 2,
    warm: 0,
    settle: 3_000,
    relays: true,
    flood: disagree,
  },
  "relay: an output of control characters": {
    together: 2,
    warm: 0,
    relays: true,
    flood: ({ ask, token }) => ask("POST", token.page, { body: controls }),
  },
};
// The same with limits.
for (const name of [
  "wrong keys",
  "wrong links",
  "a finished token again",
  "3 MB to a finished token",
  "made-up tokens read",
]) {
  FLOODS[`${name}, limited`] = { flood: FLOODS[name].flood ?? FLOODS[name], wrap: LIMITED };
}

/** What went beyond a bound. */
const failures = [];
// Microseconds of CPU a request; milliseconds that a good client waits for its three answers.
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
  // Both are warm before anything is measured.
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
  return `| ${name} | ${count} | ${shown.join(", ")} | ${Math.max(0, cpuEach).toFixed(0)} | ${grown.toFixed(0)} | ${memory.wasm.toFixed(0)} / ${memory.heap.toFixed(0)} | ${ms(before)} | ${ms(during)} |`;
}

console.log(
  `\nFloods of ${seconds} s, 16 at a time (200 for those that are slow, fewer of what is large), beside a good client that does one thing after the other\n`,
);
console.log(
  "| flood | requests | answers | CPU of workerd a request, µs | workerd grew by, MB | wasm / heap of the isolate after it, MB | good client's round before, p50 / p99 ms | during |\n|---|--:|---|--:|--:|--:|--:|--:|",
);
for (const [name, entry] of Object.entries(FLOODS))
  if (name.includes(values.only)) console.log(await measure(name, entry));

// What the question costs where nobody floods: the same reads with no limit bound, and with one
// that is asked each time, as happens from a credential's hundred-and-first request in ten seconds
// on.
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
