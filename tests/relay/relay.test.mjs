// In front of another API: a relaying Worker, and a second one of ours in trigger.dev's place; between them a way that
// fails, is slow, loses answers. Nothing that was decided is lost, and nothing is decided twice.
import { auth, wait } from "@trigger.dev/sdk";
import assert from "node:assert/strict";
import { EventEmitter, on, once } from "node:events";
import { createServer, request } from "node:http";
import { after, test } from "node:test";
import { completeToken, waitForToken } from "../../pkg/index.js";
import { KEY, OTHER_KEY, TOKENS, callbackHash, sign, until, useWorker } from "../harness.mjs";

// trigger.dev's environments have ids of their own.
const upstream = useWorker({ secrets: { SECRET_KEYS: `cmupstream1=${KEY}\ncmupstream2=${OTHER_KEY}` } });
const way = await useWay();
const edge = useWorker({ vars: { UPSTREAM: way.url } });
const keyless = useWorker({ secrets: { SECRET_KEYS: `prod=${KEY}` }, vars: { UPSTREAM: way.url } });
const misspelt = useWorker({ vars: { UPSTREAM: "api.trigger.dev" } });
const both = useWorker({ vars: { UPSTREAM: `prod=${way.url}` } });

/**
 * The way from the edge to upstream. `way.fail` answers in its place (a status and headers, "down", or "lost": upstream
 * hears it and its answer does not come back) until it says otherwise; `completions` are those that set out.
 */
async function useWay() {
  const way = Object.assign(new EventEmitter(), { url: "", fail: () => undefined, completions: [] });
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request));
    if (request.url.endsWith("/complete")) way.completions.push({ url: request.url, body: body.toString() });
    way.emit("asked", request.url);
    const failure = await way.fail(request);
    if (failure === "down") return request.socket.destroy();
    if (Array.isArray(failure)) return response.writeHead(failure[0], failure[1]).end('{"error":"in the way"}');
    const { host, connection, "content-length": _, ...headers } = request.headers;
    const answer = await fetch(upstream.url + request.url, {
      method: request.method,
      headers,
      body: body.length ? body : undefined,
      redirect: "manual",
    });
    const text = await answer.text();
    way.emit(`${request.method} answered`, request.url);
    if (failure === "lost") return request.socket.destroy();
    const kept = [...answer.headers].filter(([name]) => !["content-length", "content-encoding", "transfer-encoding"].includes(name));
    response.writeHead(answer.status, Object.fromEntries(kept)).end(request.method === "HEAD" ? undefined : text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  way.url = `http://127.0.0.1:${server.address().port}`;
  after(() => (server.closeAllConnections(), server.close()));
  return way;
}

/** A request to the edge whose path is sent as it stands, which fetch does not. */
async function raw(method, path, body) {
  const { hostname, port } = new URL(edge.url);
  const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
  const sent = request({ hostname, port, method, path, headers });
  sent.end(body);
  const [answer] = await once(sent, "response");
  return { status: answer.statusCode, text: (await answer.setEncoding("utf8").toArray()).join("") };
}

/** Resolves when upstream has told how a token stands there. */
async function asked({ id }) {
  for await (const [url] of on(way, "GET answered")) if (url.endsWith(id)) return;
}

/** While `work` runs the way fails so. */
async function failing(fail, work) {
  way.fail = typeof fail === "function" ? fail : (request) => (request.url.endsWith("/complete") || fail === "down" ? fail : undefined);
  try {
    return await work();
  } finally {
    way.fail = () => undefined;
  }
}

const asBackEnd = (work) => auth.withAuth({ baseURL: edge.url, accessToken: KEY }, work);
const delivery = async ({ id }) => (await edge.retrieve(id)).deliveries?.find(({ target }) => target === "upstream");
/** What the edge notes of upstream's decision, once it has noted something. */
const difference = async (token) => (await until(() => delivery(token), (one) => one?.difference)).difference;
const delivered = (token) => until(() => delivery(token), (one) => one?.status === "delivered");

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
    const { data } = await until(() => wait.listTokens({ tags: "relayed", status: "COMPLETED" }), ({ data }) => data.length === 1);
    assert.deepEqual([data[0].id, data[0].url.startsWith(edge.url)], [token.id, true]);

    const signed = await wait.createToken();
    const jwt = await auth.createPublicToken({ scopes: { write: { waitpoints: [signed.id] } } });
    await auth.withAuth({ baseURL: edge.url, accessToken: jwt }, () => wait.completeToken(signed.id, "by a JWT"));
    await auth.withAuth({ baseURL: edge.url, accessToken: token.publicAccessToken }, () =>
      assert.rejects(wait.completeToken(signed.id, 1), { status: 403 }),
    );
    await delivered(signed);
    assert.equal((await upstream.retrieve(signed.id)).output, '"by a JWT"');
    await assert.rejects(wait.createToken({ tags: Array(11).fill("x") }), { status: 422, message: /10 tags/ });
  });
  const run = `/engine/v1/runs/run_1/waitpoints/tokens/waitpoint_cnobody/wait`;
  assert.deepEqual(await (await edge.api(run, { method: "POST" })).json(), await (await upstream.api(run, { method: "POST" })).json());
});

