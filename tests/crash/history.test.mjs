// Proof that the checker of a run's histories finds faults.
import assert from "node:assert/strict";
import { test } from "node:test";
import { History } from "./history.mjs";
import { ofShown, VOTES } from "./votes.mjs";

// Faults of a token that was created at 1 and times out at 100, and events that show them: the
// kind, when each began and ended, and what was told. Others have another timeout or recipients.
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
  [
    "a cancel wins, and is repeated",
    [],
    [
      ["cancelled", 2, 3, "cancelled"],
      ["cancelled", 4, 5, "cancelled"],
      ["decided", 2, 6, "cancelled", "1"],
      ["shown", 7, 8, "CANCELLED", "why"],
    ],
  ],
  [
    "a cancel is undone",
    ["lost"],
    [
      ["cancelled", 2, 3, "cancelled"],
      ["shown", 4, 5, "WAITING"],
    ],
  ],
  [
    "a cancelled token is completed",
    ["contradictory", "lost"],
    [
      ["cancelled", 2, 3, "cancelled"],
      ["decided", 4, 5, "completed", "1"],
    ],
  ],
  ["a reason that nobody gave", ["contradictory"], [["shown", 2, 3, "CANCELLED", "x"]]],
  [
    "the timeout is moved, and holds",
    [],
    [
      ["extended", 2, 3, "extended", 300],
      ["shown", 4, 5, "WAITING", undefined, 300],
      ["shown", 150, 151, "WAITING", undefined, 300],
      ["shown", 301, 302, "TIMED_OUT", undefined, 300],
      ["extended", 303, 304, "timed-out", 900],
    ],
  ],
  [
    "an extension without a response did something",
    [],
    [
      ["extended", 2, 3, undefined, 300],
      ["shown", 150, 151, "WAITING", undefined, 300],
    ],
  ],
  [
    "an extension without a response did nothing",
    [],
    [
      ["extended", 2, 3, undefined, 300],
      ["shown", 150, 151, "TIMED_OUT", undefined, 100],
    ],
  ],
  [
    "an extension is forgotten",
    ["lost"],
    [
      ["extended", 2, 3, "extended", 300],
      ["shown", 4, 5, "WAITING", undefined, 100],
    ],
  ],
  [
    "it times out although it was extended",
    ["contradictory"],
    [
      ["extended", 2, 3, "extended", 300],
      ["shown", 150, 151, "TIMED_OUT"],
    ],
  ],
  [
    "a timeout that nobody asked for",
    ["contradictory"],
    [["shown", 4, 5, "WAITING", undefined, 200]],
  ],
  ["it is extended too late", ["contradictory"], [["extended", 101, 102, "extended", 300]]],
  [
    "it is extended after its end",
    ["lost"],
    [
      ["decided", 2, 3, "completed", "1"],
      ["extended", 4, 5, "extended", 300],
    ],
  ],
  ["the default decision", [], [["shown", 100, 101, "COMPLETED", "9"]], { fallback: "9" }],
  [
    "the default decision comes too early",
    ["contradictory"],
    [["shown", 2, 3, "COMPLETED", "9"]],
    { fallback: "9" },
  ],
  [
    "a timeout despite a default decision",
    ["contradictory"],
    [["decided", 101, 102, "timed-out", "1"]],
    { fallback: "9" },
  ],
  ["nobody is told of a creation", ["untold"], [], { recipients: ["hook"] }],
  [
    "all is told, some of it twice and late",
    [],
    [
      ["told", 1, 1, "own", "created", "m1", 1],
      ["told", 2, 2, "hook", "created", "m1", 1],
      ["extended", 3, 5, "extended", 300],
      ["told", 4, 4, "own", "extended", "m2", 4],
      ["decided", 6, 8, "completed", "1"],
      ["told", 7, 7, "own", "completed", "m3", 7, "1"],
      ["told", 90_000, 90_000, "hook", "created", "m1", 1],
      ["told", 90_000, 90_000, "own", "completed", "m3", 7, "1"],
    ],
    { recipients: ["own", "hook"] },
  ],
  [
    "nobody is told of an extension and the end",
    ["untold"],
    [
      ["told", 1, 1, "own", "created", "m1", 1],
      ["extended", 3, 5, "extended", 300],
      ["decided", 6, 8, "completed", "1"],
    ],
    { recipients: ["own"] },
  ],
  [
    "a later extension is told instead",
    [],
    [
      ["told", 1, 1, "own", "created", "m1", 1],
      ["extended", 3, 5, "extended", 300],
      ["extended", 6, 8, undefined, 400],
      ["told", 9, 9, "own", "extended", "m2", 7],
    ],
    { recipients: ["own"] },
  ],
  [
    "two ask for the same timeout, and one of them is told",
    [],
    [
      ["told", 1, 1, "own", "created", "m1", 1],
      ["extended", 3, 5, "extended", 300],
      ["told", 6, 6, "own", "extended", "m2", 4],
      ["extended", 7, 8, "extended", 300],
    ],
    { recipients: ["own"] },
  ],
  [
    "a later extension is not told",
    ["untold"],
    [
      ["told", 1, 1, "own", "created", "m1", 1],
      ["extended", 3, 5, "extended", 300],
      ["told", 6, 6, "own", "extended", "m2", 4],
      ["extended", 7, 8, "extended", 301],
    ],
    { recipients: ["own"] },
  ],
  [
    "another end is told",
    ["contradictory", "lost"],
    [
      ["told", 1, 1, "own", "created", "m1", 1],
      ["decided", 2, 3, "completed", "1"],
      ["told", 4, 4, "own", "cancelled", "m2", 3, "why"],
    ],
    { recipients: ["own"] },
  ],
  ["somebody else is told", ["mistold"], [["told", 1, 1, "slack", "created"]]],
  [
    "a notice tells of the end",
    ["mistold"],
    [
      ["told", 1, 1, "hook", "created", "m1", 1],
      ["told", 4, 4, "hook", "completed", "m2", 3, "1"],
    ],
    { recipients: ["hook"] },
  ],
  [
    "one event, two messages",
    ["mistold"],
    [
      ["told", 1, 1, "hook", "created", "m1", 1],
      ["told", 2, 2, "hook", "created", "m2", 1],
    ],
    { recipients: ["hook"] },
  ],
  [
    "two creations",
    ["mistold"],
    [
      ["told", 1, 1, "hook", "created", "m1", 1],
      ["told", 2, 2, "hook", "created", "m2", 2],
    ],
    { recipients: ["hook"] },
  ],
  [
    "an extension that nobody made",
    ["mistold"],
    [
      ["told", 1, 1, "own", "created", "m1", 1],
      ["told", 3, 3, "own", "extended", "m2", 2],
    ],
    { recipients: ["own"] },
  ],
  ...[
    ["a reminder, before the end and until an attempt is over", [], [50, 51], [50, 10_060]],
    ["a reminder that was not asked for", ["mistold"], [50, 51], undefined, false],
    ["a reminder too early", ["mistold"], [50, 49]],
    ["a reminder that was due after the end", ["mistold"], [62, 63]],
    ["a reminder long after the end", ["mistold"], [50, 10_062]],
    ["reminders too close", ["mistold"], [50, 51], [55, 56]],
  ].map(([what, faults, one, other, hasReminders = true]) => [
    what,
    faults,
    [
      ["told", 1, 1, "hook", "created", "m1", 1],
      ...[one, other]
        .filter(Boolean)
        .map(([at, received]) => ["told", received, received, "hook", "reminder", `m${at}`, at]),
      ["decided", 59, 61, "completed", "1"],
    ],
    { recipients: ["hook"], hasReminders },
  ]),
  [
    "no reminder came",
    ["untold"],
    [["told", 1, 1, "hook", "created", "m1", 1]],
    { recipients: ["hook"], hasReminders: true, owesReminder: true },
  ],
];

test("the checker tells what cannot be true", () => {
  for (const [what, faults, events, settings] of [...HISTORIES, ...VOTES]) {
    const history = Object.assign(new History(), { timeoutAt: 100, ...settings });
    history.sent = new Set(["1", "2", "why"]);
    for (const [kind, began, ended, told, of, ...more] of [
      ["created", 0, 1, "a", "one"],
      ...events,
    ]) {
      const fields = {
        created: { id: told, isCached: false, request: of },
        decided: { outcome: told, output: of },
        cancelled: { outcome: told },
        extended: { outcome: told, to: of },
        shown: { status: told, output: of, ...ofShown(more) },
        voted: {
          approver: told,
          choice: of,
          comment: "",
          outcome: more.length > 0 ? more[0] : "voted",
        },
        told: { by: told, type: of, message: more[0], at: more[1], output: more[2] },
      };
      history.add({ kind, began, ended, ...fields[kind] });
    }
    assert.deepEqual(history.faults().sort(), faults, what);
  }
});
