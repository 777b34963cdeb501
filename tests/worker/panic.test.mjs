// A panic affects only its own request. This Worker is built to panic where a test asks it to (the
// feature `faults`).
import assert from "node:assert/strict";
import { on, once } from "node:events";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { buildFaults } from "../../scripts/lib/build.mjs";
import { TOKENS, until } from "../support/harness.mjs";
import { built, KEY, serve, waitpoint } from "../support/workerd.mjs";

const WEBHOOK_SECRET = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const files = built(await buildFaults());

test("a panic of the Worker fails its own request, and those who wait are told", async () => {
  const worker = await start();
  const [polled, streamed, watched] = [
    await worker.create(),
    await worker.create(),
    await worker.create(),
  ];
  const poll = worker.poll(polled.id);
  const stream = await worker.stream(streamed.id);
  const socket = await worker.watch(watched.id);
  const timed = await worker.watch((await worker.create({ timeout: "2s" })).id);

  await isPanic(await worker.api(TOKENS, { tags: ["fault:worker"] }));
  // The log has the location but not the message, which may quote a caller's text.
  await until(
    () => worker.server.log,
    (log) => /a panic src\/worker\/mod\.rs:\d+/.test(log),
  );
  assert.doesNotMatch(worker.server.log, /fault:worker/);

  // Requests that arrive now are served too.
  const late = await worker.watch(polled.id);
  for (const { id } of [polled, streamed, watched]) await completes(await worker.complete(id, id));
  assert.deepEqual(ended(await (await poll).json()), completed(polled.id));
  for (const [waiter, { id }] of [
    [stream, streamed],
    [socket, watched],
    [late, polled],
  ]) {
    assert.deepEqual(ended(await waiter.end), completed(id));
  }
  await completes(await worker.complete((await worker.create()).id, 1));
  assert.equal((await timed.end).status, "TIMED_OUT");
});

test("the response to a panic keeps the rules of every response, CORS included", async () => {
  const worker = await start();
  const token = `${TOKENS}/waitpoint_c1`;
  const forBrowsers = [token, `${token}/complete`, `${token}/wait`, `${TOKENS}/%2F`];
  const forOthers = [
    ...[
      "/",
      "/healthz",
      "/nothing",
      "/api/v1/auth/jwt/claims",
      "/engine/v1/runs/run_1/waitpoints/tokens/x/wait",
    ],
    ...[
      TOKENS,
      `${TOKENS}/`,
      `${TOKENS}//complete`,
      `${token}/`,
      `${token}/wait/`,
      `${token}/complete/wait`,
      `${token}/other`,
    ],
    ...[
      `${token}/callback/x`,
      `${token}/callback/complete`,
      `/v1${token}`,
      `${token.replace("api", "API")}/wait`,
    ],
  ];
  const origin = "https://app.example";
  const options = { redirect: "manual" };
  for (const path of [...forBrowsers, ...forOthers]) {
    const page = forBrowsers.includes(path) ? origin : null;
    const usual = await worker.api(path, undefined, { origin }, options);
    await usual.body?.cancel();
    const answer = await worker.api(`${path}?fault:request`, undefined, { origin }, options);
    const rules = [
      "access-control-allow-origin",
      "x-content-type-options",
      "x-robots-tag",
      "strict-transport-security",
    ];
    for (const name of rules)
      assert.equal(answer.headers.get(name), usual.headers.get(name), `${name} of ${path}`);
    await isPanic(answer, page);
  }
});

test("a page is told in words", async () => {
  const worker = await start();
  const answer = await worker.api(TOKENS, { tags: ["fault:worker"] }, { accept: "text/html,*/*" });
  assert.deepEqual(
    [answer.status, answer.headers.get("content-type")],
    [500, "text/plain; charset=utf-8"],
  );
  assert.match(await answer.text(), /safe to try again/);
});

