// Credentials that only upstream knows. trigger.dev's SDK sends the run's token from inside a task.

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { runInMockTaskContext } from "@trigger.dev/core/v3/test";
import { wait } from "@trigger.dev/sdk";
import {
  KEY,
  OTHER_KEY,
  SECRET_KEYS,
  sign,
  TOKENS,
  until,
  useWorker,
} from "../support/harness.mjs";
import { example } from "../support/package.mjs";
import { useReceiver } from "../support/receiver.mjs";
import { useRelay } from "../support/relay.mjs";

const { tokenRuntime } = await import(join(example("runtime-manager"), "manager.mjs"));
const { upstream, way, edge, failing, delivered } = await useRelay();
const receiver = await useReceiver();
const only = useWorker({
  secrets: { SECRET_KEYS: KEY, CHANNELS: `deploys=${receiver.url}/deploys` },
  vars: { UPSTREAM: way.url },
});
const both = useWorker({
  secrets: { SECRET_KEYS: `${KEY}\nprod=${OTHER_KEY}` },
  vars: { UPSTREAM: `${way.url}\nprod=${way.url}` },
});

/** A key that only upstream has, which signs run tokens. */
const UPSTREAMS_OWN = "upstreams-own-key-that-nobody-here-has";
let runs = 0;

/** A run token that upstream takes for `worth`: a key of its own, or a JWT. */
function runToken(worth = KEY, claims = {}) {
  const token = sign(["admin"], {
    key: UPSTREAMS_OWN,
    header: { alg: "HS256", typ: "run+jwt" },
    claims: { iss: undefined, aud: "trigger:api", token_use: "run", run: runs++, ...claims },
  });
  if (worth) way.known.set(token, worth);
  return token;
}

/** Which requests with this credential `work` sends upstream. */
async function askedWith(credential, work) {
  const heard = [];
  const hear = (url, { method, headers }) => {
    if (headers.authorization === `Bearer ${credential}`) heard.push(`${method} ${url}`);
  };
  way.on("asked", hear);
  await work();
  way.off("asked", hear);
  return heard;
}

const reading = (ids = "") => sign([`read:waitpoints${ids}`], { claims: { sub: "cmupstream1" } });
const createThere = async (key = KEY) => upstream.create({ timeout: "1h" }, { key });
const outcome = (answer) => [answer.status, answer.headers.get("waitpoint-outcome")];

test("the SDK inside a task does all of it by its run's token", async () => {
  const names = ["TRIGGER_API_URL", "TRIGGER_SECRET_KEY", "TRIGGER_RUN_TOKEN"];
  const before = Object.fromEntries(names.map((name) => [name, process.env[name]]));
  after(() => {
    for (const name of names) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  });
  const accessToken = runToken();
  Object.assign(process.env, {
    TRIGGER_API_URL: only.url,
    TRIGGER_SECRET_KEY: "tr_dev_that_nobody_knows_12345678",
    TRIGGER_RUN_TOKEN: accessToken,
  });
  const heard = await askedWith(accessToken, () =>
    runInMockTaskContext(
      async () => {
        const token = await wait.createToken({ timeout: "1h", tags: ["run"] });
        assert.deepEqual(await wait.completeToken(token.id, { by: "run" }), { success: true });
        const found = await wait.retrieveToken(token.id);
        assert.deepEqual([found.status, found.output], ["COMPLETED", { by: "run" }]);
        const waited = await wait.createToken({ timeout: "1h" });
        const result = wait.forToken(waited.id);
        await wait.completeToken(waited.id, "continue");
        assert.deepEqual(await result, { ok: true, output: "continue" });
      },
      { runtimeManager: tokenRuntime({ baseURL: only.url, accessToken }) },
    ),
  );
  assert.ok(heard.some((one) => /POST \/engine\/v1\/runs\/.+\/wait$/.test(one)));
});

test("a create with an approval by a run's token asks on the page", async () => {
  for (const [worker, worth] of [
    [only, KEY],
    [both, KEY],
    [both, OTHER_KEY],
  ]) {
    const key = runToken(worth);
    const approval = { title: "Ship it?", choices: [{ label: "Ship" }, { label: "Wait" }] };
    const token = await worker.create({ approval, timeout: "1h" }, { key });
    const accept = { accept: "text/html" };
    // The link is trigger.dev's, whose hash the environment's own key makes; or ours.
    const page = await (await fetch(token.url, { headers: accept })).text();
    assert.match(page, /Ship it\?/);
    const [, nonce] = /name="waitpoint_nonce" value="([^"]+)"/.exec(page);
    const sent = await fetch(token.url, {
      method: "POST",
      headers: accept,
      body: new URLSearchParams({ waitpoint_nonce: nonce, choice: "0" }),
      redirect: "manual",
    });
    assert.equal(sent.status, 303);
    const { output } = await worker.retrieve(token.id, { key: worth });
    assert.equal(output, '{"choice":"Ship"}');
  }
  const wrong = { approval: { choices: [] } };
  const before = (await (await upstream.api(TOKENS)).json()).data.length;
  assert.equal((await only.api(TOKENS, { key: runToken(), body: wrong })).status, 400);
  assert.equal((await (await upstream.api(TOKENS)).json()).data.length, before);
});

