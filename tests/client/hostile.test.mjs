// A server that sends any response: each call of the packed package returns what its types say, or
// rejects with a WaitpointError. A TypeError from the package's inside would be neither.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { KEY } from "../support/harness.mjs";
import {
  CANCELLED,
  COMPLETED,
  CREATED,
  PAGE,
  TIMED_OUT,
  TOKEN,
  VALUES,
  variants,
} from "../support/hostile-responses.mjs";
import { installed } from "../support/package.mjs";

const { folder } = installed();
const {
  WaitpointError,
  cancelToken,
  completeToken,
  createToken,
  decodeToken,
  extendToken,
  listTokens,
  retrieveToken,
  waitForToken,
} = await import(pathToFileURL(join(folder, "node_modules/waitpoint/server.js")));

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
const isObject = (value) => typeof value === "object" && value !== null;
const orAbsent = (fits) => (value) => value === undefined || value === null || fits(value);

/** Asserts what index.d.ts says of a RetrievedToken. */
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
    cancelledAt,
    history,
    deliveries,
    error,
  } = token;
  const code = cancelledAt ? "cancelled" : "timed_out";
  assert.ok([id, url].every(isText) && /^https?:/.test(url));
  assert.ok(["WAITING", "COMPLETED", "TIMED_OUT"].includes(status));
  assert.ok(Array.isArray(tags) && tags.every(isText));
  const dates = [completedAt, timeoutAt, idempotencyKeyExpiresAt, cancelledAt];
  for (const entries of [history, deliveries].filter(Array.isArray))
    for (const { at, timeoutAt, nextAttemptAt } of entries.filter(isObject))
      dates.push(at, timeoutAt, nextAttemptAt);
  assert.ok(isDate(createdAt) && dates.every(orAbsent(isDate)));
  assert.ok([idempotencyKey, completedBy, completedBySubject].every(orAbsent(isText)));
  assert.ok(
    error === undefined ||
      (error instanceof WaitpointError && isText(error.message) && error.code === code),
  );
  assert.equal(Object.getPrototypeOf(token), Object.prototype);
  assert.equal({}.status, undefined);
}

/** Calls with each body as the response, and counts those that were accepted and refused. */
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

for (const [name, token] of Object.entries({ TOKEN, COMPLETED, TIMED_OUT, CANCELLED })) {
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

test("a token that is extended", () =>
  attack(
    variants(CANCELLED),
    () => extendToken("waitpoint_c1", { ...options, timeout: "1h" }),
    (token) => {
      assertToken(token);
      assert.equal(token.publicAccessToken, undefined);
    },
  ));

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
  const all = async () => {
    for await (const _ of listTokens({}, options)) assert.fail("there is none");
  };
  await assert.rejects(all(), {
    name: "WaitpointError",
    code: "invalid_response",
    message: /1001 empty pages in a row/,
  });
  assert.equal(asked, 1001);
});

for (const [name, call] of Object.entries({
  completion: () => completeToken("waitpoint_c1", 1, options),
  cancellation: () => cancelToken("waitpoint_c1", options),
})) {
  test(`a ${name}`, () =>
    attack(variants({ success: true }), call, (answer) =>
      assert.deepEqual(answer, { success: true, outcome: undefined }),
    ));
}

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
  // The first read is a response as any other.
  for (const body of VALUES) {
    answer = { body };
    await assert.rejects(waitForToken("waitpoint_c1", options), {
      name: "WaitpointError",
      code: "invalid_response",
    });
  }
});

/** A socket that sends these messages. */
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
