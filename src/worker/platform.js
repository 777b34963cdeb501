// The crossings between wasm and JavaScript. A crossing costs more than what it carries, so each
// function here does in one call what the Worker needs done; no rule of the product lives here.

/** Method, URL and the headers that matter to the method, a line each; an absent header is an empty line. */
export function head({ method, url, headers }) {
  const posts = method === "POST";
  const get = (name, matters = true) => (matters && headers.get(name)) || "";
  return [
    method,
    url,
    get("authorization"),
    get("content-length", posts),
    get("origin"),
    get("if-none-match", !posts),
    get("access-control-request-headers", method === "OPTIONS"),
  ].join("\n");
}

/** The headers of these names, likewise. */
export const headers = (request, names) =>
  names
    .split("\n")
    .map((name) => request.headers.get(name) ?? "")
    .join("\n");

/** Whether this key has used up its share; false where no limit is bound. */
export async function limited(env, binding, key) {
  return !((await env[binding]?.limit({ key })) ?? { success: true }).success;
}

// Bytes of a body that are read though they are not wanted. An answer that leaves before its request
// has come breaks the connection, and the sender hears of that instead of the answer.
const PATIENCE = 4 * 1024 * 1024;

// The platform's own pieces are of 4 KiB, and each costs as much as one of these.
const PIECE = 64 * 1024;

