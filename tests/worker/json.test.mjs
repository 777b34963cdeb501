// JSONTestSuite over HTTP: every file as the body of create, complete and a callback, and as an
// output.
import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { KEY, root, TOKENS, useWorker } from "../support/harness.mjs";

const worker = useWorker();

// The crate with the files is locked in fuzz/. It is downloaded and not compiled.
const arguments_ = [
  "metadata",
  "--locked",
  "--format-version=1",
  "--manifest-path",
  join(root, "fuzz/Cargo.toml"),
];
const { packages } = JSON.parse(
  execFileSync("cargo", arguments_, { maxBuffer: 1 << 26, stdio: ["ignore", "pipe", "inherit"] }),
);
const { manifest_path } = packages.find(({ name }) => name === "json-syntax");
const folder = join(dirname(manifest_path), "tests", "inputs");
const files = readdirSync(folder).sort();

/** No request may hang. */
const post = (url, body, headers = {}) =>
  fetch(url, { method: "POST", body, headers, signal: AbortSignal.timeout(30_000) });
const asOwner = { authorization: `Bearer ${KEY}`, "content-type": "application/json" };
const within = (file) => Buffer.concat([Buffer.from('{"data":'), file, Buffer.from("}")]);
const bare = (file) => file.toString().replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");

/** Calls `check` with the name and the bytes of each file, ten files at a time. */
async function forEachFile(check) {
  const left = files.slice();
  const next = async () => {
    for (let name = left.pop(); name; name = left.pop())
      await check(name, readFileSync(join(folder, name)));
  };
  await Promise.all(Array.from({ length: 10 }, next));
}

test("the suite is complete", () => {
  const count = (kind) => files.filter((name) => name.startsWith(kind)).length;
  assert.deepEqual([count("y_"), count("n_"), count("i_")], [107, 188, 19]);
});

test("create responds to every file, and accepts no malformed one", () =>
  forEachFile(async (name, file) => {
    const answer = await post(worker.url + TOKENS, file, asOwner);
    const { code } = await answer.json();
    assert.ok([200, 400, 413].includes(answer.status), `${answer.status} ${name}`);
    if (name.startsWith("n_")) assert.notEqual(answer.status, 200, name);
    if (answer.status === 413) assert.equal(code, "body_too_large", name);
  }));

test("complete answers every file, and keeps the JSON ones byte for byte", () =>
  forEachFile(async (name, file) => {
    const { id } = await worker.create();
    const path = `${worker.url}${TOKENS}/${id}/complete`;
    if (name.startsWith("n_")) {
      assert.equal((await post(path, file, asOwner)).status, 400, name);
      assert.equal((await post(path, within(file), asOwner)).status, 400, name);
      assert.equal((await worker.retrieve(id)).status, "WAITING", name);
      return;
    }
    const answer = await post(path, within(file), asOwner);
    assert.ok([200, 400].includes(answer.status), `${answer.status} ${name}`);
    if (name.startsWith("y_")) assert.equal(answer.status, 200, name);
    if (answer.status === 200) assert.equal((await worker.retrieve(id)).output, bare(file), name);
  }));

test("a callback takes every file that is UTF-8: JSON as JSON, the rest as text", () =>
  forEachFile(async (name, file) => {
    const { id, url } = await worker.create();
    const answer = await post(url, file, { "content-type": "application/json" });
    assert.equal(answer.status, isUtf8(file) ? 200 : 400, name);
    const token = await worker.retrieve(id);
    if (answer.status === 400) return assert.equal(token.status, "WAITING", name);
    const empty = file.toString().replace("\ufeff", "").trim() === "";
    if (name.startsWith("y_"))
      assert.deepEqual([token.output, token.outputType], [bare(file), "application/json"], name);
    if (name.startsWith("n_") && !empty) assert.equal(token.outputType, "text/plain", name);
  }));
