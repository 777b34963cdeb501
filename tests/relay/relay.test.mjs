// A relaying Worker in front of another API. Nothing that was decided is lost, and nothing is
// decided twice.

import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { test } from "node:test";
import { auth, wait } from "@trigger.dev/sdk";
import { completeToken, waitForToken } from "../../pkg/index.js";
import {
  callbackHash,
  KEY,
  OTHER_KEY,
  sign,
  TOKENS,
  until,
  useWorker,
} from "../support/harness.mjs";
import { useRelay } from "../support/relay.mjs";

const { upstream, way, edge, delivered } = await useRelay();
const keyless = useWorker({ secrets: { SECRET_KEYS: `prod=${KEY}` }, vars: { UPSTREAM: way.url } });
const misspelt = useWorker({ vars: { UPSTREAM: "api.trigger.dev" } });
const both = useWorker({ vars: { UPSTREAM: `prod=${way.url}` } });

/** Sends a request to the edge whose path fetch would change. */
async function raw(method, path, body) {
  const { hostname, port } = new URL(edge.url);
  const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
  const sent = request({ hostname, port, method, path, headers });
  sent.end(body);
  const [answer] = await once(sent, "response");
  return { status: answer.statusCode, text: (await answer.setEncoding("utf8").toArray()).join("") };
}

const asBackEnd = (work) => auth.withAuth({ baseURL: edge.url, accessToken: KEY }, work);

test("the SDK does all of it through the edge, and upstream has it", async () => {
  await asBackEnd(async () => {
    const token = await wait.createToken({ timeout: "1h", tags: ["relayed"] });
    assert.ok(token.url.startsWith(`${edge.url}${TOKENS}/${token.id}/callback/`));
    assert.equal((await upstream.retrieve(token.id)).status, "WAITING");
    const { status, tags, url } = await wait.retrieveToken(token.id);
    assert.deepEqual([status, tags, url.startsWith(edge.url)], ["WAITING", ["relayed"], true]);
    assert.deepEqual(await wait.completeToken(token.id, { ok: "é" }), { success: true });
    await delivered(token);
    assert.equal((await upstream.retrieve(token.id)).output, '{"ok":"é"}');
    assert.deepEqual((await wait.retrieveToken(token.id)).output, { ok: "é" });
    const { data } = await until(
      () => wait.listTokens({ tags: "relayed", status: "COMPLETED" }),
      ({ data }) => data.length === 1,
    );
    assert.deepEqual([data[0].id, data[0].url.startsWith(edge.url)], [token.id, true]);

    const signed = await wait.createToken();
    const jwt = await auth.createPublicToken({ scopes: { write: { waitpoints: [signed.id] } } });
    await auth.withAuth({ baseURL: edge.url, accessToken: jwt }, () =>
      wait.completeToken(signed.id, "by a JWT"),
    );
    await auth.withAuth({ baseURL: edge.url, accessToken: token.publicAccessToken }, () =>
      assert.rejects(wait.completeToken(signed.id, 1), { status: 403 }),
    );
    await delivered(signed);
    assert.equal((await upstream.retrieve(signed.id)).output, '"by a JWT"');
    await assert.rejects(wait.createToken({ tags: Array(11).fill("x") }), {
      status: 422,
      message: /10 tags/,
    });
  });
  const run = `/engine/v1/runs/run_1/waitpoints/tokens/waitpoint_cnobody/wait`;
  assert.deepEqual(
    await (await edge.api(run, { method: "POST" })).json(),
    await (await upstream.api(run, { method: "POST" })).json(),
  );
});

test("a callback decides here, by trigger.dev's hash too, or is passed on", async () => {
  const token = await edge.create();
  const hash = callbackHash(token.id);
  const posted = await fetch(`${edge.url}${TOKENS}/${token.id}/callback/${hash}`, {
    method: "POST",
    body: '{"by":"hash"}',
  });
  assert.deepEqual([posted.status, posted.headers.get("waitpoint-outcome")], [200, "completed"]);
  await delivered(token);
  assert.equal((await upstream.retrieve(token.id)).output, '{"by":"hash"}');
  const wrong = await fetch(
    `${edge.url}${TOKENS}/${token.id}/callback/${callbackHash(token.id, "nobody")}`,
    { method: "POST", body: "{}" },
  );
  assert.deepEqual(
    [wrong.status, await wrong.json()],
    [401, { error: "Invalid URL, hash doesn't match", code: "invalid_callback_hash" }],
  );
});

