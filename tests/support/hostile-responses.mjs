// Responses of the API, and what a hostile server may send instead.

// It has fields that the package does not know.
export const TOKEN = {
  type: "MANUAL",
  userProvidedIdempotencyKey: false,
  createdBy: { id: 1 },
  deletedAt: 5,
  id: "waitpoint_c1",
  url: "https://x/",
  status: "WAITING",
  tags: ["a"],
  createdAt: "2026-01-02T03:04:05.678Z",
  timeoutAt: "2026-01-03T00:00:00.000Z",
  idempotencyKey: "k",
  idempotencyKeyExpiresAt: "2026-01-03T00:00:00.000Z",
};
export const COMPLETED = {
  ...TOKEN,
  status: "COMPLETED",
  completedAt: "2026-01-02T04:00:00.000Z",
  completedBy: "api",
  completedBySubject: "ann",
  output: '{"a":1}',
  outputType: "application/json",
  outputIsError: false,
};
export const TIMED_OUT = {
  ...TOKEN,
  status: "TIMED_OUT",
  output: '{"message":"late"}',
  outputType: "application/json",
  outputIsError: true,
};
export const CANCELLED = {
  ...TIMED_OUT,
  cancelledAt: "2026-01-02T04:00:00.000Z",
  cancelReason: "why",
  output: '{"message":"why"}',
  history: [
    { type: "extended", at: "2026-01-02T03:30:00.000Z", timeoutAt: "2026-01-03T00:00:00.000Z" },
  ],
  deliveries: [{ event: "waitpoint.cancelled", nextAttemptAt: "2026-01-02T04:00:10.000Z" }],
};
export const CREATED = { id: "waitpoint_c1", url: "https://x/", isCached: false };
export const PAGE = { data: [TOKEN], pagination: { next: "1", previous: "2" } };

/** JSON values that a response may hold anywhere. */
export const VALUES = [
  "null",
  "true",
  "false",
  "0",
  "-1",
  "5",
  "1e999",
  "-1e999",
  "1e308",
  '""',
  '"x"',
  '"constructor"',
  '"__proto__"',
  '"a\\nb"',
  "[]",
  "[null]",
  "[[]]",
  '["x"]',
  "{}",
  '{"toString":1}',
  '{"toString":1,"valueOf":1}',
  '{"then":1}',
  '{"length":-1}',
  '{"__proto__":{"status":"COMPLETED"}}',
  '{"constructor":{"prototype":1}}',
  '{"toJSON":1}',
  '{"0":1,"length":1}',
  "[[[[[[[[]]]]]]]]",
  `${"[".repeat(5_000)}${"]".repeat(5_000)}`,
  `"${"9".repeat(100_000)}"`,
];

/**
 * The response as JSON with each of its parts, and with fields that it does not have, replaced by
 * each of the values above.
 */
export function* variants(answer) {
  for (const value of VALUES) yield value;
  for (const path of parts(answer)) for (const value of VALUES) yield replaced(answer, path, value);
}

const parts = (value, path = []) =>
  Object(value) !== value
    ? []
    : [
        ...Object.keys(value),
        ...(Array.isArray(value) ? [] : ["__proto__", "then", "output"]),
      ].flatMap((key) => [
        [...path, key],
        ...parts(Object.hasOwn(value, key) ? value[key] : undefined, [...path, key]),
      ]);

function replaced(answer, [key, ...rest], value) {
  const held = rest.length ? replaced(answer[key], rest, value) : value;
  const fields = Object.keys(answer)
    .filter((name) => name !== key)
    .map((name) => [name, JSON.stringify(answer[name])]);
  if (Array.isArray(answer))
    return `[${answer.map((item, at) => (String(at) === key ? held : JSON.stringify(item)))}]`;
  return `{${[...fields, [key, held]].map(([name, text]) => `${JSON.stringify(name)}:${text}`)}}`;
}