/** The body, or undefined if it is longer than `limit` bytes; no more than that is ever held. */
export async function read(request, limit) {
  if (!request.body) return new Uint8Array(0);
  const chunks = [];
  let size = 0;
  const reader = request.body.getReader({ mode: "byob" });
  for (let room = new Uint8Array(PIECE); ; ) {
    // A sender may make a piece of each byte.
    const { done, value } = await reader.readAtLeast(PIECE, room);
    if (done) break;
    size += value.byteLength;
    if (size > limit + PATIENCE) {
      await reader.cancel();
      return undefined;
    }
    if (size <= limit) chunks.push(value.slice());
    room = new Uint8Array(value.buffer);
  }
  if (size > limit) return undefined;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** The whole body, of whoever is trusted or tells its length. */
export const bytes = async (body) => new Uint8Array(await body.arrayBuffer());

/** Reads a body that nobody has read, unless it is too long for that. */
export async function drain(request) {
  if (request.bodyUsed || Number(request.headers.get("content-length")) > PATIENCE) return;
  await read(request, 0);
}

/** `headers` is name, value, name, value, a line each. No bytes means no body. */
export const respond = (status, headers, bytes, isUsual) =>
  new Response(bytes?.slice(), { status, headers: isUsual ? usual(headers) : pairs(headers) });

// Headers that many responses have are read once: copying them is a third of what making them costs.
const known = new Map();
function usual(text) {
  let headers = known.get(text);
  if (!headers) {
    // Some hold what a client wrote.
    if (text.length > 1_000) return pairs(text);
    if (known.size >= 100) known.clear();
    headers = new Headers(pairs(text));
    known.set(text, headers);
  }
  return headers;
}

/** The same with a stream. */
export const respondStream = (status, headers, body) => new Response(body, { status, headers: pairs(headers) });

function pairs(headers) {
  const lines = headers.split("\n");
  const pairs = [];
  for (let at = 0; at + 1 < lines.length; at += 2) pairs.push([lines[at], lines[at + 1]]);
  return pairs;
}

/** What a message to an object has instead of a body, if it can. Logs of requests leave out what is called secret. */
export const LINE = "waitpoint-secret-message";
/** What brings a waiter's socket to a token's object: the URL that its messages show. */
export const WAITER = "waitpoint-waiter";

/** An object's response; `within` is a limit in milliseconds. */
export async function handOver(env, binding, name, line, body, within) {
  const attempt = () => {
    const init = body ? { method: "POST", body } : { headers: { [LINE]: line } };
    if (within !== undefined) init.signal = AbortSignal.timeout(within);
    return env[binding].getByName(name).fetch("http://object/", init);
  };
  try {
    return await attempt();
  } catch (error) {
    // The object was moved or its code updated. Every command may be sent twice.
    if (!error.retryable || error.overloaded) throw error;
    return attempt();
  }
}

export const tellsOfCompletion = ({ headers }) => headers.get("waitpoint-outcome") === "completed";

/** What an object answers, as bytes. */
export async function ask(env, binding, name, line, body, within) {
  const response = await handOver(env, binding, name, line, body, within);
  if (!response.ok) throw new Error(await response.text());
  return bytes(response);
}

/** A socket to an object, that hears of its token; undefined if there is no such token. */
async function waiter(env, binding, name, url) {
  const headers = { upgrade: "websocket", [WAITER]: url };
  const response = await env[binding].getByName(name).fetch("http://object/", { headers });
  if (response.status === 404) return undefined;
  if (!response.webSocket) throw new Error(`the object answered ${response.status}`);
  return response.webSocket;
}

/** Hands the socket to whoever asked for one. */
export async function waitBySocket(env, binding, name, url, protocol) {
  const webSocket = await waiter(env, binding, name, url);
  const headers = protocol ? { "sec-websocket-protocol": protocol } : {};
  return webSocket && new Response(null, { status: 101, webSocket, headers });
}

/** Resolves when the token is finished or after `millis`; false if there is no such token. */
export async function waitUntil(env, binding, name, millis) {
  const socket = await waiter(env, binding, name, "");
  if (!socket) return false;
  socket.accept();
  let timer;
  await new Promise((resolve) => {
    // The object closes after the final message, and when it has to go.
    socket.addEventListener("close", resolve);
    socket.addEventListener("error", resolve);
    timer = setTimeout(resolve, millis);
  });
  clearTimeout(timer);
  close(socket);
  return true;
}

const PING_EVERY = 15_000;

/**
 * The token as Server-Sent Events until it is finished. An event's id is the token's version, as in its ETag (api.rs); what
 * the client says it has seen is not said again.
 */
export async function waitByEvents(env, binding, name, url, seen) {
  const socket = await waiter(env, binding, name, url);
  if (!socket) return undefined;
  const encoder = new TextEncoder();
  let ping;
  const end = () => {
    clearInterval(ping);
    close(socket);
  };
  const body = new ReadableStream({
    start(stream) {
      const send = (text) => stream.enqueue(encoder.encode(text));
      send("retry: 2000\n\n");
      socket.addEventListener("message", ({ data }) => {
        // Read, not searched for: what a token asks may hold the same words.
        const id = JSON.parse(data).status === "WAITING" ? "v1" : "v2";
        if (id !== seen) send(`event: token\nid: ${id}\ndata: ${data}\n\n`);
      });
      const over = () => {
        end();
        try {
          stream.close();
        } catch {
          // It was cancelled.
        }
      };
      socket.addEventListener("close", over);
      socket.addEventListener("error", over);
      ping = setInterval(() => send(": still waiting\n\n"), PING_EVERY);
      socket.accept();
    },
    cancel: end,
  });
  return body;
}

function close(socket) {
  try {
    socket.close(1000);
  } catch {
    // It is closed already.
  }
}

// A message is a token as JSON; its url, which differs by waiter, goes in here.
const URL_HERE = '"https://url.invalid/"';
const message = (json, url) => json.replace(URL_HERE, () => JSON.stringify(url));

/**
 * Takes a waiter's socket and tells it how the token stands. While the token waits the socket hibernates: it costs
 * nothing, and outlives the object's memory.
 */
export function admit(state, url, json, final) {
  const [client, server] = Object.values(new WebSocketPair());
  if (final) {
    server.accept();
    server.send(message(json, url));
    server.close(1000, "finished");
  } else {
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
    state.acceptWebSocket(server);
    server.serializeAttachment(url);
    server.send(message(json, url));
  }
  return new Response(null, { status: 101, webSocket: client });
}

/** Answers a waiter's close, as the protocol wants it. */
export const farewell = (socket) => close(socket);

export const waiters = (state) => state.getWebSockets().length;

/** Tells every waiter that the token is finished, and lets it go. */
export function wake(state, json) {
  for (const socket of state.getWebSockets()) {
    try {
      socket.send(message(json, socket.deserializeAttachment()));
      socket.close(1000, "finished");
    } catch {
      // It left in this very moment.
    }
  }
}

// A record of any length lies in chunks, since SQLite holds at most 2 MB a row. The last chunk is
// never full, empty if need be, so it tells the end.
const CHUNK = 1_900_000;
const FIRST = "token";
const key = (index) => (index === 0 ? FIRST : `token/${index}`);

export function load(state) {
  const { kv } = state.storage;
  const first = kv.get(FIRST);
  if (first === undefined || first.byteLength < CHUNK) return first;
  const chunks = [first];
  while (chunks.at(-1).byteLength === CHUNK) chunks.push(kv.get(key(chunks.length)));
  const whole = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.byteLength, 0));
  chunks.reduce((at, chunk) => (whole.set(chunk, at), at + chunk.byteLength), 0);
  return whole;
}