test("the page asks what the edge was told to ask, and its decision reaches upstream", async () => {
  const approval = {
    title: "Publish the report?",
    choices: [
      { label: "Yes", data: { go: true } },
      { label: "No", data: { go: false } },
    ],
  };
  const token = await edge.create({ approval, timeout: "1h" });
  const page = await (await fetch(token.url, { headers: { accept: "text/html" } })).text();
  assert.match(page, /Publish the report\?/);
  const nonce = /name="waitpoint_nonce" value="([^"]+)"/.exec(page)[1];
  const sent = await fetch(token.url, {
    method: "POST",
    headers: { accept: "text/html" },
    body: new URLSearchParams({ waitpoint_nonce: nonce, choice: "0" }),
    redirect: "manual",
  });
  assert.equal(sent.status, 303);
  await delivered(token);
  assert.equal((await upstream.retrieve(token.id)).output, '{"go":true}');
  const { completedBy, approval: shown } = await edge.retrieve(token.id);
  assert.deepEqual([completedBy, shown.title], ["page", "Publish the report?"]);
  const plain = await edge.create();
  assert.match(
    await (await fetch(plain.url, { headers: { accept: "text/html" } })).text(),
    /Approve/,
  );
  for (const wrong of [{ approval: { choices: "x" } }, { webhook: { url: "ftp://x" } }]) {
    assert.equal((await edge.api(TOKENS, { body: wrong })).status, 400);
  }
  const before = await upstream.retrieve("waitpoint_cnobody");
  assert.equal(before.error, "Waitpoint not found");
  assert.equal(
    (
      await fetch(
        `${edge.url}${TOKENS}/waitpoint_cnobody/callback/${callbackHash("waitpoint_cnobody")}`,
      )
    ).status,
    404,
  );
});

test("a create with a long approval is short enough for upstream", async () => {
  const approval = { title: "Читать?", description: "漢".repeat(4_000) };
  const token = await edge.create({ approval, tags: ["long"], timeout: "1h" });
  const there = await upstream.retrieve(token.id);
  assert.deepEqual([there.tags, there.approval], [["long"], undefined]);
  const page = await fetch(token.url, { headers: { accept: "text/html" } });
  assert.match(await page.text(), /漢{4000}/);
  const refused = await edge.api(TOKENS, { body: { approval, x: "y".repeat(10_240) } });
  assert.equal(refused.status, 413);
  assert.match((await refused.json()).error, /it has 10248 bytes, and at most 10240/);
});

test("what upstream would refuse for its size is refused before it is decided", async () => {
  const token = await edge.create();
  const body = `"${"x".repeat(3 * 1024 * 1024 - 2)}"`;
  const posted = await fetch(
    `${edge.url}${TOKENS}/${token.id}/callback/${callbackHash(token.id)}`,
    { method: "POST", body },
  );
  assert.equal(posted.status, 413);
  assert.equal((await edge.complete(token.id, 1)).headers.get("waitpoint-outcome"), "completed");
});

test("no other spelling of a decision reaches upstream, and no request loops", async () => {
  const token = await edge.create();
  const before = way.completions.length;
  for (const path of ["/%63omplete", "/x/../complete/x", "//complete"]) {
    const answer = await edge.api(`${TOKENS}/${token.id}${path}`, { body: { data: 1 } });
    assert.equal(answer.status, 404, path);
  }
  const slash = await edge.api(`${TOKENS}/${token.id}/complete/`, { body: { data: 1 } });
  assert.equal(slash.status, 308);
  for (const path of ["/api/v1/../../admin", "/api/%2e%2e/admin", "/api//x", "/other"]) {
    assert.equal((await edge.api(path, { body: {} })).status, 404, path);
  }
  const id = token.id;
  for (const path of [
    `/api/V1/waitpoints/tokens/${id}/complete`,
    `/api/v1/%74okens/${id}/complete`,
    `/api/v1/waitpoints/%74okens/${id}/complete`,
    `/api/v1/Waitpoints/tokens/${id}/complete`,
    `/api/v1;x/waitpoints/tokens/${id}/complete`,
    `/API/v1/waitpoints/tokens/${id}/complete`,
    `/api/v1/runs/%252e%252e/waitpoints/tokens/${id}/complete`,
    `/api/v1/waitpoints/tokens/${id}/complete;x`,
  ]) {
    assert.equal((await raw("POST", path, `{"data":"there"}`)).status, 404, path);
    assert.equal((await raw("GET", path.replace("/complete", ""))).status, 404, path);
  }
  // A callback of an unknown token is forwarded only with a hash, and a run's wait only with ids.
  const jwt = token.publicAccessToken;
  const hash = callbackHash(id, "nobody");
  const heard = [];
  const count = (path) => heard.push(path);
  way.on("asked", count);
  for (const path of [
    `${TOKENS}/${id}/callback/%252e%252e%255ccomplete`,
    `${TOKENS}/${id}/callback/${jwt.replaceAll(".", "%252E")}`,
    `${TOKENS}/${id}/callback/${hash};x`,
    `${TOKENS}/${id}/callback/%3${hash.slice(1)}`,
    `${TOKENS}/${id.replace("_", "%5F")}/callback/${hash}`,
    `${TOKENS}/..%2f..%2fx/callback/${hash}`,
    `/engine/v1/runs/%2e%2e/waitpoints/tokens/${id}/wait`,
    "/engine/v1/runs/..%2f..%2f..%2fapi%2fv1%2fwaitpoints%2ftokens%2f" +
      `${id}%2fcomplete%3f/waitpoints/tokens/x/wait`,
    `/engine/v1/runs/run_1/waitpoints/tokens/%252e%252e/wait`,
  ]) {
    const { status } = await raw("POST", path, `{"data":"there"}`);
    assert.ok([401, 404].includes(status), `${status} ${path}`);
  }
  way.off("asked", count);
  // A damaged link is mended first, so upstream sees one spelling.
  assert.deepEqual([...new Set(heard)], [`${TOKENS}/${id}/callback/${hash}`]);
  assert.equal((await upstream.retrieve(id)).status, "WAITING");
  assert.equal(way.completions.length, before);
  const looped = await edge.api(TOKENS, { headers: { "waitpoint-relay": "1" } });
  assert.deepEqual([looped.status, (await looped.json()).code], [508, "upstream_loop"]);
});

