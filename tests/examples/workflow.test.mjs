// examples/workflow: a Cloudflare Workflow that waits for a token and is woken by its webhook.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { createTestHarness } from "wrangler";
import { KEY, SECRET_KEYS, until, useWorker } from "../support/harness.mjs";
import { example } from "../support/package.mjs";

const WEBHOOK_SECRET = `whsec_${randomBytes(32).toString("base64")}`;
const folder = example("workflow");
const waitpoint = useWorker({ secrets: { SECRET_KEYS, WEBHOOK_SECRET } });
const app = await useApp();
const impatient = await useApp({ LOOK_EVERY: "1 second" });

test("the link is sent; a decision on its page ends the wait", async () => {
  const { instance, url } = await ask(app);
  const [, nonce] = /name="waitpoint_nonce" value="([^"]*)"/.exec(await (await fetch(url)).text());
  await fetch(url, {
    method: "POST",
    body: new URLSearchParams({ waitpoint_nonce: nonce, choice: "0", comment: "fine" }),
  });
  assert.deepEqual(await output(instance), {
    status: "COMPLETED",
    approved: true,
    comment: "fine",
  });
});

test("a token that times out ends the wait", async () => {
  const { instance } = await ask(app, { timeout: "1s" });
  assert.deepEqual(await output(instance), { status: "TIMED_OUT", approved: false });
});

test("a webhook that comes before the workflow waits for it is kept", async () => {
  // The token ends, and its webhook is sent, after the workflow has read it and before it waits.
  let delivered;
  app.relay = async ({ method, url }, pass) => {
    const answer = await pass();
    if (method === "GET") {
      app.relay = undefined;
      const id = url.split("/").at(-1);
      await waitpoint.complete(id, { status: "rejected" });
      delivered = await until(
        () => waitpoint.retrieve(id),
        ({ deliveries }) => deliveries[0].status === "delivered",
      );
    }
    return answer;
  };
  const { instance } = await ask(app);
  assert.deepEqual(await output(instance), { status: "COMPLETED", approved: false });
  assert.equal(delivered.deliveries[0].attempts, 1);
});

test("a webhook may come again, also when the workflow is over", async () => {
  const statuses = [];
  app.relay = async ({ url }, pass) => {
    if (url.startsWith("/webhook")) statuses.push((await pass()).status, (await pass()).status);
    return pass();
  };
  const { id, title, instance, url, token } = await ask(app);
  await fetch(url, { method: "POST", body: '{"status":"approved"}' });
  assert.equal((await output(instance)).approved, true);
  await until(
    () => waitpoint.retrieve(token),
    ({ deliveries }) => deliveries[0].status === "delivered",
  );
  app.relay = undefined;
  statuses.push((await post(id)).status);
  assert.deepEqual(statuses, [204, 204, 204]);
  assert.equal(
    app.server.getLogs().filter((log) => JSON.stringify(log).includes(`published: ${title}`))
      .length,
    1,
  );
});

test("a wrong signature is refused, and a failed event is asked for again", async () => {
  const { id, instance, url } = await ask(app);
  const old = new Date(Date.now() - 3_600_000);
  const other = WEBHOOK_SECRET.replace(/.{8}$/, "AAAAAAA=");
  for (const options of [
    { secret: other },
    { at: old },
    { headers: {} },
    { sent: '{"data":{"id":"other"}}' },
  ]) {
    assert.equal((await post(id, options)).status, 401, JSON.stringify(options));
  }
  assert.equal((await post("nobody")).status, 503);
  assert.equal((await post("a/b")).status, 404);
  assert.equal((await fetch(`${app.url}/webhook/${id}`)).status, 404);
  // A signed event only wakes the workflow: nobody has decided.
  assert.equal((await post(id)).status, 204);
  await fetch(url, { method: "POST", body: '{"status":"rejected"}' });
  assert.deepEqual(await output(instance), { status: "COMPLETED", approved: false });
});

test("a step that is tried again makes no second token", async () => {
  app.refusals = 1;
  const { title, instance, url } = await ask(app);
  assert.equal(app.refused, `${title} ${url}`);
  await fetch(url, { method: "POST", body: '{"status":"approved"}' });
  assert.equal((await output(instance)).approved, true);
});

