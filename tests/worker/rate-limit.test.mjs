// Rate limits: what is refused, how, and what never is. The limits are wrangler.toml's, made small.
// Their periods follow the clock, so a test repeats until it meets one.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { auth, wait } from "@trigger.dev/sdk";
import {
  callbackHash,
  KEY,
  OTHER_KEY,
  root,
  SECRET_KEYS,
  sign,
  TOKENS,
  temporaryFolder,
  until,
  useWorker,
} from "../support/harness.mjs";
import { useReceiver, webhookSecret } from "../support/receiver.mjs";

const folder = temporaryFolder();
const config = readFileSync(join(root, "wrangler.toml"), "utf8");
const small = config
  .replace(/(name = "TOKEN_LIMIT"[\s\S]*?limit =) \d+/, "$1 1")
  .replace(/(name = "ENVIRONMENT_LIMIT"[\s\S]*?limit =) \d+/, "$1 1")
  .replace(/(name = "ADDRESS_LIMIT"[\s\S]*?limit =) \d+/, "$1 20");
writeFileSync(join(folder, "small.toml"), small);
const unbound = config.replace(/\[\[ratelimits\]\][\s\S]*?\n\n/g, "");
writeFileSync(join(folder, "unbound.toml"), unbound);
// Environments of their own for the tests that use a limit up.
const LOOPING = "tr_dev_looping_012345678901234";
const PATIENT = "tr_dev_patient_012345678901234";
const NOTIFYING = "tr_dev_notifying_0123456789012";
const secrets = {
  SECRET_KEYS: `${SECRET_KEYS}\nlooping=${LOOPING}\npatient=${PATIENT}\nnotifying=${NOTIFYING}`,
  WEBHOOK_SECRET: `notifying=${webhookSecret()}`,
};
const receiver = await useReceiver();
const worker = useWorker({ configPath: join(folder, "small.toml"), secrets });
// Keys may share a counter (src/domain/api/rate_limit.rs). No key here shares one with a key that
// has used its limit up.
const fresh = useWorker({ configPath: join(folder, "small.toml") });
const free = useWorker({ configPath: join(folder, "unbound.toml") });

const ORIGIN = "https://app.example";
/** Addresses of RFC 5737, one a test. */
let addresses = 0;
const address = () => `192.0.2.${++addresses}`;

// How many requests may pass in a period: those that are not counted (src/domain/api/rate_limit.rs)
// and those that small.toml allows.
const SHARE = { most: 100 + 1, window: 10_000 };
const FAILURES = { most: 20, window: 60_000 };

/** Repeats until a request is refused for its rate. The others must have one of these statuses. */
async function flood(ask, statuses, { most, window } = SHARE) {
  const number = () => Math.floor(Date.now() / window);
  const first = number();
  for (let passed = 0; ; ) {
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask()));
    const refused = answers.find(({ status }) => status === 429);
    for (const answer of answers.filter((answer) => answer !== refused)) {
      const text = await answer.text();
      assert.ok([429, ...statuses].includes(answer.status), `${answer.status} ${text}`);
      if (answer.status !== 429) passed += 1;
    }
    const windows = number() - first + 1;
    assert.ok(passed <= most * windows, `${passed} have passed in ${windows} windows`);
    if (refused) return refused;
  }
}

/** Asserts a 429 of a credential, as the SDK and browsers need it. */
async function isLimit(answer, binding) {
  assert.equal(answer.status, 429);
  assert.deepEqual(await answer.json(), {
    error: `Too many requests (${binding}). Try again later.`,
    code: "too_many_requests",
  });
  assert.equal(answer.headers.get("retry-after"), "10");
  // The SDK waits until the reset.
  assert.equal(answer.headers.get("x-should-retry"), null);
  assert.equal(answer.headers.get("x-ratelimit-remaining"), "0");
  const reset = Number(answer.headers.get("x-ratelimit-reset")) - Date.now();
  assert.ok(reset > 0 && reset <= 10_000, String(reset));
}

