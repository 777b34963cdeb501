// The receivers of docs/webhooks.md, taken out of the document and run: in Workers, in Next, whose
// route handlers are functions of a Request, with Hono, and with Node's own server.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { join } from "node:path";
import { after, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { root } from "../../scripts/lib/process.mjs";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const URL_OF_RECEIVER = "https://receiver.example/webhook";
process.env.WEBHOOK_SECRET = SECRET;

const text = readFileSync(join(root, "docs/webhooks.md"), "utf8");
const blocks = [...text.matchAll(/^```js\n([\s\S]*?)^```$/gm)].map(([, code]) => code);

/** Beside node_modules, from which the examples import. It is deleted when the tests end. */
const folder = mkdtempSync(join(root, "node_modules/.webhooks-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The example whose first line says this, as a module. */
function write(first) {
  const found = blocks.filter((code) => code.split("\n", 1)[0].includes(first));
  assert.equal(found.length, 1, first);
  const file = join(folder, `${first.replace(/\W+/g, "-")}.mjs`);
  writeFileSync(file, found[0]);
  return file;
}
const load = (first) => import(write(first));

const BODY = JSON.stringify({
  type: "waitpoint.completed",
  timestamp: "2026-11-26T09:00:00.000Z",
  data: { id: "waitpoint_c1", status: "COMPLETED", output: '"é🎉"' },
});
function request({ body = BODY, signed = body, secret = SECRET, age = 0 } = {}) {
  const at = new Date(Date.now() - age * 1_000);
  return new Request(URL_OF_RECEIVER, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      "Webhook-Id": "msg_1",
      "Webhook-Timestamp": String(Math.floor(at / 1_000)),
      "Webhook-Signature": new Webhook(secret).sign("msg_1", at, signed),
    },
    body,
  });
}

/** The requests that a receiver gets, and whether it accepts each. */
const cases = () => [
  ["good", request(), true],
  ["tampered", request({ body: BODY.replace("é", "e"), signed: BODY }), false],
  ["old", request({ age: 6 * 60 }), false],
  ["from the future", request({ age: -6 * 60 }), false],
  ["of another secret", request({ secret: `whsec_${"B".repeat(43)}=` }), false],
  ["unsigned", new Request(URL_OF_RECEIVER, { method: "POST", body: BODY }), false],
];

/** What the example prints while `work` runs. */
async function printed(work) {
  const { log } = console;
  const lines = [];
  console.log = (...line) => lines.push(line.join(" "));
  try {
    await work();
  } finally {
    console.log = log;
  }
  return lines;
}

const env = { WEBHOOK_SECRET: SECRET };
for (const [first, receive] of [
  [
    "worker.js of Cloudflare Workers",
    ({ default: worker }) =>
      (sent) =>
        worker.fetch(sent, env),
  ],
  ["app/webhook/route.js of Next", ({ POST }) => POST],
  [
    "index.js with Hono",
    ({ default: app }) =>
      (sent) =>
        app.fetch(sent, env),
  ],
]) {
  test(`${first}: a good message is received, and no other`, async () => {
    const answer = receive(await load(first));
    const lines = await printed(async () => {
      for (const [name, sent, isAccepted] of cases()) {
        assert.equal((await answer(sent)).status, isAccepted ? 204 : 401, name);
      }
    });
    assert.deepEqual(lines, ["waitpoint.completed waitpoint_c1"]);
  });
}

test("receiver.mjs: a good message is received, and no other", async () => {
  const { listen } = http.Server.prototype;
  const server = await new Promise((resolve, reject) => {
    // The example listens at 9000, where this machine may have something else.
    http.Server.prototype.listen = function () {
      http.Server.prototype.listen = listen;
      resolve(this.listen(0, "127.0.0.1"));
    };
    load("receiver.mjs").catch(reject);
  });
  after(() => server.close());
  await once(server, "listening");
  const url = `http://127.0.0.1:${server.address().port}`;
  const lines = await printed(async () => {
    for (const [name, sent, isAccepted] of cases()) {
      const { method, headers } = sent;
      const answer = await fetch(url, { method, headers, body: await sent.text() });
      assert.equal(answer.status, isAccepted ? 204 : 400, name);
    }
  });
  assert.deepEqual(lines, ['waitpoint.completed waitpoint_c1 "é🎉"']);
});
