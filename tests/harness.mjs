// What the tests of the built Worker share: the Worker itself, in real workerd, from wrangler.toml.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { createTestHarness } from "wrangler";

export const root = new URL("..", import.meta.url).pathname;
export const KEY = "tr_dev_123456789012345678901234";
export const OTHER_KEY = "tr_prod_98765432109876543210wxyz";
export const OLD_KEY = "tr_dev_old5678901234567890abcd";
/** `default` with an earlier key that still verifies, and a second environment. */
export const SECRET_KEYS = `${KEY}\n${OLD_KEY}\nprod=${OTHER_KEY}`;

export const TOKENS = "/api/v1/waitpoints/tokens";

/** The modules that `wrangler deploy` would upload; scripts/test.mjs has made them. */
export const bundle = () => process.env.WAITPOINT_BUNDLE ?? fail();
const fail = () => {
  throw new Error("run these tests by `npm test`; it makes the bundle that they run");
};

/**
 * A Worker for the tests of a file: started before them, ended after them, with storage of its
 * own. `worker.url` is its origin once they run.
 */
export function useWorker({ secrets = { SECRET_KEYS }, vars = {} } = {}) {
  const worker = { url: "", api: undefined, server: undefined };
  worker.server = createTestHarness({
    root,
    workers: [{ configPath: join(root, "wrangler.toml"), prebuiltWorkerDir: bundle(), secrets, vars }],
  });
  before(async () => {
    const { url } = await worker.server.listen();
    worker.url = url.origin;
  });
  after(() => worker.server.close());
  /** A request with a secret key; `body` is sent as JSON unless it is text or bytes. */
  worker.api = (path, { key = KEY, body, headers = {}, method = body === undefined ? "GET" : "POST" } = {}) =>
    fetch(worker.url + path, {
      method,
      headers: {
        ...(key && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
        ...headers,
      },
      body: body === undefined || typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body),
      redirect: "manual",
    });
  /** Creates a token: id, url and its public access token. */
  worker.create = async (fields = {}, options = {}) => {
    const answer = await worker.api(TOKENS, { body: fields, ...options });
    if (answer.status !== 200) throw new Error(`create: ${answer.status} ${await answer.text()}`);
    return { ...(await answer.json()), publicAccessToken: answer.headers.get("x-trigger-jwt") };
  };
  worker.retrieve = async (id, options) => (await worker.api(`${TOKENS}/${id}`, options)).json();
  worker.complete = (id, data, options) => worker.api(`${TOKENS}/${id}/complete`, { body: { data }, ...options });
  return worker;
}

/** A folder that goes when the tests of the file end. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "waitpoint-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs wrangler and returns what it prints. */
export const wrangler = (...args) =>
  execFileSync(process.execPath, [join(root, "node_modules/wrangler/bin/wrangler.js"), ...args], {
    cwd: root,
    encoding: "utf8",
  });