test("after many panics in a row everything is as it was", async () => {
  const worker = await start();
  const tokens = await Promise.all(Array.from({ length: 4 }, () => worker.create()));
  const done = await worker.create();
  await completes(await worker.complete(done.id, "kept"));
  const [polled, watched, streamed, unsettled] = tokens;
  const poll = worker.poll(polled.id);
  const cutOff = assert.rejects((await worker.stream(streamed.id)).end);
  const socket = await worker.watch(watched.id);
  const others = Array.from({ length: 50 }, () => worker.api(TOKENS, {}));
  for (let count = 0; count < 25; count += 1) {
    await isPanic(await worker.api(TOKENS, { tags: ["fault:worker"] }));
  }
  // Concurrent requests may have to be sent again, and no more.
  const created = [];
  for (const answer of await Promise.all(others)) {
    if (answer.status === 200) created.push(await answer.json());
    else await isPanic(answer);
  }
  for (const { id } of created) assert.equal((await worker.retrieve(id)).status, "WAITING");
  await until(
    () => worker.server.log,
    (log) => log.includes("the instance is replaced"),
  );
  for (const { id } of tokens) await completes(await worker.complete(id, id));
  assert.deepEqual(ended(await (await poll).json()), completed(polled.id));
  // A stream ends with the instance that feeds it, so that its client reconnects. It must not hang.
  await cutOff;
  assert.deepEqual(ended(await (await worker.stream(streamed.id)).end), completed(streamed.id));
  assert.deepEqual(ended(await socket.end), completed(watched.id));
  assert.deepEqual(ended(await worker.retrieve(unsettled.id)), completed(unsettled.id));
  assert.deepEqual(ended(await worker.retrieve(done.id)), completed("kept"));
});

test("a panic of an object leaves the token as it was, and is a retryable 503", async () => {
  const worker = await start();
  const { id } = await worker.create();
  const sockets = [await worker.watch(id), await worker.watch(id)];
  const poll = worker.poll(id);
  // So many panics replace the instance, which ends a stream.
  const cutOff = assert.rejects((await worker.stream(id)).end);
  for (let count = 0; count < 12; count += 1) {
    const answer = await worker.complete(id, "fault:object");
    const { code } = await answer.json();
    // The latter if the instance was replaced during the request.
    assert.match(`${answer.status} ${code}`, /^(503 storage_trouble|500 internal_error)$/);
    assert.equal(answer.headers.get("x-should-retry"), "true");
    assert.deepEqual(ended(await worker.retrieve(id)), { status: "WAITING", output: undefined });
  }
  await cutOff;
  const stream = await worker.stream(id);
  await completes(await worker.complete(id, "good"));
  for (const waiter of [...sockets, stream])
    assert.deepEqual(ended(await waiter.end), completed("good"));
  assert.deepEqual(ended(await (await poll).json()), completed("good"));
});

test("a panic behind a decision is made good by the alarm", async () => {
  const worker = await start();
  const hooks = await receiver();
  // Nothing else is owed of this token, and nobody asks for it.
  const lone = await worker.create();
  const waiter = await worker.watch(lone.id);
  await completes(await worker.complete(lone.id, "fault:after"));
  const { id } = await worker.create({ webhook: { url: hooks.url } });
  const socket = await worker.watch(id);
  await completes(await worker.complete(id, "fault:after"));
  assert.deepEqual(ended(await worker.retrieve(id)), completed("fault:after"));
  assert.deepEqual(ended(await socket.end), completed("fault:after"));
  assert.equal((await hooks.attempts(1))[0].data.id, id);
  assert.deepEqual(ended(await waiter.end), completed("fault:after"));
});

test("an object that panicked amid its deliveries goes on with them", async () => {
  const worker = await start();
  const hooks = await receiver(500);
  const { id } = await worker.create({ webhook: { url: hooks.url } });
  // The instance is not replaced while this is in flight.
  const poll = worker.poll((await worker.create()).id);
  await completes(await worker.complete(id, "fault:pay"));
  const [first, second] = await hooks.attempts(2);
  assert.deepEqual([first.data.id, second.data.id], [id, id]);
  // The second panic was in an alarm. The platform is not told, as it counts such failures.
  await until(
    () => worker.server.log,
    (log) => log.includes("an alarm failed"),
  );
  assert.doesNotMatch(worker.server.log, /the instance is replaced/);
  await poll.leave();
});