test("should the webhook be lost, the workflow looks by itself", async () => {
  impatient.relay = ({ url }, pass) =>
    url.startsWith("/webhook") ? new Response(null, { status: 410 }) : pass();
  const { instance, url } = await ask(impatient);
  await fetch(url, { method: "POST", body: '{"status":"approved"}' });
  assert.deepEqual(await output(instance), { status: "COMPLETED", approved: true });
});

/**
 * A workflow that has asked and read that nobody has decided: its instance, the link that it sent,
 * and the token's id.
 */
async function ask(app, params) {
  const title = `Publish ${crypto.randomUUID()}?`;
  const { APPROVALS } = await app.server.getWorker().getEnv();
  const { id } = await APPROVALS.create({ params: { title, ...params } });
  const happened = async (find) => {
    for (;;) {
      const found = find();
      if (found) return found;
      await once(app, "passed");
    }
  };
  const text = await happened(() => app.told.find((text) => text.startsWith(title)));
  const url = text.slice(title.length + 1);
  const token = url.split("/").at(-3);
  await happened(() => app.read.has(token));
  return { id, title, instance: await APPROVALS.get(id), url, token };
}

/** The result of a workflow. */
async function output(instance) {
  const over = ({ status }) => ["complete", "errored", "terminated"].includes(status);
  const { status, output, error } = await until(() => instance.status(), over);
  assert.equal(status, "complete", JSON.stringify(error));
  return output;
}

/** Posts a webhook that the test has made. */
function post(
  instance,
  {
    secret = WEBHOOK_SECRET,
    at = new Date(),
    body = '{"data":{"id":"x"}}',
    sent = body,
    headers,
  } = {},
) {
  const signature = new Webhook(secret).sign("msg_x", at, body);
  headers ??= {
    "webhook-id": "msg_x",
    "webhook-timestamp": `${Math.floor(at / 1000)}`,
    "webhook-signature": signature,
  };
  return fetch(`${app.url}/webhook/${instance}`, { method: "POST", headers, body: sent });
}

/**
 * The example's Worker, and a relay between it and Waitpoint: `relay(request, pass)` may change
 * what passes. `told` has what was sent to NOTIFY_URL and accepted; `read` has the tokens that were
 * read.
 */
async function useApp(vars = {}) {
  const state = {
    url: "",
    told: [],
    read: new Set(),
    refusals: 0,
    refused: undefined,
    relay: undefined,
  };
  const app = Object.assign(new EventEmitter(), state);
  const relay = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request));
    if (request.url === "/notify") {
      const { text } = JSON.parse(body);
      if (app.refusals-- > 0) {
        app.refused = text;
        return response.writeHead(500).end();
      }
      app.told.push(text);
      response.end();
      return app.emit("passed");
    }
    const { host, connection, "content-length": _, ...headers } = request.headers;
    const origin = request.url.startsWith("/webhook/") ? app.url : waitpoint.url;
    const pass = () =>
      fetch(origin + request.url, {
        method: request.method,
        headers,
        body: body.length ? body : undefined,
      });
    const answer = await (app.relay ?? ((_, pass) => pass()))(request, pass);
    const kept = [...answer.headers].filter(
      ([name]) => !["content-length", "content-encoding"].includes(name),
    );
    response
      .writeHead(answer.status, Object.fromEntries(kept))
      .end(Buffer.from(await answer.arrayBuffer()));
    if (request.method === "GET") app.read.add(request.url.split("/").at(-1));
    app.emit("passed");
  });
  relay.listen(0, "127.0.0.1");
  await once(relay, "listening");
  const own = `http://127.0.0.1:${relay.address().port}`;
  app.server = createTestHarness({
    root: folder,
    workers: [
      {
        configPath: join(folder, "wrangler.toml"),
        vars: { WAITPOINT_URL: own, SELF_URL: own, ...vars },
        secrets: { WAITPOINT_KEY: KEY, WEBHOOK_SECRET, NOTIFY_URL: `${own}/notify` },
      },
    ],
  });
  before(async () => {
    app.url = (await app.server.listen()).url.origin;
  });
  after(async () => {
    assert.doesNotMatch(
      JSON.stringify(app.server.getLogs()),
      /eyJ|tr_dev_/,
      "a credential in the logs",
    );
    await app.server.close();
    relay.closeAllConnections();
    relay.close();
  });
  return app;
}
