// A short `npm run crash`, and proof that it would find faults.
import assert from "node:assert/strict";
import { test } from "node:test";
import { temporaryFolder } from "../support/harness.mjs";
import { waitpoint } from "../support/workerd.mjs";
import { crash } from "./crash.mjs";
import { History } from "./history.mjs";

// Each run has another seed. A failure names it.
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 2 ** 31);

test(`twenty kills under load: what was told stands (CRASH_SEED=${seed})`, async () => {
  const { kills, acknowledged, faults, failures } = await crash({
    target: waitpoint(),
    storage: temporaryFolder(),
    seed,
    kills: 20,
    completions: 100,
    // Less than a test may take, so that a failure says what is missing.
    owedWithin: 120_000,
  });
  assert.deepEqual([Object.keys(faults), failures], [[], []]);
  assert.ok(kills >= 20 && acknowledged >= 100);
});

// A Worker that answers completions half a minute before it writes them.
const EARLY = `
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
      const start = new TextDecoder().decode(value.slice(0, 2000));
      if (!start.includes('"completed"')) return kv.put(key, value);
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
    target: waitpoint({}, EARLY),
    storage: temporaryFolder(),
    seed,
    kills: 2,
    completions: 10,
    owedWithin: 0,
  });
  assert.ok(faults.lost?.length > 0, "completions were lost");
});

// Faults of a token that was created at 1 and times out at 100, and events that show them: the
// kind, when each began and ended, and what was told.
const HISTORIES = [
  [
    "one wins, one loses",
    [],
    [
      ["decided", 2, 4, "completed", "1"],
      ["decided", 3, 6, "already-completed", "2"],
      ["shown", 7, 8, "COMPLETED", "1"],
    ],
  ],
  [
    "an answer on its way while another ends",
    [],
    [
      ["decided", 2, 3, "completed", "1"],
      ["shown", 2, 9, "WAITING"],
    ],
  ],
  [
    "a decision whose answer was lost",
    [],
    [
      ["shown", 4, 5, "COMPLETED", "2"],
      ["decided", 6, 7, "already-completed", "2"],
    ],
  ],
  [
    "a timeout",
    [],
    [
      ["decided", 101, 102, "timed-out", "1"],
      ["shown", 103, 104, "TIMED_OUT"],
    ],
  ],
  [
    "it waits again",
    ["lost"],
    [
      ["decided", 2, 3, "completed", "1"],
      ["shown", 4, 5, "WAITING"],
    ],
  ],
  [
    "it is gone",
    ["lost", "vanished"],
    [
      ["decided", 2, 3, "completed", "1"],
      ["missing", 4, 5],
    ],
  ],
  [
    "it timed out after all",
    ["contradictory", "lost"],
    [
      ["decided", 2, 3, "completed", "1"],
      ["shown", 101, 102, "TIMED_OUT"],
    ],
  ],
  [
    "it has another's output",
    ["contradictory", "lost"],
    [
      ["decided", 2, 3, "completed", "1"],
      ["shown", 4, 5, "COMPLETED", "2"],
    ],
  ],
  [
    "it had another's output",
    ["contradictory"],
    [
      ["shown", 2, 3, "COMPLETED", "2"],
      ["decided", 4, 5, "completed", "1"],
    ],
  ],
  [
    "two are told that they were first",
    ["doubled"],
    [
      ["decided", 2, 3, "completed", "1"],
      ["decided", 2, 4, "completed", "2"],
    ],
  ],
  [
    "one is told so twice",
    ["doubled"],
    [
      ["decided", 2, 3, "completed", "1"],
      ["decided", 4, 5, "completed", "1"],
    ],
  ],
  [
    "it was read as ended, and waits",
    ["contradictory"],
    [
      ["shown", 2, 3, "COMPLETED", "1"],
      ["shown", 4, 5, "WAITING"],
    ],
  ],
  [
    "it timed out, and was completed",
    ["contradictory"],
    [
      ["shown", 101, 102, "TIMED_OUT"],
      ["decided", 99, 103, "completed", "1"],
    ],
  ],
  ["it timed out too early", ["contradictory"], [["shown", 2, 3, "TIMED_OUT"]]],
  ["it waits for too long", ["contradictory"], [["shown", 101, 102, "WAITING"]]],
  ["it is completed too late", ["contradictory"], [["decided", 101, 102, "completed", "1"]]],
  ["an output that nobody sent", ["contradictory"], [["shown", 2, 3, "COMPLETED", "3"]]],
  ["a creation is forgotten", ["vanished"], [["missing", 2, 3]]],
  ["a key leads to two", ["split"], [["created", 0, 2, "b", "other"]]],
  ["two are told that theirs was new", ["split"], [["created", 0, 2, "a", "other"]]],
];

test("the checker tells what cannot be true", () => {
  for (const [what, faults, events] of HISTORIES) {
    const history = new History();
    history.timeoutAt = 100;
    history.sent = new Set(["1", "2"]);
    for (const [kind, began, ended, told, of] of [["created", 0, 1, "a", "one"], ...events]) {
      const fields = {
        created: { id: told, isCached: false, request: of },
        decided: { outcome: told, output: of },
        shown: { status: told, output: of },
      };
      history.add({ kind, began, ended, ...fields[kind] });
    }
    assert.deepEqual(history.faults().sort(), faults, what);
  }
});
