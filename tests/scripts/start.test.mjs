// `npm start` prints, stores and serves no request's URL, as a token.url is a credential.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { homedir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { NO_REQUEST_RECORDS } from "../../scripts/lib/tools.mjs";
import { callbackHash, root, sign, TOKENS, temporaryFolder } from "../support/harness.mjs";
import { freePort, interrupt, start } from "../support/process.mjs";
import { traces, writtenBytes, writtenRows } from "../support/secrets.mjs";

/** All folders that it may write to: its state, and wrangler's home and temporary folders. */
const folder = temporaryFolder();
const place = (name) => {
  mkdirSync(join(folder, name));
  return join(folder, name);
};
Object.assign(process.env, {
  CARGO_HOME: process.env.CARGO_HOME ?? join(homedir(), ".cargo"),
  RUSTUP_HOME: process.env.RUSTUP_HOME ?? join(homedir(), ".rustup"),
  HOME: place("home"),
  USERPROFILE: join(folder, "home"),
  XDG_CONFIG_HOME: place("config"),
  TMPDIR: place("tmp"),
  // wrangler's lines look different then.
  FORCE_COLOR: "1",
});
// As in a user's shell: the harness sets them for this process.
for (const name of Object.keys(NO_REQUEST_RECORDS)) delete process.env[name];

/** Sends a path that fetch would change. */
const get = (port, path) =>
  new Promise((resolve, reject) => {
    const sent = request({ host: "localhost", port, path }, (response) => {
      let text = "";
      response
        .on("data", (data) => (text += data))
        .on("end", () => resolve({ status: response.statusCode, text }));
    });
    sent.on("error", reject).end();
  });

test("no link is printed, stored or served", async () => {
  const port = await freePort();
  const state = place("state");
  // As an earlier wrangler would have left it.
  mkdirSync(join(state, "v3", "observability"), { recursive: true });
  writeFileSync(join(state, "v3", "observability", "old.sqlite-wal"), "/callback/eyJ");
  const server = await start(port, state);
  // Whatever fails, no process may outlive the test.
  let isOver = false;
  after(() => isOver || interrupt(server));
  const { id, url, shortUrl } = await server.create({ timeout: "1h" });
  const short = shortUrl.split("/").at(-1);
  const jwt = url.split("/").at(-1);
  const forged = sign([`write:waitpoints:${id}`]);
  const hash = callbackHash(id);
  const planted = "planted-to-be-found-0123456789";
  for (const credential of [jwt, forged, hash]) {
    const of = `${TOKENS}/${id}`;
    for (const path of [
      ...["callback", "Callback", "%63allback", "wait"].map(
        (name) => `${of}/${name}/${credential}`,
      ),
      ...[`/callback%2f${credential}`, `//callback//${credential}`, `?x=${credential}`].map(
        (end) => of + end,
      ),
      ...[
        `${TOKENS}?x=${credential}`,
        `/${credential}`,
        `//${credential}`,
        `/cdn-cgi/${credential}`,
        `/healthz?${credential}`,
      ],
    ]) {
      await get(port, path);
    }
  }
  for (const path of [new URL(shortUrl).pathname, `/T/x/${short}`, `/t/x/${short}.`])
    await get(port, path);
  await server.complete(id, planted);
  for (const path of [
    "/cdn-cgi/explorer",
    "/cdn-cgi/explorer/",
    "/cdn-cgi/local/explorer",
    "/cdn-cgi/local/explorer/api",
    "/cdn-cgi/local/explorer/api/local/workers",
  ]) {
    const { status, text } = await get(port, path);
    assert.deepEqual([status, JSON.parse(text).code], [404, "path_not_found"], path);
  }
  // wrangler writes its records some time later.
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  isOver = true;
  await interrupt(server);

  const secrets = { jwt: jwt.split(".")[2], forged: forged.split(".")[2], hash, short };
  const places = {
    ...writtenBytes(folder),
    ...writtenRows(state),
    output: Buffer.from(server.output),
  };
  assert.ok(
    traces(places, { planted }).some((found) => found.includes("state/v3/do/")),
    "the state is there",
  );
  assert.deepEqual(traces(places, secrets), []);
  for (const [name, bytes] of Object.entries(places)) assert.ok(!bytes.includes("eyJ"), name);
  assert.match(server.output, /"event":"completed"/);
  const own = writtenBytes(join(root, ".wrangler"));
  assert.deepEqual(traces(own, secrets), []);
});

test("links lead to where it listens, whatever wrangler.toml has for the public", async () => {
  const port = await freePort();
  const config = place("config-of-routes");
  const toml = readFileSync(join(root, "wrangler.toml"), "utf8")
    .replace(/^\[build\]\n(.+\n)+/m, "")
    .replace('main = "build', `main = "${root.replace(/[\\/]$/, "")}/build`)
    .replace(
      "workers_dev = true",
      'routes = [{ pattern = "approve.example.com", custom_domain = true }]',
    )
    .replace("[vars]", '[vars]\nPUBLIC_URL = "https://approve.example.com"');
  writeFileSync(join(config, "wrangler.toml"), toml);
  // wrangler reads the one beside its configuration.
  symlinkSync(join(root, ".dev.vars"), join(config, ".dev.vars"));
  const server = await start(
    port,
    place("state-of-routes"),
    "--config",
    join(config, "wrangler.toml"),
  );
  let isOver = false;
  after(() => isOver || interrupt(server));
  const { id, url, shortUrl } = await server.create({});
  const origin = `http://localhost:${port}`;
  assert.equal(new URL(url).origin, origin);
  assert.equal(new URL(shortUrl).origin, origin);
  assert.equal((await fetch(shortUrl, { method: "POST", body: "1" })).status, 200);
  assert.equal((await server.retrieve(id)).status, "COMPLETED");
  isOver = true;
  await interrupt(server);
});
