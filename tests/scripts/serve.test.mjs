// `npm run serve`: the Worker on standalone workerd, stopped, killed, and started wrongly.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { SETTINGS } from "../../scripts/lib/settings.mjs";
import { KEY, OTHER_KEY, root, TOKENS, temporaryFolder, until } from "../support/harness.mjs";
import { isAlive, tree } from "../support/process.mjs";
import { traces, writtenBytes } from "../support/secrets.mjs";
import { launch } from "../support/serve.mjs";

const WITHIN = { timeout: 60_000 };
const folder = temporaryFolder();
let folders = 0;
const newFolder = () => join(folder, `data-${++folders}`);
const running = new Set();
after(() => {
  for (const server of running) server.process.kill("SIGKILL");
});

function serve(data, { flags = [], settings = { SECRET_KEYS: KEY } } = {}) {
  const server = launch(["--data", data, "--port", "0", ...flags], { settings });
  running.add(server);
  server.closed.then(() => running.delete(server));
  server.api = (path, body, headers = {}) =>
    fetch(server.url + path, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${KEY}`, ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  server.create = async (fields = {}) => (await server.api(TOKENS, fields)).json();
  server.retrieve = async (id) => (await server.api(`${TOKENS}/${id}`)).json();
  return server;
}

async function started(...args) {
  const server = serve(...args);
  await server.ready;
  return server;
}

async function stopped(server, signal = "SIGTERM") {
  server.process.kill(signal);
  return server.closed;
}

/** What it says when it does not start. */
async function refused(server) {
  assert.deepEqual(await server.closed, { code: 1, signal: null }, server.output);
  assert.doesNotMatch(server.output, /^\s+at /m, "no stack");
  return server.output;
}

for (const [signal, ending] of [
  ["SIGTERM", { code: 0, signal: null }],
  ["SIGINT", { code: 0, signal: null }],
  ["SIGKILL", { code: null, signal: "SIGKILL" }],
]) {
  test(`after ${signal} it has what it had`, WITHIN, async () => {
    const data = newFolder();
    const first = await started(data);
    const [waiting, done] = [await first.create({ timeout: "1h" }), await first.create()];
    const decided = await fetch(done.url, { method: "POST", body: '{"kept":"é"}' });
    assert.equal(decided.status, 200);
    const processes = tree(first.process.pid);
    assert.deepEqual(await stopped(first, signal), ending, first.output);
    await until(
      () => processes.filter(isAlive),
      (alive) => alive.length === 0,
    );

    const second = await started(data);
    assert.equal((await second.retrieve(waiting.id)).status, "WAITING");
    const { status, output } = await second.retrieve(done.id);
    assert.deepEqual([status, output], ["COMPLETED", '{"kept":"é"}']);
    await until(
      async () => (await (await second.api(TOKENS)).json()).data,
      (rows) => rows.length === 2,
    );
    await stopped(second);
  });
}

test("a timeout comes that was due while it did not run", WITHIN, async () => {
  const told = Promise.withResolvers();
  const receiver = createServer((request, response) => {
    told.resolve(request.headers["webhook-id"]);
    response.end();
  }).listen(0, "127.0.0.1");
  after(() => receiver.close());
  await once(receiver, "listening");
  const settings = {
    SECRET_KEYS: KEY,
    WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 7).toString("base64")}`,
    WEBHOOK_URL: `http://127.0.0.1:${receiver.address().port}`,
  };
  const options = { settings, flags: ["--private-network"] };
  const data = newFolder();
  const first = await started(data, options);
  const { id } = await first.create({ timeout: "1s" });
  const { timeoutAt } = await first.retrieve(id);
  await stopped(first, "SIGKILL");
  await until(
    () => Date.now(),
    (now) => now > Date.parse(timeoutAt),
  );
  const second = await started(data, options);
  assert.ok(await told.promise);
  await stopped(second);
});

