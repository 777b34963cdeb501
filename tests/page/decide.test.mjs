// Deciding by the form of token.url: what each person is told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { callbackHash, sign, until, useWorker } from "../support/harness.mjs";
import { nonceOf, open, send, text } from "./requests.mjs";

const worker = useWorker();

const status = async ({ id }) => (await worker.retrieve(id)).status;
const cancel = ({ id }, reason) =>
  worker.api(`/api/v1/waitpoints/tokens/${id}/cancel`, { body: { reason } });
/** The status, and the headers by which an open page learns of an end. */
const ended = ({ status, headers }) => [
  status,
  ...["status", "outcome", "timeout-at"].map((name) => headers.get(`waitpoint-${name}`)),
];

test("6, 7: a decision redirects to the page, also repeated; JSON clients get 200", async () => {
  const token = await worker.create();
  const url = `${token.url}?lang=de`;
  const first = await send(url, { choice: "1", comment: "zu früh" });
  assert.deepEqual(
    [first.status, first.headers.get("location")],
    [303, url.slice(worker.url.length)],
  );
  const { output, completedBy, completedBySubject } = await worker.retrieve(token.id);
  assert.equal(output, `{"status":"rejected","comment":"zu früh"}`);
  assert.deepEqual([completedBy, completedBySubject], ["page", undefined]);
  assert.equal((await send(url, { choice: "1", comment: "zu früh" })).status, 303);
  const page = await text(await open(url));
  assert.match(page, /<h1><bdi lang="">Ablehnen<\/bdi><\/h1>/);
  assert.match(page, /zu früh/);

  const other = await worker.create();
  const json = await send(other.url, { choice: "0" }, { headers: { accept: "application/json" } });
  assert.deepEqual([json.status, await json.json()], [200, { success: true }]);
});

test("8: a later decision is told that it was not recorded, what was, and by whom", async () => {
  const token = await worker.create();
  const act = { sub: "ann@example.com" };
  const jwt = sign([`write:waitpoints:${token.id}`], { claims: { act } });
  await worker.complete(token.id, { status: "rejected", comment: "no" }, { key: jwt });
  const answer = await send(token.url, { choice: "0" });
  assert.equal(answer.status, 409);
  const page = await text(answer);
  for (const part of [
    /<h1><bdi lang="">Reject<\/bdi><\/h1>/,
    /Your decision was not recorded/,
    /ann@example\.com/,
    /<bdi>no<\/bdi>/,
  ]) {
    assert.match(page, part);
  }
  assert.doesNotMatch(page, /<form/);
});

test("9: of many contradictory decisions at once one wins, and the others are told", async () => {
  const choices = Array.from({ length: 6 }, (_, n) => ({ label: `Choice ${n}` }));
  const token = await worker.create({ approval: { choices } });
  const nonce = nonceOf(await (await open(token.url)).text());
  const answers = await Promise.all(
    choices.map((_, n) =>
      open(token.url, {
        method: "POST",
        body: new URLSearchParams({ waitpoint_nonce: nonce, choice: String(n) }),
      }),
    ),
  );
  const statuses = answers.map(({ status }) => status);
  assert.deepEqual([...statuses].sort(), [303, 409, 409, 409, 409, 409]);
  const winner = statuses.indexOf(303);
  assert.equal((await worker.retrieve(token.id)).output, `{"choice":"Choice ${winner}"}`);
});

test("11: what is missing is said, and nothing is lost", async () => {
  for (const [approval, fields, sentence] of [
    [{ confirm: "choose" }, { comment: "kept" }, /Choose one/],
    [{ confirm: "choose" }, { choice: "7", comment: "kept" }, /Choose one/],
    [{ confirm: "typed" }, { typed: "Approv", comment: "kept" }, /Type one of the words/],
    [{ comment: "required" }, { choice: "0", comment: "  " }, /Write a comment/],
    [{}, { choice: "0", comment: `kept${"x".repeat(2_000)}` }, /2,000 characters/],
  ]) {
    const token = await worker.create({ approval });
    const answer = await send(token.url, fields);
    assert.equal(answer.status, 422);
    const page = await answer.text();
    assert.match(page, sentence);
    if (fields.comment.trim()) assert.match(page, /kept/);
    assert.equal(await status(token), "WAITING");
  }
});

test("13, 14: after the timeout the page says so, to a decision with 410", async () => {
  const token = await worker.create({ timeout: "1s" });
  const nonce = nonceOf(await (await open(token.url)).text());
  await until(
    () => status(token),
    (status) => status === "TIMED_OUT",
  );
  const body = new URLSearchParams({ waitpoint_nonce: nonce, choice: "0" });
  const late = await open(token.url, { method: "POST", body });
  assert.equal(late.status, 410);
  assert.match(await late.text(), /came too late/);
  const page = await open(token.url);
  assert.deepEqual([page.status, page.headers.get("waitpoint-status")], [200, "TIMED_OUT"]);
  assert.doesNotMatch(await page.text(), /<form/);
});

