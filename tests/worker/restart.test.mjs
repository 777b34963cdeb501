// The product as `npm start` runs it, killed and started again over the same storage.
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { readdirSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { waitForToken } from "../../pkg/index.js";
import { TOKENS, temporaryFolder, until } from "../support/harness.mjs";
import { freePort, interrupt, isAlive, kill, launch, start, tree } from "../support/process.mjs";

const storage = temporaryFolder();
const shortLived = temporaryFolder();
const damaged = temporaryFolder();
const waited = temporaryFolder();

test("killed right after it acknowledged, it keeps what it acknowledged", async () => {
  const port = await freePort();
  const first = await start(port, storage);
  const completed = await first.create({});
  const big = await first.create({});
  const data = { kept: "é".repeat(1_100_000) };
  const timed = await first.create({ timeout: "1s" });
  await first.create({ timeout: "1s", tags: ["unseen"] });
  const waiting = await first.create({ timeout: "1h" });
  for (const id of ["cnobody", "cnoone"])
    assert.equal((await first.api(`${TOKENS}/${id}`)).status, 404);
  assert.equal((await first.complete(big.id, data)).status, 200);
  assert.equal((await first.complete(completed.id, "kept")).status, 200);
  kill(first, "workerd");

  // Tokens that were only read left no record. Each of the five has its own, and there are no more.
  const stored = () => records().sort();
  assert.equal(stored().length, 5);

  // The timeout passes while nothing runs.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const started = Date.now();
  const second = await start(port, storage);
  const late = await second.retrieve(timed.id);
  assert.equal(late.status, "TIMED_OUT");
  assert.equal(late.completedAt, late.timeoutAt);
  assert.ok(Date.parse(late.timeoutAt) <= started, "its timeout passed while the Worker was down");
  assert.equal((await second.retrieve(completed.id)).output, '"kept"');
  assert.equal((await second.retrieve(big.id)).output, JSON.stringify(data));
  assert.equal((await second.retrieve(waiting.id)).status, "WAITING");

  // Nobody reads the other token that timed out, nor this one: only their alarms write it down.
  const timeouts = async () => records().filter((text) => text.includes('"timedOut"')).length;
  await until(timeouts, (count) => count === 2);
  const unread = await second.create({ timeout: "1s" });
  await until(timeouts, (count) => count === 3);
  assert.equal((await second.retrieve(unread.id)).status, "TIMED_OUT");

  const output = first.output + second.output;
  assert.match(output, /"event":"completed"/);
  assert.doesNotMatch(output, /eyJ|tr_dev_/, "a credential in what it printed");
  await interrupt(second);
});

test("who waits while it is killed and started again hears the decision", async () => {
  const port = await freePort();
  const first = await start(port, waited);
  const tokens = await Promise.all([1, 2, 3].map(() => first.create({ timeout: "1h" })));
  const told = new EventEmitter();
  globalThis.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", () => told.emit("message"));
    }
  };
  const waits = tokens.map(({ url }) => waitForToken(url));
  for (const _ of tokens) await once(told, "message");
  kill(first, "workerd");
  const second = await start(port, waited);
  for (const { id } of tokens) await second.complete(id, id);
  const ends = await Promise.all(waits);
  assert.deepEqual(
    ends.map(({ output }) => output),
    tokens.map(({ id }) => id),
  );
  await interrupt(second);
});

test("Ctrl-C ends everything that it started", async () => {
  const server = await start(await freePort(), storage);
  const descendants = tree(server.process.pid);
  assert.ok(descendants.length >= 3, "wrangler and workerd are among them");
  await interrupt(server);
  assert.deepEqual(descendants.filter(isAlive), []);
});

test("a finished token is deleted from storage by its alarm, a waiting one is not", async () => {
  const server = await start(await freePort(), shortLived, "--var", "RETENTION:1s");
  const tokens = [
    await server.create({}),
    await server.create({ timeout: "1s" }),
    await server.create({}),
  ];
  await server.complete(tokens[0].id, 1);
  await until(
    async () => records(shortLived),
    ({ length }) => length === 1,
  );
  assert.equal((await server.retrieve(tokens[2].id)).status, "WAITING");
  await interrupt(server);
});

test("a record that cannot be read is a temporary error for machines and people", async () => {
  const port = await freePort();
  const first = await start(port, damaged);
  const token = await first.create({});
  await interrupt(first);
  rewrite(damaged, '"v":1', '"v":9');
  const second = await start(port, damaged);
  const answer = await second.api(`${TOKENS}/${token.id}`);
  assert.deepEqual([answer.status, answer.headers.get("retry-after")], [503, "1"]);
  for (const method of ["GET", "POST"]) {
    const body =
      method === "POST" ? new URLSearchParams({ waitpoint_nonce: "x", choice: "0" }) : undefined;
    const page = await fetch(token.url, { method, body, headers: { accept: "text/html" } });
    assert.deepEqual([page.status, page.headers.get("retry-after")], [503, "2"]);
    const text = await page.text();
    assert.match(text, /went wrong on our side/);
    assert.doesNotMatch(text, /Approve/);
  }
  await interrupt(second);
  rewrite(damaged, '"v":9', '"v":1');
  const third = await start(port, damaged);
  assert.equal((await third.complete(token.id, 1)).headers.get("waitpoint-outcome"), "completed");
  await interrupt(third);
});

test("a port in use is told in one sentence", async () => {
  const holder = createServer().listen(0, "localhost");
  await once(holder, "listening");
  const { port } = holder.address();
  const server = launch(port, storage);
  const [code] = await once(server.process, "exit");
  holder.close();
  assert.equal(code, 1);
  assert.match(server.output, new RegExp(`error: port ${port} is in use`));
});

/** The head of each token's stored record, read from the objects' files. */
function records(folder = storage) {
  const files = readdirSync(folder, { recursive: true }).filter((name) =>
    /TokenObject.*[0-9a-f]{64}\.sqlite$/.test(name),
  );
  return files.flatMap((file) => {
    const database = new DatabaseSync(join(folder, file), { readOnly: true, timeout: 10_000 });
    try {
      const tables = database.prepare("SELECT name FROM sqlite_master WHERE name = '_cf_KV'").all();
      if (tables.length === 0) return [];
      const rows = database.prepare("SELECT value FROM _cf_KV WHERE key = 'token'").all();
      return rows.map(({ value }) => Buffer.from(value).subarray(0, 400).toString("latin1"));
    } catch (error) {
      // workerd is about to replace this file, so it counts until it is gone.
      if (error.code === "ERR_SQLITE_ERROR") return ["in change"];
      throw error;
    } finally {
      database.close();
    }
  });
}

/** Replaces a text in every stored record. Nothing may run over the folder meanwhile. */
function rewrite(folder, from, to) {
  for (const file of readdirSync(folder, { recursive: true }).filter((name) =>
    /TokenObject.*[0-9a-f]{64}\.sqlite$/.test(name),
  )) {
    const database = new DatabaseSync(join(folder, file));
    for (const { key, value } of database.prepare("SELECT key, value FROM _cf_KV").all()) {
      const text = Buffer.from(value).toString("latin1").replace(from, to);
      database
        .prepare("UPDATE _cf_KV SET value = ? WHERE key = ?")
        .run(Buffer.from(text, "latin1"), key);
    }
    database.close();
  }
}