test("what was decided here stands and is shown while upstream is away, and upstream gets it when it is back", async () => {
  const token = await edge.create({ timeout: "1h" });
  await failing("down", async () => {
    const first = await edge.complete(token.id, "first", { key: token.publicAccessToken });
    assert.deepEqual([first.status, first.headers.get("waitpoint-outcome")], [200, "completed"]);
    const second = await edge.complete(token.id, "second");
    assert.deepEqual([second.status, second.headers.get("waitpoint-outcome")], [200, "already-completed"]);
    const answer = await edge.api(`${TOKENS}/${token.id}`);
    assert.equal(answer.headers.get("waitpoint-source"), "edge");
    const { status, output } = await answer.json();
    assert.deepEqual([status, output], ["COMPLETED", '"first"']);
    const tried = await until(() => delivery(token), ({ attempts }) => attempts >= 2);
    assert.equal(tried.status, "pending");
    for (const path of [TOKENS, `${TOKENS}/waitpoint_cother`]) {
      const away = await edge.api(path);
      assert.ok([500, 503].includes(away.status), `${path}: ${away.status}`);
    }
  });
  assert.equal((await upstream.retrieve(token.id)).status, "WAITING");
  await delivered(token);
  const there = await upstream.retrieve(token.id);
  assert.deepEqual([there.status, there.output], ["COMPLETED", '"first"']);
  const { tags, timeoutAt, createdAt } = await edge.retrieve(token.id);
  assert.deepEqual([tags, timeoutAt, createdAt], [[], there.timeoutAt, there.createdAt]);
});

test("upstream that answers 429, 500, or whose answer is lost gets the first decision, at least once", async () => {
  const resets = () => ({ "x-ratelimit-reset": String(Date.now() + 2000) });
  for (const failure of [[500], [503, { "retry-after": "2" }], [429, resets()], "lost"]) {
    const token = await edge.create();
    let left = 2;
    const before = way.completions.length;
    await failing((request) => (request.url.endsWith("/complete") && left-- > 0 ? failure : undefined), async () => {
      await Promise.all(["a", "b", "c"].map((data) => edge.complete(token.id, data)));
      await delivered(token);
    });
    const sent = way.completions.slice(before);
    assert.equal(sent.length, 3, `${failure}`);
    assert.equal(new Set(sent.map(({ body }) => body)).size, 1);
    const [ours, theirs] = [await edge.retrieve(token.id), await upstream.retrieve(token.id)];
    assert.equal(theirs.output, ours.output);
    assert.equal(JSON.parse(sent[0].body).data, JSON.parse(ours.output));
    const { attempts, difference } = await delivery(token);
    assert.deepEqual([attempts, difference], [3, undefined]);
  }
});

test("nobody who decides waits for upstream", async () => {
  const token = await edge.create();
  const hold = Promise.withResolvers();
  await failing(() => hold.promise, async () => {
    const asked = once(way, "asked");
    assert.equal((await edge.complete(token.id, 1)).status, 200);
    await asked;
    assert.equal((await edge.complete(token.id, 1)).headers.get("waitpoint-outcome"), "already-completed");
    hold.resolve();
    await delivered(token);
  });
});

test("what upstream will never take is told, and not tried again", async () => {
  for (const status of [401, 403, 404]) {
    const token = await edge.create();
    await failing([status], async () => {
      await edge.complete(token.id, 1);
      const { attempts, lastStatus } = await until(() => delivery(token), (one) => one.status === "failed");
      assert.deepEqual([attempts, lastStatus], [1, status]);
    });
    assert.equal((await edge.retrieve(token.id)).output, "1");
  }
});