test("webhooks reach a private address only if that is allowed", WITHIN, async () => {
  let isReached = false;
  const receiver = createServer((_, response) => {
    isReached = true;
    response.end();
  }).listen(0, "127.0.0.1");
  after(() => receiver.close());
  await once(receiver, "listening");
  const settings = {
    SECRET_KEYS: KEY,
    WEBHOOK_SECRET: `whsec_${Buffer.alloc(24, 7).toString("base64")}`,
    WEBHOOK_URL: `http://127.0.0.1:${receiver.address().port}`,
  };
  const server = await started(newFolder(), { settings });
  const { url } = await server.create();
  await fetch(url, { method: "POST", body: "1" });
  await until(
    () => server.output,
    (output) => output.includes('"event":"not delivered"'),
  );
  assert.ok(!isReached);
  await stopped(server);
});

test("requests in flight are answered when it is to stop", WITHIN, async () => {
  const server = await started(newFolder());
  const { id } = await server.create();
  const began = performance.now();
  const waiting = request(`${server.url}${TOKENS}/${id}/wait`, {
    headers: { authorization: `Bearer ${KEY}`, prefer: "wait=2" },
  }).end();
  const answered = once(waiting, "response");
  await once(waiting, "finish");
  // workerd has read what came before this, by a connection of its own.
  await (await fetch(`${server.url}/healthz`, { headers: { connection: "close" } })).text();
  server.process.kill("SIGTERM");
  const [answer] = await answered;
  assert.equal(JSON.parse(await text(answer)).status, "WAITING");
  assert.ok(performance.now() - began > 1_900, "it waited");
  assert.deepEqual(await server.closed, { code: 0, signal: null });
  await assert.rejects(fetch(`${server.url}/healthz`), /fetch failed/);
});

test("a second signal stops at once", WITHIN, async () => {
  const server = await started(newFolder());
  const { id } = await server.create();
  const events = await server.api(`${TOKENS}/${id}/wait`, undefined, {
    accept: "text/event-stream",
  });
  server.process.kill("SIGTERM");
  await until(
    () => server.output,
    (output) => output.includes("a second signal stops at once"),
  );
  assert.deepEqual(await stopped(server, "SIGTERM"), { code: 143, signal: null });
  await assert.rejects(events.text());
});

test("streams end some seconds after the signal", WITHIN, async () => {
  const server = await started(newFolder());
  const { id } = await server.create();
  const events = await server.api(`${TOKENS}/${id}/wait`, undefined, {
    accept: "text/event-stream",
  });
  assert.deepEqual(await stopped(server), { code: 0, signal: null });
  await assert.rejects(events.text());
});

test("/healthz says that there are no rate limits, and no mail", WITHIN, async () => {
  const settings = { SECRET_KEYS: KEY, EMAIL_FROM: "approvals@example.com" };
  const server = await started(newFolder(), { settings });
  const { status, missing } = await (await fetch(`${server.url}/healthz`)).json();
  assert.deepEqual(
    [status, missing.toSorted()],
    [
      "ok",
      ["ADDRESS_LIMIT", "EMAIL", "ENVIRONMENT_LIMIT", "PAGE_LIMIT", "SIGN_IN_LIMIT", "TOKEN_LIMIT"],
    ],
  );
  assert.match(server.output, /EMAIL_FROM is set, but only Cloudflare sends mail/);
  const mail = await server.api(TOKENS, { notify: [{ email: "ann@example.com" }] });
  assert.equal(mail.status, 400);
  assert.match((await mail.json()).error, /mail needs the binding EMAIL/);
  // Wrong credentials and visits of a page are not counted.
  const { url } = await server.create({ approval: { title: "Ship it?" } });
  for (let time = 0; time < 40; time++) {
    const page = await fetch(url, { headers: { accept: "text/html" } });
    assert.equal(page.status, 200);
    await page.text();
  }
  await stopped(server);
});

test("settings come from a file, and those of the environment count more", WITHIN, async () => {
  const file = join(folder, "settings");
  writeFileSync(file, `SECRET_KEYS="${KEY}\nprod=${OTHER_KEY}"\nRETENTION=1d\nSECRET_KEY=typo\n`);
  const settings = { SECRET_KEYS: undefined, PUBLIC_URL: "prod=https://approve.example.com" };
  const server = await started(newFolder(), { settings, flags: ["--settings", file] });
  assert.match(server.output, /SECRET_KEY is not a setting and is left out/);
  const created = await server.api(TOKENS, {}, { authorization: `Bearer ${OTHER_KEY}` });
  const { url, shortUrl } = await created.json();
  for (const link of [url, shortUrl])
    assert.equal(new URL(link).origin, "https://approve.example.com");
  await stopped(server);
  const over = { SECRET_KEYS: OTHER_KEY };
  const other = await started(newFolder(), { settings: over, flags: ["--settings", file] });
  assert.equal((await other.api(TOKENS)).status, 401);
  await stopped(other);
});