/**
 * Writes the record, and the alarm (milliseconds since the epoch; null for none, undefined for the one that there is). A write
 * that fails leaves those before it in place, so they come in an order in which that does no harm: an alarm too many finds
 * nothing to do, a chunk too many is read by nobody, and the first chunk, last, makes it all true.
 */
export function save(state, bytes, alarm) {
  const { kv } = state.storage;
  const set = alarm !== undefined ? setAlarm(state, alarm) : undefined;
  for (let index = Math.floor(bytes.length / CHUNK); index >= 0; index--) {
    kv.put(key(index), bytes.slice(index * CHUNK, (index + 1) * CHUNK));
  }
  return set ? set.then(() => written(state)) : written(state);
}

/** Resolves when all that was written is durable. */
export const written = (state) => state.storage.sync();

export async function setAlarm(state, alarm) {
  if (alarm == null) await state.storage.deleteAlarm();
  else await state.storage.setAlarm(alarm);
}

/** Sets the alarm unless there is a sooner one. */
export async function alarmBy(state, alarm) {
  const at = await state.storage.getAlarm();
  if (at === null || at > alarm) await state.storage.setAlarm(alarm);
}

export async function alarmUnlessSet(state, alarm) {
  if ((await state.storage.getAlarm()) === null) await state.storage.setAlarm(alarm);
}

// Rows on their way to a month of the index, by its name. All objects of the isolate share this, so nothing that belongs to one
// request lies here: a timer is an object's, and goes with it. So the first few who bring a row set one each, and after trouble
// everybody; the first to ring sends them all.
const gathered = new Map();
const TIMERS = 3;
// When each month was last sent some.
const sent = new Map();
// In milliseconds: how long rows are gathered, how far apart a month is sent some, and how old they are when whoever comes with another
// takes them along: their timer has gone by then, or waits to try again.
const GATHER = 20;
const APART = 100;
const ORPHANED = 200;
const MOST_ROWS = 1_000;
const MOST_ATTEMPTS = 10;

export function gather(env, binding, name, row) {
  const batch = gathered.get(name);
  if (!batch) collect(env, binding, name, [row], 0);
  else if (Date.now() > batch.due + ORPHANED) {
    // Whoever had given up leaves one attempt to each that comes later.
    collect(env, binding, name, [...batch.rows, row], Math.min(batch.attempt, MOST_ATTEMPTS - 1));
  } else {
    if (batch.rows.length < MOST_ROWS) batch.rows.push(row);
    if (batch.timers < TIMERS || batch.attempt > 0) ring(env, binding, name, batch);
  }
}

function ring(env, binding, name, batch) {
  batch.timers += 1;
  setTimeout(() => send(env, binding, name, batch), Math.max(0, batch.due - Date.now()));
}

/** Sends these rows soon, or later if that has failed; what is too much comes with the tokens' next alarms. */
function collect(env, binding, name, rows, attempt) {
  const now = Date.now();
  const soon = Math.min(APART, Math.max(GATHER, (sent.get(name) ?? 0) + APART - now));
  const pause = attempt === 0 ? soon : Math.min(1_000 * 2 ** attempt, 60_000);
  const batch = { rows: rows.slice(-MOST_ROWS), due: now + pause, attempt, timers: 0 };
  gathered.set(name, batch);
  if (attempt < MOST_ATTEMPTS) ring(env, binding, name, batch);
}

async function send(env, binding, name, batch) {
  // They are sent, or another has taken them along.
  if (gathered.get(name) !== batch) return;
  gathered.delete(name);
  sent.set(name, Date.now());
  try {
    await ask(env, binding, name, "", new TextEncoder().encode(`{"put":[${batch.rows}]}`), 10_000);
  } catch (reason) {
    error("the index was not reached; it will be told again", reason);
    const later = gathered.get(name);
    collect(env, binding, name, [...batch.rows, ...(later?.rows ?? [])], batch.attempt + 1);
  }
}

export const get = (state, key) => state.storage.kv.get(key);
export const remove = (state, key) => void state.storage.kv.delete(key);
export const put = (state, key, text) => state.storage.kv.put(key, text);