test("what upstream had decided before is found out and noted", async () => {
  const otherwise = await edge.create();
  await upstream.complete(otherwise.id, "theirs");
  assert.equal((await edge.complete(otherwise.id, "ours")).headers.get("waitpoint-outcome"), "completed");
  assert.equal(await difference(otherwise), "it had been completed upstream with another output");
  const same = await edge.create();
  await upstream.complete(same.id, { a: 1 });
  const compared = asked(same);
  await edge.complete(same.id, { a: 1 });
  await compared;
  assert.equal((await delivered(same)).difference, undefined);
  // Megabytes of small values, written in another way there.
  const pieces = `[${'{"":0},'.repeat(200_000)}0]`;
  for (const [theirs, isSame] of [[pieces.replaceAll('"":0', '"\\u0061":0'), false], [pieces.replaceAll(",", " ,"), true]]) {
    const token = await edge.create();
    await upstream.api(`${TOKENS}/${token.id}/complete`, { body: `{"data":${theirs}}` });
    const compared = asked(token);
    await edge.api(`${TOKENS}/${token.id}/complete`, { body: `{"data":${pieces}}` });
    await compared;
    if (isSame) assert.equal((await delivered(token)).difference, undefined);
    else assert.equal(await difference(token), "it had been completed upstream with another output");
  }
  const late = await edge.create({ timeout: "1s" });
  await until(() => upstream.retrieve(late.id), ({ status }) => status === "TIMED_OUT");
  assert.equal((await edge.retrieve(late.id)).status, "TIMED_OUT");
  await edge.complete(late.id, 1);
  assert.equal(await difference(late), "it had timed out upstream");
});

test("a machine's callback is decided here, by trigger.dev's own hash too; one that only upstream knows is passed on", async () => {
  const token = await edge.create();
  const hash = callbackHash(token.id);
  const posted = await fetch(`${edge.url}${TOKENS}/${token.id}/callback/${hash}`, { method: "POST", body: '{"by":"hash"}' });
  assert.deepEqual([posted.status, posted.headers.get("waitpoint-outcome")], [200, "completed"]);
  await delivered(token);
  assert.equal((await upstream.retrieve(token.id)).output, '{"by":"hash"}');
  const wrong = await fetch(`${edge.url}${TOKENS}/${token.id}/callback/${callbackHash(token.id, "nobody")}`, { method: "POST", body: "{}" });
  assert.deepEqual([wrong.status, await wrong.json()], [401, { error: "Invalid URL, hash doesn't match", code: "invalid_callback_hash" }]);
});

test("the page asks what the edge was told to ask, and its decision reaches upstream", async () => {
  const approval = { title: "Publish the report?", choices: [{ label: "Yes", data: { go: true } }, { label: "No", data: { go: false } }] };
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
  assert.match(await (await fetch(plain.url, { headers: { accept: "text/html" } })).text(), /Approve/);
  for (const wrong of [{ approval: { choices: "x" } }, { webhook: { url: "ftp://x" } }]) {
    assert.equal((await edge.api(TOKENS, { body: wrong })).status, 400);
  }
  const before = await upstream.retrieve("waitpoint_cnobody");
  assert.equal(before.error, "Waitpoint not found");
  assert.equal((await fetch(`${edge.url}${TOKENS}/waitpoint_cnobody/callback/${callbackHash("waitpoint_cnobody")}`)).status, 404);
});

test("whoever presses a button on the page does not notice that upstream is away or slow", async () => {
  for (const fields of [{}, { approval: { title: "Asked at the edge" } }]) {
    const token = await edge.create(fields);
    await failing("down", async () => {
      const open = () => fetch(token.url, { headers: { accept: "text/html" } });
      const page = await open();
      assert.equal(page.status, 200);
      const text = await page.text();
      if (fields.approval) assert.match(text, /Asked at the edge/);
      const nonce = /name="waitpoint_nonce" value="([^"]+)"/.exec(text)[1];
      const send = (choice) =>
        fetch(token.url, {
          method: "POST",
          headers: { accept: "text/html" },
          body: new URLSearchParams({ waitpoint_nonce: nonce, choice }),
          redirect: "manual",
        });
      assert.equal((await send("0")).status, 303);
      assert.equal((await send("1")).status, 409);
      assert.match(await (await open()).text(), /<h1><bdi lang="">Approve<\/bdi><\/h1>/);
    });
    await delivered(token);
    assert.equal((await upstream.retrieve(token.id)).output, '{"status":"approved"}');
  }
});

test("what upstream would refuse for its size is refused before it is decided", async () => {
  const token = await edge.create();
  const body = `"${"x".repeat(3 * 1024 * 1024 - 2)}"`;
  const posted = await fetch(`${edge.url}${TOKENS}/${token.id}/callback/${callbackHash(token.id)}`, { method: "POST", body });
  assert.equal(posted.status, 413);
  assert.equal((await edge.complete(token.id, 1)).headers.get("waitpoint-outcome"), "completed");
});