test("a process that has the folder keeps others from it", WITHIN, async () => {
  const data = newFolder();
  const server = await started(data);
  assert.match(await refused(serve(data)), /another process uses --data \S+; stop that one/);
  assert.equal((await fetch(`${server.url}/healthz`)).status, 200);
  await stopped(server);
});

test("what is written is its owner's alone, and holds no secret", WITHIN, async () => {
  const data = newFolder();
  const server = await started(data);
  const { url, shortUrl } = await server.create();
  await stopped(server);
  for (const name of ["", ...readdirSync(data, { recursive: true })])
    assert.equal(statSync(join(data, name)).mode & 0o077, 0, name);
  const secrets = { KEY, jwt: url.split(".").at(-1), short: shortUrl.split("/").at(-1) };
  const places = { ...writtenBytes(data), output: Buffer.from(server.output) };
  assert.ok(Object.keys(places).some((name) => name.startsWith("objects/waitpoint-TokenObject/")));
  assert.deepEqual(traces(places, secrets), []);
});

test("what is wrong at the start is said in one sentence", WITHIN, async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  after(() => taken.close());
  await once(taken, "listening");
  const file = join(folder, "a-file");
  writeFileSync(file, "SECRET_KEYS=a\nSECRET_KEYS=b\n");
  const [unquoted, open] = ["unquoted", "open"].map((name) => join(folder, name));
  writeFileSync(unquoted, `# Keys\nSECRET_KEYS=${KEY}\nstaging=${KEY}\nprod ${KEY}\n`);
  writeFileSync(open, `SECRET_KEYS="${KEY}\nLOG=errors\n`);
  const none = { settings: { SECRET_KEYS: "" } };
  const { port } = taken.address();
  for (const [server, sentence] of [
    [serve(newFolder(), { flags: ["--port", String(port)] }), /port \d+ is in use; choose another/],
    [serve(newFolder(), none), /SECRET_KEYS is not set\. Put one \[environment=\]key a line/],
    [serve(newFolder(), { settings: { SECRET_KEYS: "short" } }), /SECRET_KEYS/],
    [serve(newFolder(), { flags: ["--settings", file] }), /has SECRET_KEYS twice/],
    [serve(newFolder(), { flags: ["--settings", unquoted] }), /line 4 of \S+ is no NAME=value; a/],
    [serve(newFolder(), { flags: ["--settings", open] }), /line 1 of \S+ has a quote that is not/],
    [serve(newFolder(), { flags: ["--settings", "/nowhere"] }), /there is no such file/],
    [serve(newFolder(), { flags: ["--prot", "1"] }), /Unknown option '--prot'/],
    [serve(newFolder(), { flags: ["--port", "http"] }), /a number from 0 to 65535, not "http"/],
    [serve(newFolder(), { flags: ["--host", "192.0.2.1"] }), /is not an address of this machine/],
    [serve(newFolder(), { flags: ["--bundle", folder] }), /has no waitpoint\.wasm/],
    [serve(join(file, "data")), /cannot be written to: ENOTDIR/],
    [serve("/proc/waitpoint"), /cannot be written to: ENOENT/],
    [serve(join(folder, "no", "where")), /cannot be written to: ENOENT/],
    [launch(["--port", "0"]), /--data is missing/],
  ])
    assert.match(await refused(server), sentence);
});

test("it knows the settings that the Worker knows", () => {
  const source = readFileSync(join(root, "src/worker/settings.rs"), "utf8");
  const [, names] = /const NAMES: \[&str; \d+\] = \[([^\]]+)\]/.exec(source);
  assert.deepEqual(SETTINGS, names.match(/[A-Z_]+/g));
});
