// Failing storage: a full disk, a disk with errors, a damaged file. What was acknowledged is kept,
// everything else gets a retryable error, and afterwards all recovers by itself.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, test } from "node:test";
import { crash } from "../crash/crash.mjs";
import { KEY, root, TOKENS, temporaryFolder, until } from "../support/harness.mjs";
import { serve, waitpoint } from "../support/workerd.mjs";

const WEBHOOK_SECRET = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const folder = temporaryFolder();

for (const [what, prepare] of Object.entries({
  "a full disk": fullDisk,
  "a disk that cannot be written": () => failingDisk("w"),
  "a disk that can be neither written nor read": () => failingDisk("rw"),
})) {
  test(`${what} is 503, nothing that was acknowledged is lost, and it passes`, async (t) => {
    const disk = prepared(t, prepare);
    if (!disk) return;
    const worker = await start(disk);
    const hooks = await receiver();
    const webhook = { url: hooks.url };
    const requestKey = { "x-trigger-request-idempotency-key": crypto.randomUUID() };

    const [waiting, done, keyed] = [
      await worker.create(),
      await worker.create(),
      await worker.create({ idempotencyKey: "old" }),
    ];
    await worker.complete(done.id, { kept: "é" });
    await until(worker.list, ({ length }) => length === 3);
    const [timed, unattended] = [
      await worker.create({ timeout: "4s", webhook }),
      await worker.create({ timeout: "4s", webhook }),
    ];
    const told = worker.wait(timed.id);
    const { timeoutAt } = await worker.retrieve(timed.id);
    disk.fail();

    const big = "x".repeat(2_500_000);
    for (const ask of [
      () => worker.api(TOKENS, {}),
      () => worker.api(TOKENS, {}, requestKey),
      () => worker.api(TOKENS, { idempotencyKey: "new" }),
      () => worker.complete(waiting.id, 1),
      () => worker.complete(waiting.id, big),
      () => fetch(waiting.url, { method: "POST", body: "2" }),
    ]) {
      await assertUnavailable(await ask());
    }
    // What cannot change is known without the disk.
    const repeated = await worker.complete(done.id, "again");
    assert.deepEqual(
      [repeated.status, repeated.headers.get("waitpoint-outcome")],
      [200, "already-completed"],
    );
    // A read gets the truth or an error.
    for (const [id, status, output] of [
      [waiting.id, "WAITING"],
      [done.id, "COMPLETED", '{"kept":"é"}'],
    ]) {
      const answer = await worker.api(`${TOKENS}/${id}`);
      if (answer.status !== 200) await assertUnavailable(answer);
      else assert.deepEqual(ended(await answer.json()), { status, output });
    }
    const cached = await worker.api(TOKENS, { idempotencyKey: "old" });
    if (cached.status === 200) assert.equal((await cached.json()).id, keyed.id);
    else await assertUnavailable(cached);
    // A timeout that cannot be written is not shown, and the token does not show as waiting either.
    await until(
      async () => Date.now(),
      (now) => now > Date.parse(timeoutAt),
    );
    await assertUnavailable(await worker.api(`${TOKENS}/${timed.id}`));
    await assertUnavailable(await worker.complete(timed.id, "late"));
    assert.equal(hooks.got.size, 0);

    disk.mend();
    // Nobody asks for this token: only its alarm notices.
    assert.equal((await hooks.of(unattended.id)).type, "waitpoint.timed_out");
    assert.equal((await told).status, "TIMED_OUT");
    const completed = await worker.complete(waiting.id, big);
    assert.deepEqual(
      [completed.status, completed.headers.get("waitpoint-outcome")],
      [200, "completed"],
    );
    assert.deepEqual(ended(await worker.retrieve(waiting.id)), {
      status: "COMPLETED",
      output: JSON.stringify(big),
    });
    assert.deepEqual(ended(await worker.retrieve(done.id)), {
      status: "COMPLETED",
      output: '{"kept":"é"}',
    });
    const [created, again] = [
      await worker.create({}, requestKey),
      await worker.create({}, requestKey),
    ];
    assert.deepEqual([again.id, created.isCached, again.isCached], [created.id, false, false]);
    const [first, second] = [
      await worker.create({ idempotencyKey: "new" }),
      await worker.create({ idempotencyKey: "new" }),
    ];
    assert.deepEqual([second.id, first.isCached, second.isCached], [first.id, false, true]);
    assert.equal((await worker.create({ idempotencyKey: "old" })).id, keyed.id);
    const ends = [
      [waiting, "COMPLETED"],
      [done, "COMPLETED"],
      [timed, "TIMED_OUT"],
      [unattended, "TIMED_OUT"],
    ];
    const all = [...ends, ...[keyed, created, first].map((token) => [token, "WAITING"])]
      .map(([{ id }, status]) => `${id} ${status}`)
      .sort();
    // A list is correct a moment later.
    await until(
      async () => (await worker.list()).map(({ id, status }) => `${id} ${status}`).sort(),
      (rows) => rows.join() === all.join(),
    );

    // And so it is on disk.
    await worker.server.restart();
    assert.deepEqual(ended(await worker.retrieve(waiting.id)), {
      status: "COMPLETED",
      output: JSON.stringify(big),
    });
    assert.equal((await worker.retrieve(timed.id)).status, "TIMED_OUT");
  });
}

