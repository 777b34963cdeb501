// approval.form at the API: what create refuses, and outputs that are held to it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { TOKENS, until, useWorker } from "../support/harness.mjs";

const worker = useWorker();

const form = {
  type: "object",
  properties: {
    amount: { type: "number", minimum: 0, maximum: 100 },
    reason: { type: "string", enum: ["lost", "late"] },
  },
  required: ["amount"],
};
const asked = (approval = {}) =>
  worker.create({ approval: { form, validate: "all", ...approval } });
const details = async (response) => {
  const body = await response.json();
  return [response.status, body.code, body.details?.map(({ pointer }) => pointer)];
};

test("create names what is wrong with a form by its pointer", async () => {
  const options = Array.from({ length: 100 }, (_, n) => `option ${n}`);
  const list = (n) => ({
    type: "array",
    title: `List ${n}`,
    items: { type: "string", enum: options },
  });
  const many = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`list${n}`, list(n)]));
  for (const [schema, part] of [
    [{ ...form, properties: {} }, /\/form\/properties/],
    [{ ...form, required: ["amuont"] }, /\/form\/required\/0.*amuont/],
    [
      { ...form, properties: { amount: { type: "string", pattern: "a" } } },
      /\/form\/properties\/amount\/pattern/,
    ],
    [{ ...form, properties: { amount: { type: "object" } } }, /\/form\/properties\/amount\/type/],
    [{ ...form, properties: many, required: [] }, /lists can have 1000 items together/],
    ["text", /\/form/],
    [[form], /\/form/],
  ]) {
    const response = await worker.api(TOKENS, { body: { approval: { form: schema } } });
    const { error } = await response.json();
    assert.equal(response.status, 400, error);
    assert.match(error, part);
  }
  const response = await worker.api(TOKENS, { body: { approval: { validate: "all" } } });
  assert.equal(response.status, 400);
});

test("with validate all, what does not match is 422 with all issues", async () => {
  const token = await asked();
  const jwt = { key: token.publicAccessToken };
  const wrong = { fields: { amount: "7", reason: "gone", other: 1 } };
  const expected = [422, "invalid_fields", ["/fields/amount", "/fields/reason", "/fields/other"]];
  for (const options of [undefined, jwt]) {
    assert.deepEqual(await details(await worker.complete(token.id, wrong, options)), expected);
  }
  const post = (body, type = "application/json") =>
    fetch(token.url, { method: "POST", headers: { "content-type": type }, body });
  assert.deepEqual(await details(await post(JSON.stringify(wrong))), expected);
  const nothing = await details(await post("{}"));
  assert.deepEqual(nothing, [422, "invalid_fields", ["/fields/amount"]]);
  assert.deepEqual(await details(await post("words", "text/plain")), [422, "invalid_fields", [""]]);
  const empty = await worker.api(`${TOKENS}/${token.id}/complete`, { body: {} });
  assert.deepEqual(await details(empty), [422, "invalid_fields", [""]]);
  assert.equal((await worker.retrieve(token.id)).status, "WAITING");
  // The key written with an escape asks for the same.
  const body = JSON.stringify({ approval: { form, validate: "all" } });
  const escaped = await worker.api(TOKENS, {
    body: body.replace('"validate"', '"valid\\u0061te"'),
  });
  const other = await worker.complete((await escaped.json()).id, wrong);
  assert.deepEqual(await details(other), expected);
  const right = await worker.complete(token.id, { status: "x", fields: { amount: 7.5 } }, jwt);
  assert.equal(right.headers.get("waitpoint-outcome"), "completed");
  // A finished token is told as ever.
  const late = await worker.complete(token.id, wrong);
  assert.deepEqual(
    [late.status, late.headers.get("waitpoint-outcome")],
    [200, "already-completed"],
  );
});

test("a choice that sends no form needs none; without validate all is taken", async () => {
  const choices = [{ label: "Pay" }, { label: "Refuse", form: false, data: { paid: false } }];
  const refused = await asked({ choices });
  const response = await worker.complete(refused.id, { paid: false });
  assert.equal(response.headers.get("waitpoint-outcome"), "completed");
  const free = await asked({ validate: "page" });
  assert.equal((await worker.complete(free.id, "anything")).status, 200);
});

test("a default decision is the creator's own word", async () => {
  const token = await worker.create({
    timeout: "1s",
    onTimeout: { data: "late" },
    approval: { form, validate: "all" },
  });
  const ended = await until(
    () => worker.retrieve(token.id),
    ({ status }) => status !== "WAITING",
  );
  assert.deepEqual([ended.status, ended.output], ["COMPLETED", '"late"']);
});
