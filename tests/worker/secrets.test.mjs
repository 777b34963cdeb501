// Whole lives of tokens, with every way to send a credential. Then no secret is in what was stored
// or logged.
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  callbackHash,
  KEY,
  OLD_KEY,
  OTHER_KEY,
  sign,
  TOKENS,
  temporaryFolder,
  until,
} from "../support/harness.mjs";
import { withMailService } from "../support/mail.mjs";
import { spellings, traces, writtenBytes, writtenRows } from "../support/secrets.mjs";
import { serve, waitpoint } from "../support/workerd.mjs";

const UPSTREAM_KEY = "tr_prod_kept_by_upstream_0123456789";
const WEBHOOK_KEY = randomBytes(32).toString("base64");
const CALLBACK_KEY = randomBytes(32).toString("hex");

const [SLACK, TEAMS, GONE] = [1, 2, 3].map(() => randomBytes(24).toString("hex"));
/** The URLs of channels are credentials: nobody is ever shown one. */
const channels = { "Slack's URL": SLACK, "Teams's URL": TEAMS, "the URL of a channel": GONE };
/** Who is told: a record has it and its owner is shown it, but no log and no index. */
const recipients = {
  "the URL of a notice": randomBytes(24).toString("hex"),
  "an address": `${randomBytes(12).toString("hex")}@people.example`,
  "an address that is refused": `refused-${randomBytes(12).toString("hex")}@people.example`,
};

/** Everything that may not be written, by name. */
const secrets = { KEY, OLD_KEY, OTHER_KEY, UPSTREAM_KEY, "webhook secret": WEBHOOK_KEY };
Object.assign(secrets, channels);
secrets["webhook secret, its bytes"] = Buffer.from(WEBHOOK_KEY, "base64").toString("latin1");
secrets["callback secret"] = CALLBACK_KEY;
const keep = (name, jwt) => {
  secrets[`${name} ${Object.keys(secrets).length}`] = jwt.split(".").at(-1);
  return jwt;
};

/** What webhooks were told. Notices are left out: their links decide. */
const received = [];
/** Everything that the API answered. */
const answered = [];
const receiver = createServer(async (request, response) => {
  const body = Buffer.concat(await Array.fromAsync(request));
  if (!request.url.startsWith("/notice/")) received.push(JSON.stringify(request.headers) + body);
  response.writeHead(request.url.includes("/fails") ? 500 : 204).end();
});
let hooks, upstream, edge;
// Folders of these two Workers alone, so that all files in them are the product's.
const state = { edge: temporaryFolder(), upstream: temporaryFolder() };
/** All logs of the two, in pieces as they came. */
const logs = { edge: [], upstream: [] };
before(async () => {
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  hooks = `http://127.0.0.1:${receiver.address().port}`;
  upstream = await serve(
    waitpoint({
      SECRET_KEYS: `cmupstream=${UPSTREAM_KEY}`,
      WEBHOOK_SECRET: `cmupstream=whsec_${WEBHOOK_KEY}`,
    }),
    { storage: state.upstream, listen: (data) => logs.upstream.push(data) },
  );
  const to = `${hooks}/notice`;
  const mailService = `{
    async send(mail) {
      if (mail.to.startsWith("refused-")) throw new Error(\`E_X: \${mail.to}\`);
      await fetch("${to}/mail", { method: "POST", body: JSON.stringify(mail) });
    },
  }`;
  const vars = {
    SECRET_KEYS: `${KEY}\n${OLD_KEY}\nprod=${OTHER_KEY}\nrelayed=${UPSTREAM_KEY}`,
    WEBHOOK_SECRET: ["default", "prod", "relayed"]
      .map((id) => `${id}=whsec_${WEBHOOK_KEY}`)
      .join("\n"),
    WEBHOOK_URL: ["default", "prod", "relayed"].map((id) => `${id}=${hooks}/fails`).join("\n"),
    UPSTREAM: `relayed=${upstream.url}`,
    CALLBACK_SECRETS: `DEPLOYS=${CALLBACK_KEY}`,
    CHANNELS: `deploys=${to}/${SLACK}\nops=${to}/${TEAMS}\ngone=${to}/fails/${GONE}`,
    EMAIL_FROM: "approvals@example.com",
  };
  edge = await serve(waitpoint(vars, withMailService(mailService)), {
    storage: state.edge,
    listen: (data) => logs.edge.push(data),
  });
});
after(async () => {
  await edge.stop();
  await upstream.stop();
  receiver.close();
});

