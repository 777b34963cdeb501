// A short `npm run crash`, and proof that it would find faults.
import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "../support/harness.mjs";
import { serveCommand } from "../support/serve.mjs";
import { waitpoint } from "../support/workerd.mjs";
import { crash } from "./crash.mjs";

// Each run has another seed. A failure names it.
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 2 ** 31);

test(`twenty kills under load: what was told stands (CRASH_SEED=${seed})`, async () => {
  const { kills, acknowledged, counts, faults, failures } = await crash({
    target: waitpoint(),
    serve: serveCommand,
    storage: temporaryFolder(),
    seed,
    kills: 20,
    completions: 100,
    // Less than a test may take, so that a failure says what is missing.
    owedWithin: 120_000,
  });
  assert.deepEqual([Object.keys(faults), failures], [[], []]);
  assert.ok(kills >= 20 && acknowledged.completions >= 100);
  for (const [what, count] of Object.entries(acknowledged)) assert.ok(count > 0, what);
  assert.ok(counts.reminders > 0 && counts.told > counts.reminders);
});

/** A Worker that answers half a minute before it writes records with this text. */
const early = (mark) => `
  import * as built from "./index.js";
  export const { KeyObject, IndexObject } = built;
  export default { fetch: (request, env, context) => built.default.fetch(request, env, context) };
  const around = (target, replaced) =>
    new Proxy(target, {
      get(_, name) {
        if (name in replaced) return replaced[name];
        const value = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  function early(state) {
    const { kv } = state.storage;
    const late = new Map();
    const get = (key) => late.get(key) ?? kv.get(key);
    const put = (key, value) => {
      const start = new TextDecoder().decode(value.slice(0, 10_000));
      if (!start.includes('${mark}')) return kv.put(key, value);
      late.set(key, value);
      setTimeout(() => kv.put(key, value), 30_000);
    };
    return around(state, { storage: around(state.storage, { kv: around(kv, { get, put }) }) });
  }
  export class TokenObject {
    constructor(state, env) {
      this.built = new built.TokenObject(early(state), env);
    }
    fetch = (request) => this.built.fetch(request);
    alarm = () => this.built.alarm();
    webSocketMessage = () => {};
    webSocketClose = (socket) => this.built.webSocketClose(socket);
    webSocketError = () => {};
  }`;

test("a Worker that answers before it has written is found out", async () => {
  const { faults } = await crash({
    target: waitpoint({}, early('"completed"')),
    storage: temporaryFolder(),
    seed,
    kills: 2,
    completions: 10,
    owedWithin: 0,
  });
  assert.ok(faults.lost?.length > 0, "completions were lost");
});

test("and one that answers before it has written a vote", async () => {
  const { faults } = await crash({
    target: waitpoint({}, early('"votes"')),
    storage: temporaryFolder(),
    seed,
    kills: 6,
    completions: 30,
    owedWithin: 0,
  });
  assert.ok(
    faults.lost?.some(({ approvers }) => approvers),
    "votes were lost",
  );
});