test("a passing error of upstream's is none of a token that is known", async () => {
  const token = await edge.create({ approval: { title: "?" } });
  await failing((request) => (request.method === "GET" ? [500] : undefined), async () => {
    const answer = await edge.api(`${TOKENS}/${token.id}`, { key: sign([`read:waitpoints:${token.id}`]) });
    assert.equal((await answer.json()).status, "WAITING");
    assert.equal((await edge.api(`${TOKENS}/${token.id}`)).status, 500);
  });
  const limits = { "x-ratelimit-reset": "1", "x-ratelimit-limit": "5" };
  await failing((request) => (request.method === "GET" ? [429, limits] : undefined), async () => {
    const answer = await edge.api(`${TOKENS}/${token.id}`);
    assert.deepEqual([answer.status, answer.headers.get("x-ratelimit-limit")], [429, "5"]);
  });
});

test("no other spelling of a decision reaches upstream, nothing leads round in a circle", async () => {
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
    `/api/V1/waitpoints/tokens/${id}/complete`, `/api/v1/%74okens/${id}/complete`, `/api/v1/waitpoints/%74okens/${id}/complete`,
    `/api/v1/Waitpoints/tokens/${id}/complete`, `/api/v1;x/waitpoints/tokens/${id}/complete`, `/API/v1/waitpoints/tokens/${id}/complete`,
    `/api/v1/runs/%252e%252e/waitpoints/tokens/${id}/complete`, `/api/v1/waitpoints/tokens/${id}/complete;x`,
  ]) {
    assert.equal((await raw("POST", path, `{"data":"there"}`)).status, 404, path);
    assert.equal((await raw("GET", path.replace("/complete", ""))).status, 404, path);
  }
  // A callback that nobody here knows goes on by a hash alone, and a run's wait by ids alone.
  const jwt = token.publicAccessToken;
  const hash = callbackHash(id, "nobody");
  const heard = [];
  const count = (path) => heard.push(path);
  way.on("asked", count);
  for (const path of [
    `${TOKENS}/${id}/callback/%252e%252e%255ccomplete`, `${TOKENS}/${id}/callback/${jwt.replaceAll(".", "%2E")}`, `${TOKENS}/${id}/callback/${hash};x`,
    `${TOKENS}/${id}/callback/%3${hash.slice(1)}`, `${TOKENS}/${id.replace("_", "%5F")}/callback/${hash}`, `${TOKENS}/..%2f..%2fx/callback/${hash}`,
    `/engine/v1/runs/%2e%2e/waitpoints/tokens/${id}/wait`, `/engine/v1/runs/..%2f..%2f..%2fapi%2fv1%2fwaitpoints%2ftokens%2f${id}%2fcomplete%3f/waitpoints/tokens/x/wait`,
    `/engine/v1/runs/run_1/waitpoints/tokens/%252e%252e/wait`,
  ]) {
    const { status } = await raw("POST", path, `{"data":"there"}`);
    assert.ok([401, 404].includes(status), `${status} ${path}`);
  }
  way.off("asked", count);
  assert.deepEqual(heard, []);
  assert.equal((await upstream.retrieve(id)).status, "WAITING");
  assert.equal(way.completions.length, before);
  const looped = await edge.api(TOKENS, { headers: { "waitpoint-relay": "1" } });
  assert.deepEqual([looped.status, (await looped.json()).code], [508, "upstream_loop"]);
});

test("settings that do not fit are told", async () => {
  for (const [worker, said] of [[keyless, /environment default, which has no key/], [misspelt, /line 1 of UPSTREAM/]]) {
    const answer = await worker.api("/healthz");
    assert.equal(answer.status, 500);
    assert.match((await answer.json()).error, said);
  }
});

test("waitForToken hears what is decided here, and what is decided upstream", async () => {
  const [here, there] = [await edge.create({ timeout: "1h" }), await edge.create({ timeout: "1h" })];
  const options = ({ publicAccessToken }) => ({ baseURL: edge.url, accessToken: sign([`read:waitpoints`], { claims: { sub: "cmupstream1" } }), publicAccessToken });
  const waits = [here, there].map((token) => {
    const { baseURL, accessToken } = options(token);
    return waitForToken(token.id, { baseURL, accessToken });
  });
  await until(() => edge.api(`${TOKENS}/${there.id}/wait`), ({ status }) => status === 200);
  await completeToken(here.id, "here", { baseURL: edge.url, accessToken: KEY });
  await upstream.complete(there.id, "there");
  const [first, second] = await Promise.all(waits);
  assert.deepEqual([first.output, second.output, second.completedBy], ["here", "there", "upstream"]);
  const over = await edge.api(`${TOKENS}/${there.id}/wait`, { headers: { prefer: "wait=5" } });
  assert.equal((await over.json()).output, '"there"');
});

test("a reader's JWT never turns into a writing one, and other environments stay here", async () => {
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
