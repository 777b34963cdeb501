// What token.url refuses, so that only the page and those who may decide do.
import assert from "node:assert/strict";
import { test } from "node:test";
import { callbackHash, OTHER_KEY, useWorker } from "../support/harness.mjs";
import { navigate, nonceOf, open, send } from "./requests.mjs";

const worker = useWorker();

const status = async ({ id }) => (await worker.retrieve(id)).status;

test("10: without the page's own nonce the form comes back, with the comment", async () => {
  const [token, other] = [await worker.create(), await worker.create()];
  const foreign = nonceOf(await (await open(other.url)).text());
  for (const fields of [
    { waitpoint_nonce: "" },
    { waitpoint_nonce: "v1.1.x" },
    { waitpoint_nonce: foreign },
    // A browser sends this one as a page's form, though it holds none.
    {},
  ]) {
    const body = new URLSearchParams({ choice: "0", comment: "keep <me>", ...fields });
    const { status: code, page } = await navigate(token.url, body);
    assert.equal(code, 403);
    assert.match(page, /keep &#60;me&#62;<\/textarea>/);
    assert.match(page, /role="alert"/);
    assert.equal(await status(token), "WAITING");
  }
  assert.equal((await send(token.url, { choice: "0", comment: "keep <me>" })).status, 303);
});

test("18, 19: another form of a browser gets the page, one beyond 272 KiB is 413", async () => {
  const token = await worker.create();
  for (const [type, body] of [
    [
      "multipart/form-data; boundary=x",
      '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\n0\r\n--x--',
    ],
    ["text/plain", "choice=0"],
    ["application/x-www-form-urlencoded", "choice=0"],
  ]) {
    const { status: code, page } = await navigate(token.url, body, { "content-type": type });
    assert.deepEqual([code, !!nonceOf(page)], [403, true], type);
    const crossing = { "content-type": type, "sec-fetch-site": "cross-site" };
    const refused = await navigate(token.url, body, crossing);
    assert.deepEqual([refused.status, nonceOf(refused.page)], [403, undefined], type);
  }
  const large = await send(token.url, { choice: "0", comment: "x".repeat(272 * 1024) });
  assert.equal(large.status, 413);
  assert.match(await large.text(), /too long/);
  assert.equal(await status(token), "WAITING");
});

test("20: the page's form from another site is 403, and no page may frame this", async () => {
  const token = await worker.create();
  for (const headers of [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "cross-site", accept: "*/*" },
    { origin: "https://evil.example" },
  ]) {
    assert.equal((await send(token.url, { choice: "0" }, { headers })).status, 403);
  }
  assert.equal(await status(token), "WAITING");
  for (const site of ["same-origin", "none"]) {
    const { url } = await worker.create();
    assert.equal(
      (await send(url, { choice: "0" }, { headers: { "sec-fetch-site": site } })).status,
      303,
    );
  }
});

test("21: too many attempts at one token are 429, and do not touch another", async () => {
  const [token, other] = [
    await worker.create({ approval: { confirm: "typed" } }),
    await worker.create(),
  ];
  const nonce = nonceOf(await (await open(token.url)).text());
  const body = () => new URLSearchParams({ waitpoint_nonce: nonce, typed: "guess" });
  let answer;
  for (let attempt = 0; attempt < 31; attempt++)
    answer = await open(token.url, { method: "POST", body: body() });
  assert.equal(answer.status, 429);
  assert.ok(Number(answer.headers.get("retry-after")) > 0);
  const busy = await answer.text();
  assert.match(busy, /Wait a minute/);
  assert.match(busy, /value="guess"/);
  assert.equal((await open(token.url)).status, 200);
  assert.equal((await send(other.url, { choice: "0" })).status, 303);
});

test("22: nobody uses up the attempts at a token but those who may decide it", async () => {
  const token = await worker.create();
  const { pathname } = new URL(token.url);
  // The other environment's key makes a hash for any id, and so do those of tokens that do not
  // exist.
  const foreign = worker.url + pathname.replace(/[^/]+$/, callbackHash(token.id, OTHER_KEY));
  for (let attempt = 0; attempt < 35; attempt++) {
    const body = new URLSearchParams({ waitpoint_nonce: "x", choice: "0" });
    assert.equal((await open(foreign, { method: "POST", body })).status, 404);
  }
  assert.equal((await send(token.url, { choice: "0" })).status, 303);
});

test("a machine's form still completes by the callback", async () => {
  const token = await worker.create();
  const answer = await fetch(token.url, {
    method: "POST",
    body: new URLSearchParams({ payload: "x", choice: "0" }),
  });
  assert.deepEqual([answer.status, await answer.json()], [200, { success: true }]);
  assert.equal((await worker.retrieve(token.id)).output, `{"payload":"x","choice":"0"}`);
});
