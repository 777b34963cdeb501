// Each case of each service in senders/, sent to a token's link as the service sends it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { root, SECRET_KEYS, useWorker } from "../support/harness.mjs";
import { CALLBACK_SECRETS, send, senders } from "./senders.mjs";

const worker = useWorker({ secrets: { SECRET_KEYS, CALLBACK_SECRETS } });

for (const sender of senders) {
  for (const one of sender.cases) {
    test(`${sender.service}: ${one.name}`, async () => {
      for (const link of ["url", "shortUrl"]) await run(sender, one, link);
    });
  }
}

/** Sends the steps of a case to this link of a new token. */
async function run(sender, { create = {}, steps, token }, link) {
  const created = await worker.create(create);
  let completed;
  for (const [n, step] of steps.entries()) {
    const answer = await send(sender, step, created[link]);
    const { status = 200, outcome, ...expected } = step.expect ?? { outcome: "completed" };
    const at = `${link}, step ${n + 1}: ${answer.status} ${answer.body.slice(0, 300)}`;
    assert.equal(answer.status, status, at);
    assert.equal(answer.headers["waitpoint-outcome"], outcome, at);
    check(answer, expected, at);
    if (outcome === "completed") completed ??= answer.sent;
    const now = (await worker.retrieve(created.id)).status;
    assert.equal(now, completed === undefined ? "WAITING" : "COMPLETED", at);
  }
  if (completed !== undefined) checkToken(await worker.retrieve(created.id), token, completed);
  else assert.equal(token, undefined, "what a token holds, though nothing completes it");
}

/** The answer's body, its media type and its headers, as far as the file names them. */
function check(answer, { body, type, headers = {} }, at) {
  if (type !== undefined) assert.equal(answer.headers["content-type"] ?? "", type, at);
  if (typeof body === "string") assert.equal(answer.body, body, at);
  else if (body !== undefined) assert.deepEqual(JSON.parse(answer.body), body, at);
  for (const [name, value] of Object.entries(headers)) assert.equal(answer.headers[name], value);
}

/** Without `output` in the file it is what was sent. An output that is no text there is JSON. */
function checkToken(found, { output, outputType = "application/json", ...others } = {}, sent) {
  assert.equal(found.outputType, outputType);
  if (output === undefined || typeof output === "string")
    assert.equal(found.output, output ?? sent);
  else assert.deepEqual(JSON.parse(found.output), output);
  assert.equal(found.completedBy, "callback");
  for (const [name, value] of Object.entries(others)) assert.deepEqual(found[name], value, name);
}

test("each service has a document, and each secret a service", () => {
  for (const { service, document, cases } of senders) {
    assert.ok(URL.canParse(document), `${service} has a document`);
    assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length, service);
  }
  const names = CALLBACK_SECRETS.split("\n").map((line) => line.split("=")[0]);
  assert.equal(new Set(names).size, names.length, "names of secrets are used once");
});

test("each row of docs/callbacks.md is tried by a case: its callback and its link", () => {
  const page = readFileSync(join(root, "docs/callbacks.md"), "utf8");
  const rows = [...page.matchAll(/^\| (.+) \| (.+) \| .+ \| (.+) \| .+ \| `(.+)` \|$/gm)];
  assert.ok(rows.length > 14);
  for (const [, name, callback, links, files] of rows) {
    const cases = senders.filter(({ file }) => files.split("`, `").includes(file));
    const wanted = callback === "none" ? undefined : JSON.parse(callback.slice(1, -1));
    const link = /^`(\w+)`/.exec(links)?.[1];
    const isTried = cases
      .flatMap(({ cases }) => cases)
      .some(({ create, link: used = "url" }) => {
        if (link !== undefined && link !== used) return false;
        return isDeepStrictEqual(create?.callback, wanted);
      });
    assert.ok(isTried, name);
  }
});