async function api(path, key, body, headers = {}) {
  const answer = await fetch(path.startsWith("http") ? path : edge.url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      ...(key && { authorization: `Bearer ${key}` }),
      "content-type": "application/json",
      ...headers,
    },
    body:
      body === undefined || typeof body === "string" || body instanceof URLSearchParams
        ? body
        : JSON.stringify(body),
    redirect: "manual",
  });
  const text = await answer.text();
  answered.push(JSON.stringify([...answer.headers]) + text);
  return { status: answer.status, headers: answer.headers, text };
}

async function create(key, fields, headers) {
  const answer = await api(TOKENS, key, fields, headers);
  assert.equal(answer.status, 200, answer.text);
  const token = JSON.parse(answer.text);
  const hash = callbackHash(token.id, key);
  secrets[`callback hash of ${token.id}`] = hash;
  keep("JWT in a URL", token.url);
  return {
    ...token,
    jwt: keep("JWT", answer.headers.get("x-trigger-jwt")),
    hash,
    path: `${TOKENS}/${token.id}`,
  };
}

/** Opens the page and sends its form. */
async function decide({ url, path }, choice) {
  const link = edge.url + path + new URL(url).pathname.slice(path.length);
  const html = { accept: "text/html", "accept-language": "en" };
  const page = await api(link, "", undefined, html);
  const nonce = keep("nonce", page.text.match(/name="waitpoint_nonce" value="([^"]+)"/)[1]);
  const form = { ...html, "content-type": "application/x-www-form-urlencoded" };
  return api(
    link,
    "",
    new URLSearchParams({ waitpoint_nonce: nonce, choice, comment: "fine" }),
    form,
  );
}

const outcome = ({ headers }) => headers.get("waitpoint-outcome");
const planted = randomBytes(24).toString("base64url");

test("a channel is shown by its name alone, and who is told to the owner alone", async () => {
  const [path, ...addresses] = Object.values(recipients);
  const rows = [
    [{ slack: "deploys" }, "delivered"],
    [{ teams: "ops" }, "delivered"],
    [{ slack: "gone" }, "pending"],
    [{ webhook: `${hooks}/notice/${path}` }, "delivered"],
    [{ webhook: `${hooks}/notice/fails/${path}` }, "pending"],
    [{ email: addresses[0] }, "delivered"],
    [{ email: addresses[1] }, "pending"],
  ];
  const notify = rows.map(([recipient]) => recipient);
  for (const key of [KEY, UPSTREAM_KEY]) {
    const token = await create(key, { timeout: "1h", tags: ["notices"], notify });
    const shown = await until(
      async () => JSON.parse((await api(token.path, key)).text),
      ({ deliveries }) => deliveries?.every(({ attempts }) => attempts > 0),
    );
    assert.deepEqual(
      shown.deliveries.map(({ target, to, url, status }) => [{ [target]: to ?? url }, status]),
      rows,
    );
    const others = [
      await api(token.path, token.jwt),
      await api(`${token.path}/wait`, token.jwt, undefined, { prefer: "wait=0" }),
      await api(`${TOKENS}?filter[tags]=notices`, key),
      await api(token.shortUrl ?? token.url, "", undefined, { accept: "text/html" }),
    ];
    for (const { status, text } of others) {
      assert.equal(status, 200);
      assert.deepEqual(traces({ text: Buffer.from(text) }, recipients), []);
    }
    for (const wrong of [{ slack: "nowhere" }, { slack: "ops", teams: "ops" }, { slack: hooks }])
      assert.equal((await api(TOKENS, key, { notify: [wrong] })).status, 400);
  }
  const isLogged = (log) =>
    ["slack", "webhook", "email"].every((to) => log.includes(`.created","target":"${to}"`));
  await until(async () => edge.log, isLogged);
  assert.deepEqual(traces({ answers: Buffer.from(answered.join("\n")) }, channels), []);
});

