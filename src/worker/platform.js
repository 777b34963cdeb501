// The crossings between wasm and JavaScript. A crossing costs more than what it carries, so each
// function here does in one call what the Worker needs done; no rule of the product lives here.

const HEADERS = [
  "authorization",
  "content-type",
  "content-length",
  "origin",
  "if-none-match",
  "access-control-request-headers",
  "x-trigger-request-idempotency-key",
];

/** Method, URL and the headers above, a line each; an absent header is an empty line. */
export function head(request) {
  let text = `${request.method}\n${request.url}`;
  for (const name of HEADERS) text += `\n${request.headers.get(name) ?? ""}`;
  return text;
}

const OF_LINKS = ["accept", "accept-language", "sec-fetch-site", "sec-fetch-mode", "cf-visitor"];

/** What matters of a request to a token.url besides, likewise. */
export function linkHead(request) {
  return OF_LINKS.map((name) => request.headers.get(name) ?? "").join("\n");
}

/** Whether this key has used up its share; false where no limit is bound. */
export async function limited(env, binding, key) {
  return !((await env[binding]?.limit({ key })) ?? { success: true }).success;
}

// Bytes of a body that are read though they are not wanted. An answer that leaves before its request
// has come breaks the connection, and the sender hears of that instead of the answer.
const PATIENCE = 4 * 1024 * 1024;

/** The body, or undefined if it is longer than `limit` bytes; no more than that is ever held. */
export async function read(request, limit) {
  if (!request.body) return new Uint8Array(0);
  const chunks = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > limit + PATIENCE) return undefined;
    if (size <= limit) chunks.push(chunk);
  }
  if (size > limit) return undefined;
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** Reads a body that nobody has read, unless it is too long for that. */
export async function drain(request) {
  if (!request.body || request.bodyUsed) return;
  if (Number(request.headers.get("content-length")) > PATIENCE) return;
  // A body sent in chunks tells no length.
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > PATIENCE) return;
  }
}

/** `headers` is name, value, name, value, a line each. No bytes means no body. */
export function respond(status, headers, bytes) {
  const lines = headers.split("\n");
  const init = { status, headers: [] };
  for (let at = 0; at + 1 < lines.length; at += 2) init.headers.push([lines[at], lines[at + 1]]);
  return new Response(bytes?.slice(), init);
}

/** Sends bytes to an object and resolves with the bytes it answers. */
export async function ask(env, binding, name, body) {
  const attempt = async () => {
    const stub = env[binding].getByName(name);
    const response = await stub.fetch("http://object/", { method: "POST", body });
    if (!response.ok) throw new Error(await response.text());
    return new Uint8Array(await response.arrayBuffer());
  };
  try {
    return await attempt();
  } catch (error) {
    // The object was moved or its code updated. Every command may be sent twice.
    if (!error.retryable || error.overloaded) throw error;
    return attempt();
  }
}

// A record of any length lies in chunks, since SQLite holds at most 2 MB a row. The last chunk is
// never full, empty if need be, so it tells the end.
const CHUNK = 1_900_000;
const key = (index) => (index === 0 ? "token" : `token/${index}`);

export function load(state) {
  const { kv } = state.storage;
  const first = kv.get(key(0));
  if (first === undefined || first.byteLength < CHUNK) return first;
  const chunks = [first];
  while (chunks.at(-1).byteLength === CHUNK) chunks.push(kv.get(key(chunks.length)));
  const whole = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.byteLength, 0));
  chunks.reduce((at, chunk) => (whole.set(chunk, at), at + chunk.byteLength), 0);
  return whole;
}

/**
 * Writes the record and the alarm (milliseconds since the epoch). A write that fails leaves those
 * before it in place, so they come in an order in which that does no harm: an alarm too many finds
 * nothing to do, a chunk too many is read by nobody, and the first chunk, last, makes it all true.
 */
export function save(state, bytes, alarm) {
  const { kv } = state.storage;
  const set = setAlarm(state, alarm);
  for (let index = Math.floor(bytes.length / CHUNK); index >= 0; index--) {
    kv.put(key(index), bytes.slice(index * CHUNK, (index + 1) * CHUNK));
  }
  return set;
}

export async function setAlarm(state, alarm) {
  if (alarm !== undefined) await state.storage.setAlarm(alarm);
}

/** Leaves nothing of the object, its alarm included. */
export const forget = (state) => state.storage.deleteAll();

export const name = (state) => state.id.name ?? "";
export const setting = (env, binding) => (typeof env[binding] === "string" ? env[binding] : "");
export const unique = () => crypto.randomUUID();
export const log = (line) => console.log(line);
export const error = (line, cause) => console.error(line, String(cause?.message ?? cause));