test("a damaged file is its token's trouble alone", async () => {
  const storage = mkdtempSync(join(folder, "damaged-"));
  const worker = await start({ storage });
  const hooks = await receiver();
  const [damaged, sound] = [await worker.create({ tags: ["damaged"] }), await worker.create()];
  await worker.complete(damaged.id, 1);
  const timed = await worker.create({ timeout: "2s", webhook: { url: hooks.url } });
  await worker.server.kill();
  const names = readdirSync(storage, { recursive: true }).filter((name) =>
    name.startsWith("TokenObject"),
  );
  const files = names.filter((name) => name.includes(".sqlite")).map((name) => join(storage, name));
  const holders = new Set(
    files
      .filter((file) => readFileSync(file).includes('"damaged"'))
      .map((file) => file.replace(/-(wal|shm)$/, "")),
  );
  assert.equal(holders.size, 1);
  const theirs = files
    .filter((file) => holders.has(file.replace(/-(wal|shm)$/, "")))
    .map((file) => [file, readFileSync(file)]);
  for (const [file, bytes] of theirs) writeFileSync(file, Buffer.alloc(bytes.length, 0xa5));

  await worker.server.start();
  await assertUnavailable(await worker.api(`${TOKENS}/${damaged.id}`));
  await assertUnavailable(await worker.complete(damaged.id, 2));
  assert.equal((await worker.complete(sound.id, 1)).headers.get("waitpoint-outcome"), "completed");
  assert.equal((await hooks.of(timed.id)).type, "waitpoint.timed_out");
  assert.equal((await worker.create()).isCached, false);
  const page = await fetch(worker.here(damaged.url), { headers: { accept: "text/html" } });
  assert.deepEqual([page.status, page.headers.get("retry-after")], [503, "2"]);

  await worker.server.kill();
  for (const [file, bytes] of theirs) writeFileSync(file, bytes);
  await worker.server.start();
  assert.deepEqual(ended(await worker.retrieve(damaged.id)), { status: "COMPLETED", output: "1" });
});

test("under load, killed, on a disk that fails now and then: what was told stands", async (t) => {
  const disk = prepared(t, () => failingDisk("w"));
  if (!disk) return;
  const seed = Date.now() % 2 ** 31;
  const { faults, failures, counts } = await crash({
    target: waitpoint(),
    storage: disk.storage,
    disk,
    seed,
    kills: 8,
    completions: 50,
  });
  assert.deepEqual([Object.keys(faults), failures], [[], []], `seed ${seed}`);
  assert.ok(counts.unavailable > 0);
});