test("a form for a withdrawn request is told so with 410, and keeps its comment", async () => {
  for (const reads of [true, false]) {
    const token = await worker.create({ timeout: "1h", approval: { title: "Go?" } });
    const url = reads
      ? token.url
      : token.url.replace(/[^/]+$/, sign([`write:waitpoints:${token.id}`]));
    const nonce = nonceOf(await (await open(url)).text());
    await cancel(token, "Replaced by <another>");
    for (const choice of ["0", "1"]) {
      const body = new URLSearchParams({ waitpoint_nonce: nonce, choice, comment: "my words" });
      const answer = await open(url, { method: "POST", body });
      assert.deepEqual(ended(answer), [410, "TIMED_OUT", "cancelled", null]);
      const page = await text(answer);
      assert.match(page, /<h1>Withdrawn<\/h1>/);
      assert.match(page, /This request was withdrawn\. Your decision was not recorded\./);
      assert.match(page, /my words/);
      assert.equal(page.includes("Replaced by &#60;another&#62;"), reads);
      assert.doesNotMatch(page, /<form/);
    }
    for (const method of ["GET", "HEAD"])
      assert.deepEqual(ended(await open(url, { method })), [200, "TIMED_OUT", "cancelled", null]);
    const { output } = await worker.retrieve(token.id);
    assert.match(output, /CANCELLED/, "what the owner said stands");
  }
});

test("a default decision is shown as nobody's, and a form after it came too late", async () => {
  const onTimeout = { data: { status: "approved" } };
  const token = await worker.create({ timeout: "1s", onTimeout });
  const nonce = nonceOf(await (await open(token.url)).text());
  await until(
    () => status(token),
    (status) => status === "COMPLETED",
  );
  const page = await text(await open(token.url));
  assert.match(page, /<h1><bdi lang="">Approve<\/bdi><\/h1>/);
  assert.match(page, /nobody; the default decision at the deadline/);
  // The same decision as the default one is no repetition of it.
  for (const choice of ["0", "1"]) {
    const body = new URLSearchParams({ waitpoint_nonce: nonce, choice, comment: "my words" });
    const late = await open(token.url, { method: "POST", body });
    assert.equal(late.status, 410);
    assert.match(await text(late), /Your decision came too late.*my words/);
  }
});

test("a page's headers tell who may decide of the deadline, also of a new one", async () => {
  const token = await worker.create();
  const deadline = async (url) =>
    (await open(url, { method: "HEAD" })).headers.get("waitpoint-timeout-at");
  assert.equal(await deadline(token.url), null);
  for (const timeout of ["2h", "1h"]) {
    const moved = await worker.api(`/api/v1/waitpoints/tokens/${token.id}/extend`, {
      body: { timeout },
    });
    const { timeoutAt } = await moved.json();
    assert.equal(await deadline(token.url), timeoutAt);
    assert.match(await (await open(token.url)).text(), new RegExp(`datetime="${timeoutAt}"`));
  }
  const expired = sign([`write:waitpoints:${token.id}`], { claims: { exp: 1 } });
  assert.equal(await deadline(token.url.replace(/[^/]+$/, expired)), null);
});

test("a link that may only write shows nothing of the decision, to any request", async () => {
  const outputs = [{ status: "rejected", comment: "no" }, { status: "approved" }];
  const told = [];
  for (const output of outputs) {
    const token = await worker.create({ approval: { title: "Go?", description: "It costs 5 €." } });
    const link = (credential) => token.url.replace(/[^/]+$/, credential);
    const writing = link(sign([`write:waitpoints:${token.id}`]));
    const hash = link(callbackHash(token.id));
    const nonce = nonceOf(await (await open(writing)).text());
    assert.match(await (await open(hash)).text(), /It costs 5 €/);
    await worker.complete(token.id, output);
    const answers = [];
    for (const url of [writing, hash]) {
      answers.push(await open(url));
      for (const waitpoint_nonce of ["wrong", nonce]) {
        for (const choice of ["0", "1"]) {
          answers.push(
            await open(url, {
              method: "POST",
              body: new URLSearchParams({ waitpoint_nonce, choice, comment: "no" }),
            }),
          );
        }
      }
    }
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 409, 409, 409, 409, 200, 409, 409, 409, 409],
    );
    const pages = await Promise.all(answers.map(text));
    for (const [n, page] of pages.entries()) {
      assert.match(page, /<h1>Decided<\/h1>/);
      assert.doesNotMatch(page, /Approve|Reject/);
      assert.equal(/Go\?/.test(page), n < 5, "a hash is good for ever, and reads nothing");
    }
    told.push(pages.map((page) => page.replace(/data-now="[^"]*"/, "")));
  }
  assert.deepEqual(told[0], told[1]);
});

test("a page shows no more of an output than a page can send", async () => {
  const token = await worker.create();
  const comment = "‹".repeat(1024 * 1024 - 50);
  assert.equal((await worker.complete(token.id, { status: "approved", comment })).status, 200);
  const page = await (await open(token.url)).text();
  assert.match(page, /<h1>Decided<\/h1>/);
  assert.ok(page.length < 20_000, `${page.length} characters`);
});