test("settings that do not fit are told", async () => {
  for (const [worker, said] of [
    [keyless, /environment default, which has no key/],
    [misspelt, /line 1 of UPSTREAM/],
  ]) {
    const answer = await worker.api("/healthz");
    assert.equal(answer.status, 500);
    assert.match((await answer.json()).error, said);
  }
});

test("waitForToken hears what is decided here, and what is decided upstream", async () => {
  const [here, there] = [
    await edge.create({ timeout: "1h" }),
    await edge.create({ timeout: "1h" }),
  ];
  const options = ({ publicAccessToken }) => ({
    baseURL: edge.url,
    accessToken: sign([`read:waitpoints`], { claims: { sub: "cmupstream1" } }),
    publicAccessToken,
  });
  const waits = [here, there].map((token) => {
    const { baseURL, accessToken } = options(token);
    return waitForToken(token.id, { baseURL, accessToken });
  });
  await until(
    () => edge.api(`${TOKENS}/${there.id}/wait`),
    ({ status }) => status === 200,
  );
  await completeToken(here.id, "here", { baseURL: edge.url, accessToken: KEY });
  await upstream.complete(there.id, "there");
  const [first, second] = await Promise.all(waits);
  assert.deepEqual(
    [first.output, second.output, second.completedBy],
    ["here", "there", "upstream"],
  );
  const over = await edge.api(`${TOKENS}/${there.id}/wait`, { headers: { prefer: "wait=5" } });
  assert.equal((await over.json()).output, '"there"');
});

test("a reader's JWT never becomes a writer's, and other environments stay here", async () => {
  const token = await edge.create();
  const reading = sign([`read:waitpoints:${token.id}`], { claims: { sub: "cmupstream1" } });
  const { url } = await edge.retrieve(token.id, { key: reading });
  assert.ok(url.endsWith(reading));
  assert.equal((await edge.complete(token.id, 1, { key: reading })).status, 403);
  const local = await both.create();
  await both.complete(local.id, "local");
  assert.equal((await both.retrieve(local.id)).output, '"local"');
  assert.equal((await upstream.retrieve(local.id)).error, "Waitpoint not found");
  const relayed = await both.create({}, { key: OTHER_KEY });
  assert.equal((await upstream.retrieve(relayed.id, { key: OTHER_KEY })).status, "WAITING");
});

test("what else there is of the API is passed on as it is, with its errors", async () => {
  for (const [path, options] of [
    ["/api/v1/tasks/hello/trigger", { body: { payload: 1 } }],
    ["/api/v1/auth/jwt/claims", { method: "POST" }],
    [`${TOKENS}?page[size]=0`, {}],
    [`${TOKENS}`, { key: "tr_dev_unknown8901234567890123" }],
    [`${TOKENS}/waitpoint_cnobody`, {}],
  ]) {
    const [ours, theirs] = [await edge.api(path, options), await upstream.api(path, options)];
    assert.equal(ours.status, theirs.status, path);
    assert.deepEqual(await ours.json(), await theirs.json(), path);
  }
});