test("requests without a valid credential are limited by address, as JSON or a page", async () => {
  const token = await worker.create();
  const wrong = sign(["write:waitpoints"], { key: "tr_dev_another_key_of_24_chars" });
  const page = { key: "", headers: { accept: "text/html", "accept-language": "de" } };
  for (const [what, path, options] of [
    ["no credential", TOKENS, { key: "", body: {} }],
    ["a wrong key", TOKENS, { key: "tr_dev_another_key_of_24_chars", body: {} }],
    ["a forged JWT", `${TOKENS}/${token.id}/complete`, { key: wrong, body: {} }],
    ["a forged JWT that waits", `${TOKENS}/${token.id}/wait`, { key: wrong }],
    [
      "a wrong callback hash",
      `${TOKENS}/${token.id}/callback/${"0".repeat(64)}`,
      { key: "", body: {} },
    ],
    ["a wrong link", `${TOKENS}/${token.id}/callback/${wrong}`, page],
  ]) {
    const from = address();
    const browsers = path.endsWith("/complete") || path.endsWith("/wait");
    const origin = browsers ? { origin: ORIGIN } : {};
    const ask = () =>
      worker.api(path, {
        ...options,
        headers: { ...options.headers, ...origin, "cf-connecting-ip": from },
      });
    const answer = await flood(ask, [401, 404], FAILURES);
    if (options === page) {
      assert.match(answer.headers.get("content-type"), /text\/html/);
      assert.match(await answer.text(), /Zu viele Anfragen/, what);
    } else {
      const { error, code } = await answer.json();
      assert.deepEqual(
        [error, code],
        ["Too many wrong credentials. Try again in a minute.", "too_many_failures"],
      );
      assert.equal(answer.headers.get("x-should-retry"), "false", "it fails no less later");
    }
    assert.equal(answer.headers.get("retry-after"), "60");
    assert.equal(answer.headers.get("access-control-allow-origin"), browsers ? ORIGIN : null, what);

    // Neither a good credential at that address nor another address is affected.
    const good = await worker.create({}, { headers: { "cf-connecting-ip": from }, key: OTHER_KEY });
    const done = await fetch(good.url, {
      method: "POST",
      body: "1",
      headers: { "cf-connecting-ip": from },
    });
    assert.equal(done.headers.get("waitpoint-outcome"), "completed", what);
    const elsewhere = await worker.api(path, {
      ...options,
      headers: { ...options.headers, "cf-connecting-ip": address() },
    });
    assert.notEqual(elsewhere.status, 429, what);
  }
});

test("one holder of an IPv6 network is one, whatever its address", async () => {
  let host = 0;
  const ask = (network) =>
    worker.api(TOKENS, {
      key: "",
      headers: { "cf-connecting-ip": `${network}:${(++host).toString(16)}::1` },
    });
  await flood(() => ask("2001:db8:1:2"), [401], FAILURES);
  assert.equal((await ask("2001:db8:1:3")).status, 401);
});

test("an expired link is no guess, and what is no endpoint counts nothing", async () => {
  const from = address();
  const token = await worker.create();
  const old = sign([`write:waitpoints:${token.id}`], {
    claims: { exp: Math.floor(Date.now() / 1000) - 10 },
  });
  for (let n = 0; n < 60; n++) {
    const headers = { "cf-connecting-ip": from };
    assert.equal(
      (await worker.api(`${TOKENS}/${token.id}/complete`, { key: old, body: {}, headers })).status,
      401,
    );
    assert.equal((await worker.api("/wp-login.php", { key: "", headers })).status, 404);
  }
});

test("whoever floods an expired link leaves the one that is good its share", async () => {
  const token = await worker.create();
  const exp = Math.floor(Date.now() / 1000) - 10;
  const old = token.url.replace(
    /[^/]+$/,
    sign([`write:waitpoints:${token.id}`], { claims: { exp } }),
  );
  const open = (url) => fetch(url, { headers: { accept: "text/html" } });
  await flood(() => open(old), [410]);
  // As many as pass without asking the platform: none may be refused, as another limit is used up.
  const statuses = await Promise.all(
    Array.from({ length: 50 }, async () => (await open(token.url)).status),
  );
  assert.deepEqual(new Set(statuses), new Set([200]));
});

test("the first hundred are not counted; then reading is limited by credential", async () => {
  const token = await fresh.create();
  const path = `${TOKENS}/${token.id}`;
  const readers = [1, 2].map((n) => sign([`read:waitpoints:${token.id}`], { claims: { jti: n } }));
  const read = (key) => fresh.api(path, { key, headers: { origin: ORIGIN } });
  for (let n = 0; n < 100; n++) assert.equal((await read(readers[0])).status, 200, `request ${n}`);
  const answer = await flood(() => read(readers[0]), [200]);
  assert.equal(answer.headers.get("access-control-allow-origin"), ORIGIN);
  assert.match(answer.headers.get("access-control-expose-headers"), /x-ratelimit-reset/);
  await isLimit(answer, "TOKEN_LIMIT");
  await isLimit(
    await flood(
      () => fresh.api(`${path}/wait`, { key: readers[0], headers: { prefer: "wait=0" } }),
      [200],
    ),
    "TOKEN_LIMIT",
  );
  assert.equal((await read(readers[1])).status, 200, "another credential");
  assert.equal((await read(KEY)).status, 200, "its owner");
});

