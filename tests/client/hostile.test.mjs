// A server that answers whatever it likes: each call of the packed package ends with what its types
// say, or with a WaitpointError. A TypeError from inside the package would be neither.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { KEY } from "../support/harness.mjs";
import { installed } from "../support/package.mjs";

const { folder } = installed();
const {
  WaitpointError,
  completeToken,
  createToken,
  decodeToken,
  listTokens,
  retrieveToken,
  waitForToken,
} = await import(pathToFileURL(join(folder, "node_modules/waitpoint/server.js")));

// With fields that the package does not know.
const TOKEN = {
  ...{
    type: "MANUAL",
    userProvidedIdempotencyKey: false,
    createdBy: { id: 1 },
    deletedAt: 5,
    id: "waitpoint_c1",
    url: "https://x/",
    status: "WAITING",
    tags: ["a"],
    createdAt: "2026-01-02T03:04:05.678Z",
  },
  ...{
    timeoutAt: "2026-01-03T00:00:00.000Z",
    idempotencyKey: "k",
    idempotencyKeyExpiresAt: "2026-01-03T00:00:00.000Z",
  },
};
const COMPLETED = {
  ...TOKEN,
  ...{
    status: "COMPLETED",
    completedAt: "2026-01-02T04:00:00.000Z",
    completedBy: "api",
    completedBySubject: "ann",
  },
  ...{ output: '{"a":1}', outputType: "application/json", outputIsError: false },
};
const TIMED_OUT = {
  ...TOKEN,
  status: "TIMED_OUT",
  output: '{"message":"late"}',
  outputType: "application/json",
  outputIsError: true,
};
const CREATED = { id: "waitpoint_c1", url: "https://x/", isCached: false };
const PAGE = { data: [TOKEN], pagination: { next: "1", previous: "2" } };

/** What an answer may hold instead of anything, as JSON. */
const VALUES = [
  ...[
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
  ],
  ...[
    "[]",
    "[null]",
    "[[]]",
    '["x"]',
    "{}",
    '{"toString":1}',
    '{"toString":1,"valueOf":1}',
    '{"then":1}',
    '{"length":-1}',
  ],
  ...[
    '{"__proto__":{"status":"COMPLETED"}}',
    '{"constructor":{"prototype":1}}',
    '{"toJSON":1}',
    '{"0":1,"length":1}',
    "[[[[[[[[]]]]]]]]",
  ],
  `${"[".repeat(5_000)}${"]".repeat(5_000)}`,
  `"${"9".repeat(100_000)}"`,
];

/**
 * The JSON of an answer with each of the values above in place of each of its parts; also with
 * fields that it does not have.
 */
