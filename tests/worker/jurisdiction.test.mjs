// JURISDICTION: where an environment keeps its objects. workerd has no jurisdictions, so here one
// is a second set of classes: what it holds got there through `namespace.jurisdiction`.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { OTHER_KEY, SECRET_KEYS, TOKENS, temporaryFolder, until } from "../support/harness.mjs";
import { KEY, serve, waitpoint } from "../support/workerd.mjs";

const LIMIT = { timeout: 60_000 };
const CLASSES = { TOKENS: "TokenObject", KEYS: "KeyObject", INDEX: "IndexObject" };

/** The Worker, for which the objects of the classes `Eu…` are those in the EU. */
const IN_THE_EU = `
  import * as built from "./index.js";
  const place = (env) => {
    for (const name of ${JSON.stringify(Object.keys(CLASSES))}) {
      env[name].jurisdiction = (jurisdiction) => {
        if (jurisdiction !== "eu") throw new TypeError("no such jurisdiction: " + jurisdiction);
        return env["EU_" + name];
      };
    }
    return env;
  };
  const placed = (Class) =>
    class extends Class {
      constructor(state, env) {
        super(state, place(env));
      }
    };
  const [Token, Key, Index] = [built.TokenObject, built.KeyObject, built.IndexObject];
  export const [TokenObject, EuTokenObject] = [placed(Token), placed(Token)];
  export const [KeyObject, EuKeyObject] = [placed(Key), placed(Key)];
  export const [IndexObject, EuIndexObject] = [placed(Index), placed(Index)];
  export default {
    fetch: (request, env, context) => built.default.fetch(request, place(env), context),
  };`;

/** A Worker that keeps the objects of the environment `prod` in the EU, unless told otherwise. */
function start(storage, vars = {}) {
  const settings = { SECRET_KEYS, JURISDICTION: "prod=eu", RETENTION: "1s", ...vars };
  const worker = waitpoint(settings, IN_THE_EU);
  const inTheEu = Object.entries(CLASSES).map(([name, type]) => [`EU_${name}`, `Eu${type}`]);
  worker.objects = { ...worker.objects, ...Object.fromEntries(inTheEu) };
  return serve(worker, { storage });
}

/** Whether a file is the storage of an object. workerd has others for itself. */
const isOfObject = (path) => /(^|[\\/])[0-9a-f]{64}\.sqlite$/.test(path);

/** How many objects of each class have stored something, ever since the start. */
function stored(folder, prefix) {
  const count = (type) => {
    const place = join(folder, prefix + type);
    return existsSync(place) ? readdirSync(place).filter(isOfObject).length : 0;
  };
  return Object.values(CLASSES).map(count);
}

const api = (server, path, key, body, headers = {}) =>
  fetch(server.url + path, {
    method: body ? "POST" : "GET",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
    body: body && JSON.stringify(body),
  });

/** Lives a token's life in an environment, from its idempotency key to its row in the lists. */
async function live(server, key) {
  const create = async (fields) => {
    const answer = await api(server, TOKENS, key, fields);
    assert.equal(answer.status, 200);
    return await answer.json();
  };
  const list = async (query = "") => (await (await api(server, TOKENS + query, key)).json()).data;
  const keyed = { idempotencyKey: "once" };
  const [first, again] = [await create(keyed), await create(keyed)];
  assert.equal(first.id, again.id);
  assert.equal(again.isCached, true);
  const page = await fetch(first.url, { headers: { accept: "text/html" } });
  assert.equal(page.status, 200);
  await page.text();

  const path = `${TOKENS}/${first.id}`;
  const waiting = api(server, `${path}/wait`, key, undefined, { prefer: "wait=25" });
  const timed = await create({ timeout: "1s", tags: ["timed"] });
  assert.equal((await api(server, `${path}/complete`, key, { data: 1 })).status, 200);
  assert.equal((await (await waiting).json()).status, "COMPLETED");
  // The alarms time out, move the rows, and release the key when the retention is over.
  await until(
    () => list("?filter[status]=TIMED_OUT"),
    (rows) => rows.some(({ id }) => id === timed.id),
  );
  await until(
    () => api(server, path, key),
    ({ status }) => status === 404,
  );
  assert.notEqual((await create(keyed)).id, first.id);
  await until(list, (rows) => rows.length > 0);
}

test("an environment keeps every object of it in its jurisdiction", LIMIT, async (t) => {
  const folder = temporaryFolder();
  const server = await start(folder);
  t.after(() => server.stop());
  await live(server, OTHER_KEY);
  assert.deepEqual(stored(folder, ""), [0, 0, 0], "outside");
  const inTheEu = stored(folder, "Eu");
  assert.ok(!inTheEu.includes(0), `tokens, keys and lists: ${inTheEu}`);

  await live(server, KEY);
  const outside = stored(folder, "");
  assert.ok(!outside.includes(0), `the other environment: ${outside}`);
});

test("a jurisdiction that is set later does not find what there was before", LIMIT, async (t) => {
  const folder = temporaryFolder();
  const created = await start(folder, { JURISDICTION: "" });
  const { id } = await (await api(created, TOKENS, OTHER_KEY, {})).json();
  await created.stop();
  for (const [jurisdiction, status] of [
    ["prod=eu", 404],
    ["eu", 200],
  ]) {
    const server = await start(folder, { JURISDICTION: jurisdiction });
    t.after(() => server.stop());
    const answer = await api(server, `${TOKENS}/${id}`, OTHER_KEY);
    assert.equal(answer.status, status, jurisdiction);
  }
});

for (const [jurisdiction, sentence] of [
  [
    "eu\nprod=europe",
    '"europe" in line 2 of JURISDICTION is not a jurisdiction. Use one ' +
      "[environment=]jurisdiction per environment, with eu, us, fedramp or fedramp-high.",
  ],
  ["staging=eu", "JURISDICTION names the environment staging, which has no key in SECRET_KEYS"],
  [
    "eu",
    "JURISDICTION cannot be used here: Jurisdiction restrictions are not implemented in workerd. " +
      "Elsewhere than on Cloudflare leave it empty.",
  ],
]) {
  test(`JURISDICTION=${JSON.stringify(jurisdiction)} keeps nothing anywhere`, LIMIT, async (t) => {
    const place = temporaryFolder();
    const worker = waitpoint({ SECRET_KEYS, JURISDICTION: jurisdiction });
    const misconfigured = await serve(worker, { storage: place });
    t.after(() => misconfigured.stop());
    for (const [path, body] of [["/healthz"], [TOKENS, "{}"], [TOKENS]]) {
      const answer = await fetch(misconfigured.url + path, {
        method: body ? "POST" : "GET",
        headers: { authorization: `Bearer ${KEY}` },
        body,
      });
      const error = `The server is misconfigured: ${sentence}`;
      assert.deepEqual(
        [answer.status, await answer.json()],
        [500, { error, code: "misconfigured" }],
        path,
      );
    }
    const files = readdirSync(place, { recursive: true });
    assert.deepEqual(files.filter(isOfObject), []);
  });
}