test("an environment's keys share a limit, apart from others' and from decisions", async () => {
  const key = LOOPING;
  const tokens = await Promise.all(Array.from({ length: 4 }, () => worker.create({}, { key })));
  const asks = [
    () => worker.api(TOKENS, { key, body: {} }),
    () => worker.api(TOKENS, { key }),
    () => worker.api(`${TOKENS}/${tokens[0].id}`, { key }),
    () => worker.api(`${TOKENS}/${tokens[0].id}/wait`, { key, headers: { prefer: "wait=0" } }),
    () =>
      worker.api(`/engine/v1/runs/run_1/waitpoints/tokens/${tokens[0].id}/wait`, {
        key,
        method: "POST",
      }),
  ];
  for (const ask of asks) await isLimit(await flood(ask, [200]), "ENVIRONMENT_LIMIT");
  assert.ok((await worker.create()).id, "another environment");

  // The limit is used up, and decisions still pass.
  const done = [
    await worker.complete(tokens[0].id, 1, { key }),
    await worker.complete(tokens[1].id, 1, { key: tokens[1].publicAccessToken }),
    await fetch(tokens[2].url, { method: "POST", body: "1" }),
    await worker.api(`${TOKENS}/${tokens[3].id}/callback/${callbackHash(tokens[3].id, key)}`, {
      key: "",
      body: {},
    }),
  ];
  assert.deepEqual(
    done.map(({ headers }) => headers.get("waitpoint-outcome")),
    Array(4).fill("completed"),
  );
});

test("each notice that a create may send counts, and one that is refused sends none", async () => {
  const key = NOTIFYING;
  const notify = Array.from({ length: 10 }, (_, n) => ({ webhook: `${receiver.url}/${n}` }));
  const reminders = Array.from({ length: 5 }, (_, n) => ({ after: `${n + 1}h` }));
  const passed = [];
  const ask = async () => {
    const tag = crypto.randomUUID();
    const answer = await worker.api(TOKENS, { key, body: { notify, reminders, tags: [tag] } });
    if (answer.status === 200) passed.push(tag);
    return answer;
  };
  // Ten notices at once, ten with each reminder, and the create itself.
  const most = Math.floor(SHARE.most / (10 * (1 + 5) + 1));
  await isLimit(await flood(ask, [200], { ...SHARE, most }), "ENVIRONMENT_LIMIT");
  const { data } = await until(
    async () => (await worker.api(TOKENS, { key })).json(),
    ({ data }) => data?.length >= passed.length,
  );
  assert.deepEqual(data.flatMap(({ tags }) => tags).sort(), passed.sort());
  for (const { webhook } of notify)
    await receiver.received(webhook.slice(receiver.url.length), passed.length);
  assert.equal(receiver.got.length, notify.length * passed.length);
  assert.ok(passed.length > 0, "the first one passed");

  // Those that may send one notice pass, twenty in a period.
  const one = () => worker.api(TOKENS, { key, body: { notify: notify.slice(0, 1) } });
  await until(
    () => Promise.all(Array.from({ length: 20 }, one)),
    (answers) => answers.every(({ status }) => status === 200),
  );
});

test("only decisions count against a token's decisions, no reads and visits", async () => {
  const token = await worker.create();
  const reading = flood(
    () => worker.api(`${TOKENS}/${token.id}`, { key: token.publicAccessToken }),
    [200],
  );
  const visits = await flood(() => fetch(token.url, { headers: { accept: "text/html" } }), [200]);
  assert.match(await visits.text(), /Too many requests/);
  await isLimit(await reading, "TOKEN_LIMIT");
  assert.equal(
    (await worker.complete(token.id, 1, { key: token.publicAccessToken })).headers.get(
      "waitpoint-outcome",
    ),
    "completed",
  );

  // Further decisions are refused, and the first one stays.
  const repeat = () => worker.complete(token.id, 2, { key: token.publicAccessToken });
  await isLimit(await flood(repeat, [200]), "TOKEN_LIMIT");
  const form = new URLSearchParams({ waitpoint_nonce: "x", choice: "0" });
  const sent = await flood(
    () => fetch(token.url, { method: "POST", body: form, headers: { accept: "text/html" } }),
    [200, 303, 409],
  );
  assert.match(await sent.text(), /You can safely try again/);
  assert.equal(
    (await worker.retrieve(token.id, { key: sign([`read:waitpoints:${token.id}`]) })).output,
    "1",
  );
});

test("the SDK waits until the limit lets it through again", async () => {
  const api = { baseURL: worker.url, accessToken: PATIENT };
  await auth.withAuth(api, async () => {
    await flood(() => worker.api(TOKENS, { key: PATIENT, body: {} }), [200]);
    const token = await wait.createToken({ timeout: "1h" });
    assert.equal((await wait.retrieveToken(token.id)).status, "WAITING");
  });
});

test("where no limit is bound there is none", async () => {
  const token = await free.create();
  for (let n = 0; n < 150; n++) {
    assert.equal((await free.api(TOKENS, { key: "", body: {} })).status, 401);
    assert.equal((await free.complete(token.id, n)).status, 200);
  }
});