function* variants(answer) {
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

let answer = { status: 200, headers: {}, body: "" };
let answers = [];
const server = createServer((_, response) => {
  const { status = 200, headers = {}, body = "" } = answers.shift() ?? answer;
  response.writeHead(status, headers).end(body);
});
const options = { accessToken: KEY, retry: false, baseURL: "" };
before(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  options.baseURL = `http://127.0.0.1:${server.address().port}`;
});
const { WebSocket } = globalThis;
afterEach(() => {
  globalThis.WebSocket = WebSocket;
  answers = [];
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const isText = (value) => typeof value === "string";
const isDate = (value) => value instanceof Date && !Number.isNaN(value.getTime());
const orAbsent = (fits) => (value) => value === undefined || value === null || fits(value);

/** What RetrievedToken says in index.d.ts. */
function assertToken(token) {
  const {
    id,
    url,
    status,
    tags,
    createdAt,
    completedAt,
    timeoutAt,
    idempotencyKey,
    idempotencyKeyExpiresAt,
    completedBy,
    completedBySubject,
    error,
  } = token;
  assert.ok([id, url].every(isText) && /^https?:/.test(url));
  assert.ok(["WAITING", "COMPLETED", "TIMED_OUT"].includes(status));
  assert.ok(Array.isArray(tags) && tags.every(isText));
  assert.ok(
    isDate(createdAt) && [completedAt, timeoutAt, idempotencyKeyExpiresAt].every(orAbsent(isDate)),
  );
  assert.ok([idempotencyKey, completedBy, completedBySubject].every(orAbsent(isText)));
  assert.ok(
    error === undefined ||
      (error instanceof WaitpointError && error.code === "timed_out" && isText(error.message)),
  );
  assert.equal(Object.getPrototypeOf(token), Object.prototype);
  assert.equal({}.status, undefined);
}

/** Calls with each variant as the answer; counts what was taken and what was refused. */
async function attack(bodies, call, assertResult) {
  const counts = { taken: 0, refused: 0 };
  for (const body of bodies) {
    answer = { body };
    try {
      assertResult(await call());
      counts.taken++;
    } catch (error) {
      assert.ok(error instanceof WaitpointError, `${body.slice(0, 300)}\n${error.stack}`);
      assert.equal(error.code, "invalid_response", body.slice(0, 300));
      counts.refused++;
    }
  }
  assert.ok(counts.taken > 0 && counts.refused > VALUES.length, JSON.stringify(counts));
}

for (const [name, token] of Object.entries({ TOKEN, COMPLETED, TIMED_OUT })) {
  test(`a token that is read: ${name}`, () =>
    attack(variants(token), () => retrieveToken("waitpoint_c1", options), assertToken));
}

test("fields that the package does not know stay as they are", async () => {
  answer = { body: JSON.stringify(TOKEN) };
  const { type, userProvidedIdempotencyKey, createdBy, deletedAt } = await retrieveToken(
    "waitpoint_c1",
    options,
  );
  assert.deepEqual(
    [type, userProvidedIdempotencyKey, createdBy, deletedAt],
    ["MANUAL", false, { id: 1 }, 5],
  );
});

test("a token that is made", () => {
  const isCreated = ({ id, url, isCached, publicAccessToken }) =>
    assert.ok(
      [id, url].every(isText) &&
        typeof isCached === "boolean" &&
        orAbsent(isText)(publicAccessToken),
    );
  return attack(variants(CREATED), () => createToken({}, options), isCreated);
});

test("a page of tokens", () =>
  attack(
    variants(PAGE),
    () => listTokens({}, options),
    (page) => {
      page.data.forEach(assertToken);
      assert.ok([page.pagination.next, page.pagination.previous].every(orAbsent(isText)));
      assert.ok(
        [page.hasNextPage(), page.hasPreviousPage()].every((has) => typeof has === "boolean"),
      );
    },
  ));

test("a list that leads back to where it is ends", async () => {
  answer = { body: JSON.stringify(PAGE) };
  let count = 0;
  const all = async () => {
    for await (const _ of listTokens({}, options)) if (++count > 5) return;
  };
  await assert.rejects(all(), { name: "WaitpointError", code: "invalid_response" });
  assert.equal(count, 1);
});

test("a list of empty pages with ever new cursors ends", async () => {
  let asked = 0;
  answer = {
    get body() {
      return JSON.stringify({ data: [], pagination: { next: `c${++asked}` } });
    },
  };
  for await (const _ of listTokens({}, options)) assert.fail("there is none");
  assert.equal(asked, 1);
});

test("a completion", () =>
  attack(
    variants({ success: true }),
    () => completeToken("waitpoint_c1", 1, options),
    ({ success }) => assert.equal(success, true),
  ));

test("the end of a wait, by long poll", async () => {
  globalThis.WebSocket = undefined;
  const ends = [...variants(COMPLETED)].filter((body) =>
    ["COMPLETED", "TIMED_OUT"].includes(JSON.parse(body)?.status),
  );
  await attack(
    ends,
    () => {
      answers = [{ body: JSON.stringify(TOKEN) }];
      return waitForToken("waitpoint_c1", options);
    },
    assertToken,
  );
  // The first reading is an answer as any other.
  for (const body of VALUES) {
    answer = { body };
    await assert.rejects(waitForToken("waitpoint_c1", options), {
      name: "WaitpointError",
      code: "invalid_response",
    });
  }
});

/** A socket that says these things, one after the other. */
const socketThatSays = (messages) =>
  class extends EventTarget {
    constructor() {
      super();
      const dispatch = (data) => this.dispatchEvent(Object.assign(new Event("message"), { data }));
      setTimeout(() => {
        for (const data of messages) dispatch(data);
      });
    }
    close() {}
    send() {}
  };

test("the end of a wait, by socket", async () => {
  const ends = [...variants(COMPLETED)].filter((body) =>
    ["COMPLETED", "TIMED_OUT"].includes(JSON.parse(body)?.status),
  );
  const noise = ["", "pong", new Uint8Array(3), new Blob(["x"]), ...VALUES];
  let body;
  const messages = function* () {
    for (body of ends) yield body;
  };
  await attack(
    messages(),
    () => {
      answers = [{ body: JSON.stringify(TOKEN) }];
      globalThis.WebSocket = socketThatSays([...noise, body]);
      return waitForToken("waitpoint_c1", options);
    },
    assertToken,
  );
});

test("what is no end of a wait is waited through, until the caller gives up", async () => {
  answers = [{ body: JSON.stringify(TOKEN) }];
  globalThis.WebSocket = socketThatSays(VALUES);
  const signal = AbortSignal.timeout(300);
  await assert.rejects(waitForToken("waitpoint_c1", { ...options, signal }), {
    name: "WaitpointError",
    code: "aborted",
  });
});

test("an error's body", async () => {
  const bodies = [
    ...variants({ error: "Sentence", code: "a_code" }),
    ...variants({ error: { message: "Sentence" } }),
    "<h1>502</h1>",
    "{",
    "",
  ];
  for (const status of [400, 401, 404, 429, 500, 503]) {
    for (const body of bodies) {
      answer = { status, body };
      const error = await completeToken("waitpoint_c1", 1, options).then(
        () => assert.fail("taken"),
        (error) => error,
      );
      assert.ok(error instanceof WaitpointError, `${body.slice(0, 300)}\n${error.stack}`);
      assert.ok(
        isText(error.message) &&
          isText(error.code) &&
          error.status === status &&
          typeof error.retryable === "boolean",
      );
    }
  }
});

test("headers", async () => {
  const texts = [
    "",
    " ",
    "constructor",
    "__proto__",
    "toString",
    "-1",
    "NaN",
    "Infinity",
    "1e999",
    "9".repeat(400),
    "Thu, 99 Foo 2099",
    "null",
    "{}",
    "true, true",
  ];
  const retry = { maxAttempts: 2, minTimeoutInMs: 1, maxTimeoutInMs: 1 };
  for (const text of texts) {
    answer = { body: '{"success":true}', headers: { "waitpoint-outcome": text } };
    const { outcome } = await completeToken("waitpoint_c1", 1, options);
    assert.equal(outcome, undefined, text);
    for (const name of ["retry-after", "x-should-retry", "x-ratelimit-reset"]) {
      answer = { status: 429, body: "{}", headers: { [name]: text } };
      const started = Date.now();
      await assert.rejects(completeToken("waitpoint_c1", 1, { ...options, retry }), {
        name: "WaitpointError",
        code: "http_429",
      });
      assert.ok(Date.now() - started < 2_000, `${name}: ${text}`);
    }
  }
  for (const outcome of ["completed", "already-completed", "timed-out"]) {
    answer = { body: '{"success":true}', headers: { "waitpoint-outcome": outcome } };
    assert.equal((await completeToken("waitpoint_c1", 1, options)).outcome, outcome);
  }
});

test("the claims of a public access token", () => {
  const claims = {
    sub: "default",
    scopes: ["read:waitpoints:waitpoint_c1"],
    exp: 2_000_000_000,
    act: { sub: "ann" },
  };
  for (const body of variants(claims)) {
    const text = `e30.${Buffer.from(body).toString("base64url")}.c`;
    try {
      const { id, environment, scopes, expiresAt, subject } = decodeToken(text);
      assert.ok(
        orAbsent(isText)(id) &&
          isText(environment) &&
          scopes.every(isText) &&
          isDate(expiresAt) &&
          orAbsent(isText)(subject),
      );
    } catch (error) {
      assert.ok(
        error instanceof WaitpointError && error.code === "invalid_argument",
        `${body.slice(0, 300)}\n${error.stack}`,
      );
    }
  }
});