test("no secret is left by creating, waiting, reading, deciding, webhooks, errors", async () => {
  for (const key of [KEY, OTHER_KEY, UPSTREAM_KEY]) {
    const fields = {
      timeout: "1h",
      tags: ["a"],
      approval: { title: "Go?" },
      webhook: { url: `${hooks}/takes` },
    };
    const make = (more) =>
      create(
        key,
        { ...fields, ...more },
        { "x-trigger-request-idempotency-key": crypto.randomUUID() },
      );
    const tokens = await Promise.all([
      make({ idempotencyKey: `k ${key.slice(3, 7)}` }),
      make(),
      make(),
      make(),
      make(),
    ]);
    const [byKey, byJwt, byHash, byLink, byPage] = tokens;

    // It is waited for in all three ways while it is decided.
    const socket = new WebSocket(`${edge.url.replace("http", "ws")}${byJwt.path}/wait`, [
      "waitpoint.v1",
      `bearer.${byJwt.jwt}`,
    ]);
    await once(socket, "message");
    const told = once(socket, "message");
    const events = await fetch(`${edge.url}${byJwt.path}/wait`, {
      headers: { authorization: `Bearer ${byJwt.jwt}`, accept: "text/event-stream" },
    });
    const poll = api(`${byJwt.path}/wait`, byJwt.jwt, undefined, { prefer: "wait=25" });

    const actor = keep(
      "JWT of somebody",
      sign([`write:waitpoints:${byJwt.id}`], {
        key,
        claims: {
          sub: { [KEY]: "default", [OTHER_KEY]: "prod" }[key] ?? "relayed",
          act: { sub: "ann" },
        },
      }),
    );
    assert.equal(
      outcome(await api(`${byKey.path}/complete`, key, { data: { planted } })),
      "completed",
    );
    assert.equal(
      outcome(
        await api(`${byJwt.path}/complete`, actor, { data: planted, [key]: "an unknown field" }),
      ),
      "completed",
    );
    assert.equal(
      outcome(await api(`${byHash.path}/callback/${byHash.hash}`, "", { planted })),
      "completed",
    );
    assert.equal(
      outcome(await api(`${byLink.path}/callback/${byLink.jwt}`, "", planted)),
      "completed",
    );
    assert.equal((await decide(byPage, "0")).status, 303);
    assert.equal(
      (await decide(byPage, "1").catch(() => ({ status: 0 }))).status,
      0,
      "no form any more",
    );
    await Promise.all([told, events.text(), poll]);
    socket.close();

    for (const { path, jwt } of tokens) {
      for (const reader of [key, jwt])
        assert.match((await api(path, reader)).text, /"status":"COMPLETED"/);
    }
    assert.equal((await api(`${TOKENS}?filter[tags]=a`, key)).status, 200);
    await create(key, { timeout: "1s" });
  }

  const verify = { scheme: "github", secret: "DEPLOYS" };
  const { url } = await create(KEY, { callback: { verify } });
  for (const secret of ["another-secret", CALLBACK_KEY]) {
    const signature = createHmac("sha256", secret).update("{}").digest("hex");
    const answer = await api(url, "", {}, { "x-hub-signature-256": `sha256=${signature}` });
    assert.equal(answer.status, secret === CALLBACK_KEY ? 200 : 401);
  }

  // An error names what is wrong with a credential and not the credential.
  const expired = keep("expired JWT", sign(["write:waitpoints"], { claims: { exp: 1_000 } }));
  const forged = keep(
    "forged JWT",
    sign(["write:waitpoints"], { key: randomBytes(20).toString("hex") }),
  );
  for (const bad of [expired, forged, `${KEY}x`, KEY.slice(0, -1), `${forged}x`]) {
    for (const path of [
      `${TOKENS}/cx/complete`,
      TOKENS,
      `${TOKENS}/cx/callback/${bad}`,
      `${TOKENS}/cx/callback/${bad}/x`,
      `/${bad}`,
    ]) {
      const answer = await api(path, bad, "{}");
      assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status} ${path}`);
      assert.deepEqual(traces({ [path]: Buffer.from(answer.text) }, { bad }), []);
    }
  }
  // Failing receivers are logged, and so is an unavailable upstream.
  await until(
    async () => edge.log,
    (log) => log.includes(`"event":"not delivered"`),
  );
  const late = await create(UPSTREAM_KEY, { approval: { title: "Late" } });
  await upstream.kill();
  assert.equal(
    outcome(await api(`${late.path}/complete`, late.jwt, { data: planted })),
    "completed",
  );
  assert.equal((await api(TOKENS, UPSTREAM_KEY, {})).status, 503);
  await until(
    async () => edge.log,
    (log) => log.includes("upstream did not answer"),
  );
});

test("no secret stands in what was stored, logged, or told to webhooks", async () => {
  const written = () =>
    Object.fromEntries(
      Object.entries(state).flatMap(([name, folder]) => [
        ...Object.entries({ ...writtenBytes(folder), ...writtenRows(folder) }).map(
          ([file, bytes]) => [`${name}: ${file}`, bytes],
        ),
        [`${name}: log`, Buffer.concat(logs[name])],
      ]),
    );
  const raw = writtenBytes(state.edge);
  assert.ok(
    Object.keys(raw).some((name) => name.endsWith("-wal")) && Object.keys(raw).length > 40,
    "the files are there",
  );
  await edge.kill();
  const places = { ...written(), webhooks: Buffer.from(received.join("\n")) };
  assert.ok(received.length > 20, "there is something to look through");
  for (const [name, event] of [
    ["edge", "created"],
    ["edge", "completed"],
    ["edge", "not delivered"],
    ["upstream", "created"],
  ]) {
    assert.ok(
      places[`${name}: log`].includes(`"event":"${event}"`),
      `${event} is in the log of ${name}`,
    );
  }
  assert.deepEqual(traces(places, secrets), []);
  // Only a token's own record has whom it tells.
  const indexes = Object.entries(places).filter(([name]) => name.includes(": IndexObject"));
  assert.ok(indexes.length > 0, "the index is there");
  const others = Object.fromEntries(indexes);
  for (const name of Object.keys(state)) others[name] = places[`${name}: log`];
  assert.deepEqual(traces(others, recipients), []);
  // Nor the payload of a JWT, which always begins like this.
  for (const [place, bytes] of Object.entries(places)) assert.ok(!bytes.includes("eyJ"), place);

  // The same search finds what is written: an output, in bytes and in rows, and each of its
  // spellings.
  const found = traces(places, { planted });
  for (const kind of ["sqlite-wal", "_cf_KV", "webhooks"])
    assert.ok(
      found.some((trace) => trace.includes(kind)),
      kind,
    );
  for (const [way, text] of Object.entries(spellings(planted))) {
    assert.ok(
      traces({ file: Buffer.concat([randomBytes(5), text, randomBytes(5)]) }, { planted }).some(
        (trace) => trace.includes(way),
      ),
      way,
    );
  }
  // In every file of a state folder, whatever wrote it and whatever its name.
  const folder = temporaryFolder();
  for (const name of [
    "v3/observability/trace/x.sqlite-wal",
    "v3/cache/blob",
    "tmp/.trace.json",
    "log",
  ]) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), `GET /callback/${planted}`);
    assert.ok(
      traces(writtenBytes(folder), { planted }).includes(`planted, plain, in ${name}`),
      name,
    );
    rmSync(join(folder, name));
  }
  for (const before of [0, 1, 2, 3]) {
    const text = Buffer.from(`${"x".repeat(before)}${planted}xyz`);
    assert.ok(
      traces({ text: Buffer.from(text.toString("base64")) }, { planted }).length > 0,
      `base64 at ${before}`,
    );
  }
});
