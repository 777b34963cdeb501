// Failures of the index: a row that was refused is sent until it is accepted, and delays no other
// row.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root, TOKENS, temporaryFolder, until, useWorker } from "../support/harness.mjs";

// A stand-in for the index that refuses everything until it is mended, then forwards.
const FAILING_INDEX = `
  let mended = false;
  export class TroubledIndex {
    constructor(state, env) { this.state = state; this.env = env; }
    async fetch(request) {
      // A short command is in a header.
      const body = request.headers.get("waitpoint-secret-command") ?? (await request.text());
      if (!mended && body.startsWith('{"put"')) return new Response("", { status: 503 });
      const real = this.env.REAL.getByName(this.state.id.name);
      return real.fetch("http://object/", { method: "POST", body });
    }
  }
  export default { fetch: () => ((mended = true), new Response("mended")) };`;

const folder = temporaryFolder();
const config = readFileSync(join(root, "wrangler.toml"), "utf8");
writeFileSync(join(folder, "trouble.mjs"), FAILING_INDEX);
writeFileSync(
  join(folder, "trouble.toml"),
  `name = "trouble"
   main = "trouble.mjs"
   compatibility_date = "2026-08-01"
   [[durable_objects.bindings]]
   name = "SELF"
   class_name = "TroubledIndex"
   [[durable_objects.bindings]]
   name = "REAL"
   class_name = "IndexObject"
   script_name = "waitpoint"
   [[migrations]]
   tag = "v1"
   new_sqlite_classes = ["TroubledIndex"]`,
);
writeFileSync(
  join(folder, "wrangler.toml"),
  config.replace(
    'class_name = "IndexObject"',
    'class_name = "TroubledIndex"\nscript_name = "trouble"',
  ),
);
const worker = useWorker({
  configPath: join(folder, "wrangler.toml"),
  others: [{ configPath: join(folder, "trouble.toml") }],
});

test("rows that the index did not take are there once it is well again", async () => {
  const tag = crypto.randomUUID();
  const list = async () => (await (await worker.api(`${TOKENS}?filter[tags]=${tag}`)).json()).data;
  const [waiting, done, timed] = await Promise.all(
    [{}, {}, { timeout: "1s" }].map((fields) => worker.create({ tags: [tag], ...fields })),
  );
  const began = Date.now();
  assert.equal((await worker.complete(done.id, 1)).headers.get("waitpoint-outcome"), "completed");
  assert.ok(Date.now() - began < 5_000, "nobody waits for the index");
  await until(
    () => worker.retrieve(timed.id),
    ({ status }) => status === "TIMED_OUT",
  );
  assert.deepEqual(await list(), []);
  await worker.server.getWorker("trouble").fetch("http://trouble/");
  const rows = await until(list, ({ length }) => length === 3);
  const status = Object.fromEntries(rows.map(({ id, status }) => [id, status]));
  assert.deepEqual(status, {
    [waiting.id]: "WAITING",
    [done.id]: "COMPLETED",
    [timed.id]: "TIMED_OUT",
  });
});
