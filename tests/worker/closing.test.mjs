// A client that never answers a close frame. The platform lists its socket for as long as the
// connection lasts, and it must not be taken for somebody who waits: the token's alarm would come
// every 30 seconds until the token is deleted.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { TOKENS, temporaryFolder, until } from "../support/harness.mjs";
import { KEY, serve, waitpoint } from "../support/workerd.mjs";

const HOUR_MS = 60 * 60_000;

test("a socket that its client never closes is no waiter of a finished token", async () => {
  const storage = temporaryFolder();
  const server = await serve(waitpoint({ SECRET_KEYS: KEY }), { storage });
  after(() => server.stop());
  const api = async (path, body) => {
    const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
    return (
      await fetch(server.url + path, { method: "POST", headers, body: JSON.stringify(body) })
    ).json();
  };
  const { id } = await api(TOKENS, {});
  const client = await silentClient(new URL(`${server.url}${TOKENS}/${id}/wait`));
  after(() => client.destroy());
  await until(
    () => client.received,
    (text) => text.includes('"WAITING"'),
  );
  // The platform answers pings itself, and nothing else of what a client sends.
  client.write(frame(1, "ping"));
  await until(
    () => client.received,
    (text) => text.includes("pong"),
  );
  await api(`${TOKENS}/${id}/complete`, { data: 1 });
  await until(
    () => client.received,
    (text) => text.includes('"COMPLETED"'),
  );

  // The first alarm is there in case that whoever told the waiters was interrupted.
  const first = await until(
    () => alarm(storage),
    (at) => at !== undefined,
  );
  assert.ok(first < Date.now() + HOUR_MS);
  const next = await until(
    () => alarm(storage),
    (at) => at !== first && at !== undefined,
  );
  assert.ok(next > Date.now() + HOUR_MS, `the next alarm comes at ${new Date(next).toISOString()}`);
  assert.equal(client.readyState, "open", "the client is still connected");
});

/** A WebSocket client that reads everything and answers nothing. */
async function silentClient({ hostname, port, pathname }) {
  const client = connect(Number(port), hostname);
  client.received = "";
  client.setEncoding("latin1").on("data", (text) => (client.received += text));
  await once(client, "connect");
  const head = [
    `GET ${pathname} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    `Authorization: Bearer ${KEY}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${Buffer.alloc(16, 7).toString("base64")}`,
  ];
  client.write(`${head.join("\r\n")}\r\n\r\n`);
  return client;
}

/** A short frame as a client sends it, masked by zeros. */
function frame(opcode, text) {
  return Buffer.concat([
    Buffer.from([0x80 | opcode, 0x80 | text.length, 0, 0, 0, 0]),
    Buffer.from(text),
  ]);
}

/** When the only token's alarm comes, in milliseconds. */
function alarm(storage) {
  const files = readdirSync(storage, { recursive: true });
  const file = files.find((name) => /TokenObject.*[0-9a-f]{64}\.sqlite$/.test(name));
  const database = new DatabaseSync(join(storage, file), { readOnly: true, timeout: 10_000 });
  try {
    const row = database.prepare("SELECT value FROM _cf_METADATA WHERE key = 1");
    row.setReadBigInts(true);
    const nanoseconds = row.get()?.value;
    return typeof nanoseconds === "bigint" ? Number(nanoseconds / 1_000_000n) : undefined;
  } finally {
    database.close();
  }
}