/** Reads the cursor to its end: one that is not would break the object. */
export function sql(state, statement, bindings) {
  return JSON.stringify(state.storage.sql.exec(statement, ...JSON.parse(bindings)).raw().toArray());
}

export async function dissolve(state, env, binding, name, body) {
  // An exception in there would reset the object, and with it the next alarm.
  const why = await state.blockConcurrencyWhile(async () => {
    try {
      await ask(env, binding, name, "", body, 10_000);
      await state.storage.deleteAll();
    } catch (error) {
      return error;
    }
  });
  if (why) throw why;
}

// What belongs to one connection or to one's own cookies, and what the platform sets anew.
const CONNECTION = /^(connection|keep-alive|te|trailer|transfer-encoding|upgrade|proxy-.*|host|content-length|accept-encoding|cookie)$/;
// What an answer says of its encoding and to browsers: said anew here.
const ANSWER =
  /^(connection|keep-alive|transfer-encoding|content-(length|encoding)|access-control-.*|strict-transport-security|x-robots-tag|x-content-type-options|etag|set-cookie)$/;
/** What a relay sends, so that one that leads to itself is noticed. */
export const HOP = "waitpoint-relay";

// In bytes. An answer holds an output of 3 MiB at most, as a JSON string.
const LONGEST_ANSWER = 8 * 1024 * 1024;

const without = (headers, names) => [...headers].filter(([name]) => !names.test(name));

export async function pass(request, url) {
  const socket = request.headers.get("upgrade") === "websocket";
  const headers = new Headers(without(request.headers, CONNECTION));
  if (socket) headers.set("upgrade", "websocket");
  headers.set(HOP, "1");
  const { method, body } = request;
  const response = await fetch(url, { method, headers, body, redirect: "manual" });
  if (socket) return response;
  const answer = new Response(response.body, response);
  for (const name of ["connection", "keep-alive", "transfer-encoding", "set-cookie"]) answer.headers.delete(name);
  return answer;
}

export async function relay(like, url, bearer, body, within) {
  const headers = new Headers(like ? without(like.headers, CONNECTION) : []);
  headers.delete("if-none-match");
  headers.set(HOP, "1");
  if (bearer) headers.set("authorization", `Bearer ${bearer}`);
  const signal = AbortSignal.timeout(within);
  const init = { method: body ? "POST" : "GET", headers, body, redirect: "manual", signal };
  const response = await fetch(url, init);
  const answer = await read(response, LONGEST_ANSWER);
  if (!answer) throw new Error("upstream answered more than is read");
  return [response.status, without(response.headers, ANSWER).flat().join("\n"), new TextDecoder().decode(answer)];
}

/** `<status> <pause> <outcome>`: the receiver's `Retry-After` in milliseconds, and its `waitpoint-outcome`, if it has them. */
export async function post(url, headers, body, within) {
  const signal = AbortSignal.timeout(within);
  const response = await fetch(url, { method: "POST", headers: pairs(headers), body, redirect: "manual", signal });
  await response.body?.cancel();
  const after = response.headers.get("retry-after") ?? "";
  const reset = response.status === 429 ? response.headers.get("x-ratelimit-reset") : null;
  const pause = /^\d+$/.test(after) ? after * 1000 : (after ? Date.parse(after) : (reset ?? NaN)) - Date.now();
  const outcome = response.headers.get("waitpoint-outcome") ?? "";
  return `${response.status} ${isNaN(pause) ? "" : Math.max(0, Math.round(pause))} ${outcome}`;
}

/** Leaves nothing of the object, its alarm included. */
export const forget = async (state) => state.storage.deleteAll();

export const name = (state) => state.id.name ?? "";
// What settings.rs reads.
const SETTINGS = ["SECRET_KEYS", "UPSTREAM", "WEBHOOK_URL", "WEBHOOK_SECRET", "RETENTION"];
const editions = [];
let last = 0;
export function edition(env) {
  const isOf = (values) => SETTINGS.every((name, at) => env[name] === values[at]);
  if (last < editions.length && isOf(editions[last])) return last;
  last = editions.findIndex(isOf);
  if (last < 0) last = editions.push(SETTINGS.map((name) => env[name])) - 1;
  return last;
}

export const setting = (env, binding) => (typeof env[binding] === "string" ? env[binding] : "");
export const unique = () => crypto.randomUUID();
export const log = (line) => console.log(line);
export const error = (line, cause) => console.error(line, String(cause?.message ?? cause));