/**
 * A disk that fails, or why this machine cannot have one: mounting needs root, the others a C
 * compiler. CI has both.
 */
function prepared(t, prepare) {
  try {
    return prepare();
  } catch (error) {
    if (process.env.CI === "true") throw error;
    t.skip(`not possible here: ${error.message.split("\n")[0]}`);
  }
}

/** A file system of its own, which can be filled up. */
function fullDisk() {
  const storage = mkdtempSync(join(folder, "full-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=32m", "tmpfs", storage], { stdio: "pipe" });
  after(() => execFileSync("umount", ["--lazy", storage]));
  const filler = join(storage, "filler");
  return {
    storage,
    fail() {
      const file = openSync(filler, "w");
      for (let size = 1 << 20; size >= 1; size >>= 1) while (isWritten(file, size));
      closeSync(file);
    },
    mend: () => rmSync(filler),
  };
}

function isWritten(file, size) {
  try {
    return writeSync(file, Buffer.alloc(size)) === size;
  } catch (error) {
    assert.equal(error.code, "ENOSPC");
    return false;
  }
}

/** A disk on which these calls fail; see failing-disk.c. */
function failingDisk(calls) {
  const [library, control] = [join(folder, "failing-disk.so"), join(folder, "control")];
  execFileSync(
    "gcc",
    ["-shared", "-fPIC", "-o", library, join(root, "tests/worker/failing-disk.c"), "-ldl"],
    { stdio: "pipe" },
  );
  return {
    storage: mkdtempSync(join(folder, "failing-")),
    env: { LD_PRELOAD: library, FAILING_DISK: control },
    fail: () => writeFileSync(control, calls),
    mend: () => rmSync(control),
  };
}

async function start({ storage, env }) {
  const server = await serve(waitpoint({ SECRET_KEYS: KEY, WEBHOOK_SECRET }), { storage, env });
  after(() => server.stop());
  const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
  const api = (path, body, more) =>
    fetch(server.url + path, {
      method: body ? "POST" : "GET",
      headers: { ...headers, ...more },
      body: body && JSON.stringify(body),
    });
  const create = async (fields = {}, more) => {
    const answer = await api(TOKENS, fields, more);
    assert.equal(answer.status, 200);
    return answer.json();
  };
  return {
    server,
    api,
    create,
    complete: (id, data) => api(`${TOKENS}/${id}/complete`, { data }),
    retrieve: async (id) => (await api(`${TOKENS}/${id}`)).json(),
    list: async () => (await (await api(TOKENS)).json()).data,
    /** A URL from before the restart, on the server's present port. */
    here: (url) => server.url + new URL(url).pathname,
    /** How the token ended, asked until there is a response. */
    wait: (id) =>
      until(
        async () => (await api(`${TOKENS}/${id}/wait`, undefined, { prefer: "wait=25" })).json(),
        ({ status }) => status !== undefined && status !== "WAITING",
      ),
  };
}

/** How a token ended. */
const ended = ({ status, output }) => ({ status, output });

/** Asserts the response to a temporary failure. */
async function assertUnavailable(answer) {
  const { code } = await answer.json();
  const header = (name) => answer.headers.get(name);
  assert.deepEqual(
    [
      answer.status,
      code,
      header("retry-after"),
      header("x-should-retry"),
      header("waitpoint-outcome"),
    ],
    [503, "storage_trouble", "1", "true", null],
  );
}

/** A receiver of webhooks: what it `got`, by token, and `of`, which waits for a token's message. */
async function receiver() {
  const got = new Map();
  const server = createServer(async (request, response) => {
    const message = JSON.parse(Buffer.concat(await Array.fromAsync(request)));
    got.set(message.data.id, message);
    response.end();
    server.emit("message");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const of = async (id) => {
    while (!got.has(id)) await once(server, "message");
    return got.get(id);
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, got, of };
}