async function start() {
  const server = await serve({ ...waitpoint({ SECRET_KEYS: KEY, WEBHOOK_SECRET }), files });
  after(() => server.stop());
  const authorization = `Bearer ${KEY}`;
  const api = (path, body, headers, options) =>
    fetch(server.url + path, {
      method: body ? "POST" : "GET",
      headers: { authorization, "content-type": "application/json", ...headers },
      body: body && JSON.stringify(body),
      ...options,
    });
  const wait = (id) => `${TOKENS}/${id}/wait`;
  return {
    server,
    api,
    create: async (fields = {}) => (await api(TOKENS, fields)).json(),
    complete: (id, data) => api(`${TOKENS}/${id}/complete`, { data }),
    retrieve: async (id) => (await api(`${TOKENS}/${id}`)).json(),
    /** The response of a long poll. Its `leave` cancels it. */
    poll(id) {
      const leaving = new AbortController();
      const answer = api(wait(id), undefined, { prefer: "wait=25" }, { signal: leaving.signal });
      answer.leave = () => {
        leaving.abort();
        return answer.catch(() => {});
      };
      return answer;
    },
    /** A stream of events that has begun. `end` is its last event. */
    async stream(id) {
      const { body } = await api(wait(id), undefined, { accept: "text/event-stream" });
      const reader = body.pipeThrough(new TextDecoderStream()).getReader();
      let text = (await reader.read()).value;
      const end = async () => {
        for (let read = await reader.read(); !read.done; read = await reader.read())
          text += read.value;
        return JSON.parse(
          text
            .match(/^data: .*$/gm)
            .at(-1)
            .slice("data: ".length),
        );
      };
      return { end: end() };
    },
    /** A socket that has said that the token waits. `end` is its last message. */
    async watch(id) {
      const socket = new WebSocket(server.url.replace("http", "ws") + wait(id), {
        headers: { authorization },
      });
      const messages = on(socket, "message", { close: ["close"] });
      const next = async () => JSON.parse((await messages.next()).value[0].data);
      assert.equal((await next()).status, "WAITING");
      return { end: next() };
    },
  };
}

/**
 * A receiver of webhooks that answers the first with `status`. `attempts` resolves with all of them
 * once there are so many.
 */
async function receiver(status = 200) {
  const got = [];
  const server = createServer(async (request, response) => {
    got.push(JSON.parse(Buffer.concat(await Array.fromAsync(request))));
    response.writeHead(got.length === 1 ? status : 200).end();
    server.emit("attempt");
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const attempts = async (count) => {
    while (got.length < count) await once(server, "attempt");
    return got;
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, attempts };
}

/** How a token ended. */
const ended = ({ status, output }) => ({ status, output });
const completed = (data) => ({ status: "COMPLETED", output: JSON.stringify(data) });

async function completes(answer) {
  assert.deepEqual(
    [answer.status, answer.headers.get("waitpoint-outcome")],
    [200, "completed"],
    await answer.text(),
  );
}

/** Asserts the response to a panic, which a page may read and a client may retry. */
async function isPanic(answer, page = null) {
  const { error, code } = await answer.json();
  const header = (name) => answer.headers.get(name);
  assert.deepEqual(
    [answer.status, code, header("x-should-retry"), header("retry-after")],
    [500, "internal_error", "true", "1"],
  );
  assert.match(error, /safe to try again/);
  assert.match(header("content-type"), /^application\/json/);
  assert.equal(header("cache-control"), "no-store");
  assert.equal(header("access-control-allow-origin"), page);
  assert.equal(header("access-control-expose-headers"), page && "x-should-retry, retry-after");
  assert.equal(header("vary"), page && "Origin");
}
