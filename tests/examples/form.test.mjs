// examples/form: what was filled in is printed, on the page and by a program.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { nonceOf } from "../page/requests.mjs";
import { KEY, useWorker } from "../support/harness.mjs";
import { example } from "../support/package.mjs";

const worker = useWorker();
const folder = example("form");

/** Runs the example: its link, and the lines that it prints after it. */
async function run() {
  const env = { ...process.env, SECRET_KEY: KEY, BASE_URL: worker.url };
  const child = spawn(process.execPath, ["refund.mjs"], { cwd: folder, env });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value } = await lines.next();
  assert.match(value, /^open http/);
  return { url: value.slice("open ".length), lines };
}

/** Sends the page's form. */
async function send(url, fields) {
  const nonce = nonceOf(await (await fetch(url)).text());
  const body = new URLSearchParams({ waitpoint_nonce: nonce, ...fields });
  const headers = { accept: "text/html" };
  return (await fetch(url, { method: "POST", body, headers })).status;
}

test("what a person fills in is printed, once it fits", async () => {
  const { url, lines } = await run();
  const typed = { choice: "0", "field-0": "900", "field-1": "0", "field-2": "2027-01-31" };
  assert.equal(await send(url, typed), 422);
  assert.equal(await send(url, { ...typed, "field-0": "12.5" }), 200);
  assert.deepEqual(await rest(lines), [
    "COMPLETED: 12.5 EUR, as it is late, on 2027-01-31",
    "the customer is not told",
  ]);
});

test("a refusal needs no fields", async () => {
  const { url, lines } = await run();
  assert.equal(await send(url, { choice: "1" }), 200);
  assert.deepEqual(await rest(lines), ["COMPLETED no refund"]);
});

test("a program is held to the form", async () => {
  const { url, lines } = await run();
  const post = (data) =>
    fetch(url, {
      method: "POST",
      body: JSON.stringify(data),
      headers: { "content-type": "application/json" },
    });
  const refused = await post({ go: true, fields: { amount: 900 } });
  assert.equal(refused.status, 422);
  assert.deepEqual(
    (await refused.json()).details.map(({ pointer }) => pointer),
    ["/fields/amount", "/fields/reason"],
  );
  await post({ go: true, fields: { amount: 80, reason: "damaged", mail: true } });
  assert.deepEqual(await rest(lines), [
    "COMPLETED: 80 EUR, as it is damaged, on the next working day",
    "the customer is told",
  ]);
});

async function rest(lines) {
  const all = [];
  for await (const line of lines) all.push(line);
  return all;
}