test("only whom upstream accepts learns which channels there are, and tells one", async () => {
  const there = async () => (await (await upstream.api(TOKENS)).json()).data.length;
  const notify = (slack) => ({ notify: [{ slack }], timeout: "1h" });
  const create = async (slack, key) => {
    const answer = await only.api(TOKENS, { key, body: notify(slack) });
    return [answer.status, await answer.text()];
  };
  const before = await there();
  const stranger = runToken(null);
  const heard = await askedWith(stranger, async () => {
    const known = await create("deploys", stranger);
    assert.equal(known[0], 401, known[1]);
    assert.deepEqual(await create("nowhere", stranger), known);
  });
  assert.equal(heard.length, 2, "upstream was asked");
  const readOnly = runToken(reading());
  assert.deepEqual(await create("nowhere", readOnly), await create("deploys", readOnly));
  assert.equal(await there(), before);

  const [status, text] = await create("nowhere", runToken());
  assert.equal(status, 400);
  assert.match(text, /nowhere.* is not a name in CHANNELS/);
  assert.equal(receiver.got.length, 0);
  const token = await only.create(notify("deploys"), { key: runToken() });
  const [{ body }] = await receiver.received("/deploys");
  const [link] = body.match(/http:\/\/127[^\s"|>\\]*/);
  // It is noted after its receiver has answered, which may be after a decision.
  await until(
    () => only.retrieve(token.id),
    ({ history }) => history.some(({ type }) => type === "notified"),
  );
  assert.equal((await fetch(link, { method: "POST", body: '"told"' })).status, 200);
  const { output, history } = await only.retrieve(token.id);
  assert.equal(output, '"told"');
  assert.deepEqual(
    history.map(({ type, to }) => [type, to?.slack]),
    [
      ["created", undefined],
      ["notified", "deploys"],
      ["completed", undefined],
    ],
  );
});

test("upstream is asked once for three completions, and about each token", async () => {
  const [token, other, key] = [await createThere(), await createThere(), runToken()];
  const heard = await askedWith(key, async () => {
    for (const expected of ["completed", "already-completed", "already-completed"]) {
      const answer = await only.complete(token.id, expected, { key });
      assert.deepEqual(outcome(answer), [200, expected]);
    }
  });
  assert.equal(heard[0], `GET ${TOKENS}/${token.id}`);
  assert.match(heard[1], /^POST .*waitpoint_c[0-9a-z]{24}\/complete$/);
  assert.ok(!heard[1].includes(token.id), "the token itself is not completed by asking");
  assert.equal(heard.length, 2);
  assert.deepEqual(outcome(await only.complete(other.id, 1, { key })), [200, "completed"]);
  const late = await askedWith(key, () => only.complete(other.id, 2, { key }));
  assert.deepEqual(late, []);
});

test("who may only read upstream cannot complete here", async () => {
  const token = await createThere();
  for (const key of [
    // Upstream reads for it, and refuses to write, whatever it says about itself.
    runToken(reading()),
    runToken(reading(`:${token.id}`)),
    // It says itself that it may only read, though upstream would let it write.
    runToken(KEY, { scopes: ["read:waitpoints"] }),
    runToken(KEY, { scopes: "admin" }),
  ]) {
    const refused = await only.complete(token.id, 1, { key });
    assert.deepEqual([refused.status, (await refused.json()).code], [403, "unauthorized"]);
  }
  const restricted = "tr_prod_sk_012345678901234567890123";
  way.known.set(restricted, reading());
  assert.equal((await only.complete(token.id, 1, { key: restricted })).status, 403);
  const foreign = (scope) => {
    const jwt = sign([scope], { key: UPSTREAMS_OWN, claims: { run: runs++ } });
    way.known.set(jwt, reading());
    return jwt;
  };
  const reader = foreign(`read:waitpoints:${token.id}`);
  assert.equal((await only.complete(token.id, 1, { key: reader })).status, 403);
  const waiting = await only.api(`${TOKENS}/${token.id}/wait`, { key: reader });
  assert.deepEqual([waiting.status, (await waiting.json()).status], [200, "WAITING"]);
  const elsewhere = foreign("write:waitpoints:waitpoint_cother");
  assert.equal((await only.complete(token.id, 1, { key: elsewhere })).status, 403);
  assert.equal((await upstream.retrieve(token.id)).status, "WAITING");
  assert.equal((await only.retrieve(token.id)).status, "WAITING");
  // Upstream has verified the scopes of this one.
  const writer = foreign(`write:waitpoints:${token.id}`);
  assert.deepEqual(outcome(await only.complete(token.id, 1, { key: writer })), [200, "completed"]);
});

test("what upstream refuses is refused here, and asked about again only later", async () => {
  const token = await createThere();
  const unknown = runToken(null);
  const heard = await askedWith(unknown, async () => {
    for (let i = 0; i < 3; i++) {
      const refused = await only.complete(token.id, 1, { key: unknown });
      assert.deepEqual(
        [refused.status, (await refused.json()).code],
        [401, "invalid_public_token"],
      );
    }
  });
  assert.equal(heard.length, 1);
  const waiting = await only.api(`${TOKENS}/${token.id}/wait`, { key: unknown });
  assert.equal(waiting.status, 401);
  for (const [status, expected] of [
    [403, 403],
    [401, 401],
    [404, 404],
    [429, 503],
    [500, 503],
  ]) {
    const key = runToken();
    const fails = ({ headers }) =>
      headers.authorization === `Bearer ${key}` ? [status] : undefined;
    const refused = await failing(fails, () => only.complete(token.id, 1, { key }));
    assert.equal(refused.status, expected, `${status}`);
  }
  assert.equal((await only.retrieve(token.id)).status, "WAITING");
  const long = `${"x".repeat(5_000)}.y.z`;
  const sent = await askedWith(long, () => only.complete(token.id, 1, { key: long }));
  assert.deepEqual(sent, []);
});

test("while upstream is away the answer is 503, and the retry decides", async () => {
  const [token, key] = [await createThere(), runToken()];
  const isFrom = (credential) => (request) =>
    request.headers.authorization === `Bearer ${credential}` ? "down" : undefined;
  const isProbe = (request) =>
    request.method === "POST" && isFrom(key)(request) ? "down" : undefined;
  // The token cannot be read, its environment cannot be found, the right to write cannot be proven.
  for (const fail of ["down", isFrom(key), isFrom(KEY), isProbe]) {
    const away = await failing(fail, () => only.complete(token.id, "lost", { key }));
    assert.deepEqual([away.status, away.headers.get("x-should-retry")], [503, "true"]);
    assert.equal((await away.json()).code, "upstream_trouble");
  }
  assert.deepEqual(outcome(await only.complete(token.id, "kept", { key })), [200, "completed"]);
  // What was proven is remembered while upstream is away.
  const again = await failing("down", () => only.complete(token.id, 2, { key }));
  assert.deepEqual(outcome(again), [200, "already-completed"]);
  const shown = await failing("down", () => only.retrieve(token.id, { key }));
  assert.deepEqual([shown.status, shown.output], ["COMPLETED", '"kept"']);
});

test("a token is decided in its own environment, or not at all", async () => {
  const [token, key] = [await createThere(OTHER_KEY), runToken(OTHER_KEY)];
  const strange = await only.complete(token.id, 1, { key });
  assert.equal(strange.status, 401);
  const approval = { title: "Whose?" };
  assert.equal((await only.api(TOKENS, { key, body: { approval } })).status, 401);
  // trigger.dev answers 500 for a token that it does not know, which is not an outage.
  const unknown = runToken(OTHER_KEY);
  const asTriggerDev = ({ url, headers }) =>
    url.endsWith(token.id) && headers.authorization === `Bearer ${KEY}` ? [500] : undefined;
  const answer = await failing(asTriggerDev, () => only.complete(token.id, 1, { key: unknown }));
  assert.equal(answer.status, 401);
  // A credential of one environment proves nothing about another's token.
  const mine = await createThere(KEY);
  assert.equal((await both.complete(mine.id, 1, { key })).status, 404);
  assert.equal((await both.retrieve(mine.id)).status, "WAITING");
  assert.deepEqual(outcome(await both.complete(token.id, 1, { key })), [200, "completed"]);
  const there = async () => (await upstream.retrieve(token.id, { key: OTHER_KEY })).status;
  while ((await there()) !== "COMPLETED") await new Promise((resolve) => setTimeout(resolve, 20));
});

test("where some tokens live here, no unknown credential is sent upstream", async () => {
  assert.ok(SECRET_KEYS.includes("prod="));
  const [token, key] = [await createThere(), runToken()];
  const heard = await askedWith(key, async () => {
    assert.equal((await edge.complete(token.id, 1, { key })).status, 401);
    const body = { approval: { title: "?" } };
    assert.equal((await edge.api(TOKENS, { key, body })).status, 401);
  });
  assert.deepEqual(heard, []);
  await edge.complete(token.id, 1);
  await delivered(token);
});
