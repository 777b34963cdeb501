// What the tests of the built Worker share: the Worker in real workerd, as wrangler.toml has it.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { createTestHarness } from "wrangler";
import { root } from "../../scripts/lib/process.mjs";
import { NO_REQUEST_RECORDS } from "../../scripts/lib/tools.mjs";
import { writtenBytes } from "./secrets.mjs";
import { KEY } from "./workerd.mjs";

export { KEY, root };

export const OTHER_KEY = "tr_prod_98765432109876543210wxyz";
export const OLD_KEY = "tr_dev_old5678901234567890abcd";
/** `default` with an earlier key that still verifies, and a second environment. */
export const SECRET_KEYS = `${KEY}\n${OLD_KEY}\nprod=${OTHER_KEY}`;

export const TOKENS = "/api/v1/waitpoints/tokens";

/**
 * How a JWT or one of the keys above begins. Fewer letters of a JWT also stand in the checksums of
 * SQLite's files, by chance.
 */
const CREDENTIAL = /eyJ[\w-]{8}|tr_(dev|prod)_|agent_key_/;

// Where wrangler and workerd write while these tests run. It is deleted when the process ends, as
// the last `after` still reads it.
const storage = mkdtempSync(join(tmpdir(), "waitpoint-"));
process.env.TMPDIR = storage;
Object.assign(process.env, NO_REQUEST_RECORDS);
process.once("exit", () => rmSync(storage, { recursive: true, force: true }));

/** The modules that `wrangler deploy` would upload. scripts/test.mjs makes them. */
export const bundle = () =>
  process.env.WAITPOINT_BUNDLE ??
  fail(new Error("run these tests by `npm test`; it makes the bundle that they run"));
const fail = (error) => {
  throw error;
};

/**
 * A Worker for the tests of a file, with storage of its own: it starts before them and ends after
 * them. `worker.url` is its origin while they run. `hasMail` says that it sends mail.
 */
export function useWorker({
  secrets = { SECRET_KEYS },
  vars = {},
  configPath = join(root, "wrangler.toml"),
  others = [],
  hasMail = false,
} = {}) {
  // The credentials of some, which no pattern can tell from other text.
  const shortLinks = [];
  const worker = { url: "", api: undefined, server: undefined, hasStored: false };
  worker.server = createTestHarness({
    root,
    workers: [{ configPath, prebuiltWorkerDir: bundle(), secrets, vars }, ...others],
  });
  before(async () => {
    const { url } = await worker.server.listen();
    worker.url = url.origin;
  });
  after(async () => {
    const logs = JSON.stringify(worker.server.getLogs());
    // The state of the Worker. Browsers and the apps of tests have their own folders beside it.
    // A mail holds its link.
    const stored = Object.entries(writtenBytes(storage)).filter(
      ([name]) => name.startsWith("miniflare-") && !(hasMail && /email/i.test(name)),
    );
    await worker.server.close();
    assert.doesNotMatch(logs, CREDENTIAL, "a credential in the logs");
    assert.ok(!shortLinks.some((link) => logs.includes(link)), "a short link in the logs");
    assert.ok(stored.length > 0 || !worker.hasStored, "what was stored was found");
    for (const [name, bytes] of stored) {
      assert.doesNotMatch(bytes.toString("latin1"), CREDENTIAL, `a credential in ${name}`);
      assert.ok(!shortLinks.some((link) => bytes.includes(link)), `a short link in ${name}`);
    }
  });
  /** A request with a secret key; `body` is sent as JSON unless it is text or bytes. */
  worker.api = (
    path,
    { key = KEY, body, headers = {}, method = body === undefined ? "GET" : "POST" } = {},
  ) =>
    fetch(worker.url + path, {
      method,
      headers: {
        ...(key && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      body:
        body === undefined || typeof body === "string" || body instanceof Uint8Array
          ? body
          : JSON.stringify(body),
      redirect: "manual",
    });
  /** Creates a token: id, url and its public access token. */
  worker.create = async (fields = {}, options = {}) => {
    const answer = await worker.api(TOKENS, { body: fields, ...options });
    if (answer.status !== 200) throw new Error(`create: ${answer.status} ${await answer.text()}`);
    worker.hasStored = true;
    const created = await answer.json();
    if (created.shortUrl && shortLinks.length < 20)
      shortLinks.push(created.shortUrl.split("/").at(-1));
    return { ...created, publicAccessToken: answer.headers.get("x-trigger-jwt") };
  };
  worker.retrieve = async (id, options) => (await worker.api(`${TOKENS}/${id}`, options)).json();
  worker.complete = (id, data, options) =>
    worker.api(`${TOKENS}/${id}/complete`, { body: { data }, ...options });
  /** Returns when the object of a token in the default environment is not in memory any more. */
  worker.evict = async (id, options) => {
    const name = `default/${id.replace("waitpoint_", "")}`;
    const evict = () =>
      worker.server.getWorker().evictDurableObject("TokenObject", { name, ...options });
    // wrangler asks workerd by a connection that workerd may have closed as idle, and does not ask
    // again. An object that was idle for ten seconds is gone already.
    await evict()
      .catch((error) => (error.message === "fetch failed" ? evict() : fail(error)))
      .catch((error) => /not currently running/.test(error.message) || fail(error));
  };
  return worker;
}

/** A folder that is deleted when the tests of the file end. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "waitpoint-"));
  // A process that is being killed may still write there.
  after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));
  return folder;
}

/** Signs a public access token as the SDK does. `claims` are changed, or removed if undefined. */
export function sign(scopes, { key = KEY, claims = {}, header = { alg: "HS256" } } = {}) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    sub: "default",
    pub: true,
    scopes,
    iss: "https://id.trigger.dev",
    aud: "https://api.trigger.dev",
    exp: now + 900,
    iat: now,
    ...claims,
  };
  const text = `${part(header)}.${part(payload)}`;
  return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
}

/** The credential of trigger.dev's own callback URLs. */
export const callbackHash = (id, key = KEY) =>
  createHmac("sha256", key).update(id.replace("waitpoint_", "")).digest("hex");

/**
 * Repeats `ask`, ever more slowly, until `done` accepts the result. The test's time limit ends it.
 */
export async function until(ask, done) {
  for (let pause = 1; ; pause = Math.min(pause * 2, 100)) {
    const answer = await ask();
    if (done(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
