// Histories of votes, for the proof that the checker finds faults.

// Two of three approvers must agree on the first choice, whose output is 1, or one on the third.
const YES = 0;
const NO = 1;
const VETO = 2;
export const VOTES = [
  [
    "two agree",
    [],
    [
      ["voted", 2, 3, 0, YES],
      ["voted", 4, 6, 1, YES],
      ["shown", 7, 8, "COMPLETED", "1", 5, ["a yes 3", "b yes 5"]],
    ],
  ],
  [
    "one is told that a vote after the end counts",
    ["lost"],
    [
      ["voted", 2, 3, 0, YES],
      ["voted", 4, 6, 1, YES],
      ["voted", 6, 7, 2, YES],
      ["shown", 8, 9, "COMPLETED", "1", 5, ["a yes 3", "b yes 5"]],
    ],
  ],
  [
    "one changes their mind, and one repeats themselves",
    [],
    [
      ["voted", 2, 3, 0, YES],
      ["voted", 4, 5, 0, NO],
      ["voted", 6, 7, 1, YES],
      ["voted", 8, 9, 1, YES],
      ["shown", 10, 11, "WAITING", undefined, undefined, ["a no 5", "b yes 6"]],
    ],
  ],
  [
    "a vote without a response counts",
    [],
    [
      ["voted", 2, 3, 0, YES],
      ["voted", 4, 5, 0, NO, undefined],
      ["shown", 10, 11, "WAITING", undefined, undefined, ["a no 5"]],
    ],
  ],
  [
    "a vote without a response does not count",
    [],
    [
      ["voted", 2, 3, 0, YES],
      ["voted", 4, 5, 0, NO, undefined],
      ["shown", 10, 11, "WAITING", undefined, undefined, ["a yes 2"]],
    ],
  ],
  [
    "a vote on its way",
    [],
    [
      ["voted", 2, 12, 0, YES],
      ["shown", 10, 11, "WAITING", undefined, undefined, []],
    ],
  ],
  [
    "a veto",
    [],
    [
      ["voted", 2, 3, 0, VETO],
      ["shown", 10, 11, "COMPLETED", "2", 3, ["a never 3"]],
    ],
  ],
  [
    "a vote is forgotten",
    ["lost"],
    [
      ["voted", 2, 3, 0, YES],
      ["shown", 10, 11, "WAITING", undefined, undefined, []],
    ],
  ],
  [
    "a vote before the end is forgotten",
    ["lost"],
    [
      ["voted", 2, 3, 0, YES],
      ["voted", 4, 6, 1, YES],
      ["voted", 4, 6, 2, YES],
      ["shown", 8, 9, "COMPLETED", "1", 5, ["b yes 5", "c yes 4"]],
    ],
  ],
  [
    "a vote before a timeout is forgotten",
    ["lost"],
    [
      ["voted", 2, 3, 0, YES],
      ["shown", 101, 102, "TIMED_OUT", undefined, 100, []],
    ],
  ],
  [
    "a replaced vote counts",
    ["lost"],
    [
      ["voted", 2, 3, 0, YES],
      ["voted", 4, 5, 0, NO],
      ["shown", 10, 11, "WAITING", undefined, undefined, ["a yes 2"]],
    ],
  ],
  [
    "both votes of one count",
    ["contradictory", "lost"],
    [
      ["voted", 2, 3, 0, YES],
      ["voted", 4, 5, 0, NO],
      ["shown", 10, 11, "WAITING", undefined, undefined, ["a yes 2", "a no 4"]],
    ],
  ],
  [
    "a vote that nobody sent",
    ["contradictory"],
    [["shown", 10, 11, "WAITING", undefined, undefined, ["a yes 2"]]],
  ],
  [
    "a vote of nobody who votes",
    ["contradictory"],
    [["shown", 10, 11, "WAITING", undefined, undefined, ["x yes 2"]]],
  ],
  [
    "two agree, and it waits",
    ["contradictory"],
    [
      ["voted", 2, 3, 0, YES],
      ["voted", 4, 5, 1, YES],
      ["shown", 7, 8, "WAITING", undefined, undefined, ["a yes 3", "b yes 5"]],
    ],
  ],
  [
    "one is enough",
    ["contradictory"],
    [
      ["voted", 2, 3, 0, YES],
      ["shown", 7, 8, "COMPLETED", "1", 3, ["a yes 3"]],
    ],
  ],
  [
    "a veto is not enough",
    ["contradictory"],
    [
      ["voted", 2, 3, 0, VETO],
      ["shown", 10, 11, "WAITING", undefined, undefined, ["a never 3"]],
    ],
  ],
  ["somebody else decides", ["contradictory"], [["decided", 2, 3, "completed", "why"]]],
].map(([what, faults, events]) => [
  what,
  faults,
  events,
  {
    approvers: ["a", "b", "c"],
    required: 2,
    choices: [
      { label: "yes", output: "1" },
      { label: "no", output: "3" },
      { label: "never", output: "2", isVeto: true },
    ],
  },
]);

/** A timeout, or when it ended and the votes. */
export const ofShown = ([time, votes]) =>
  Array.isArray(votes) ? { at: time, votes: votes.map(toVote) } : { timeoutAt: time };

const toVote = (text) => {
  const [approver, choice, at] = text.split(" ");
  return { approver, choice, at: new Date(Number(at)).toISOString() };
};
