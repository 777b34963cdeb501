// The OpenAPI document is valid and describes the Worker. `npm run fuzz:http` tests more.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import Ajv from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { send } from "../page/requests.mjs";
import { KEY, root, sign, useWorker } from "../support/harness.mjs";

const worker = useWorker({
  secrets: { SECRET_KEYS: KEY, WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 1).toString("base64")}` },
});
const document = JSON.parse(readFileSync(join(root, "www", "openapi.json"), "utf8"));

const ajv = new Ajv({ strict: false, allErrors: true });
formats(ajv);
ajv.addSchema(document, "openapi");

const resolved = (value) =>
  value.$ref
    ? value.$ref
        .slice(2)
        .split("/")
        .reduce((at, name) => at[name], document)
    : value;

/** The operations, each with its path and its method. */
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  ["get", "post"]
    .filter((method) => item[method])
    .map((method) => ({
      ...item[method],
      path,
      method: method.toUpperCase(),
      parameters: [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map(resolved),
    })),
);
const operation = (id) => operations.find(({ operationId }) => operationId === id);

/** An example of a create. */
const example = (name) =>
  operation("createToken").requestBody.content["application/json"].examples[name].value;

/** A path of the document with a token's id and credential in it. */
const filledPath = (
  path,
  { id = "waitpoint_cnobody", publicAccessToken = "a.b.c", shortUrl = "/t/cnobody/0" } = {},
) =>
  path
    .replace("{id}", id)
    .replace("{credential}", publicAccessToken)
    .replace("/t/{shortId}/{shortCredential}", shortUrl.replace(/^.*(?=\/t\/)/, ""))
    .replace("{run}", "run_1");

/** Asserts that the document has this response: its status, type, headers and body. */
async function assertDocumented({ responses, operationId }, answer) {
  const { status } = answer;
  const told = responses[status] ?? responses[`${String(status)[0]}XX`];
  assert.ok(told, `${operationId} does not tell of ${status}`);
  const { content, headers = {} } = resolved(told);
  for (const [name, header] of Object.entries(headers)) {
    const value = answer.headers.get(name);
    if (value === null)
      assert.ok(!resolved(header).required, `${operationId} ${status}: no ${name}`);
    else
      assertFits(
        resolved(header).schema,
        resolved(header).schema.type === "integer" ? Number(value) : value,
        name,
      );
  }
  const text = await answer.text();
  if (!content) return assert.equal(text, "");
  const type = answer.headers.get("content-type").split(";")[0];
  assert.ok(content[type], `${operationId} ${status} does not tell of ${type}`);
  if (type !== "application/json") return undefined;
  const body = JSON.parse(text);
  assertFits(content[type].schema, body, `${operationId} ${status}`);
  return body;
}

function assertFits(schema, value, what) {
  const rebased = JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"openapi#/'));
  const fits = ajv.compile(rebased);
  assert.ok(fits(value), `${what}: ${JSON.stringify(value)}: ${ajv.errorsText(fits.errors)}`);
}

const bodies = ({ requestBody }) =>
  Object.entries(requestBody?.content ?? {}).flatMap(([type, { schema, example, examples }]) => {
    const values = examples ? Object.values(examples).map(({ value }) => value) : [example];
    return values.map((value) => ({ type, schema, value }));
  });

test("it is an OpenAPI 3.1 document by the published meta-schema", async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(document));
  assert.ok(valid, JSON.stringify(errors, null, 2));
  const broken = structuredClone(document);
  delete broken.paths["/healthz"].get.responses["200"].description;
  assert.equal((await new Validator().validate(broken)).valid, false);
});

test("it is served to everybody, as it stands in the repository", async () => {
  const answer = await worker.api("/openapi.json", {
    key: "",
    headers: { origin: "https://docs.example" },
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "application/json; charset=utf-8");
  assert.equal(answer.headers.get("access-control-allow-origin"), "*");
  assert.equal(answer.headers.get("cache-control"), "public, max-age=300");
  assert.deepEqual(await answer.json(), document);
  const head = await worker.api("/openapi.json", { key: "", method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(await head.text(), "");
});

test("each of its paths takes its methods and no others", async () => {
  for (const [path, item] of Object.entries(document.paths)) {
    const answer = await worker.api(filledPath(path), { method: "PATCH" });
    assert.equal(answer.status, 405, path);
    const implied = ["HEAD", "OPTIONS"];
    const allowed = answer.headers
      .get("allow")
      .split(", ")
      .filter((method) => !implied.includes(method));
    const told = Object.keys(item)
      .filter((name) => name !== "parameters")
      .map((name) => name.toUpperCase());
    assert.deepEqual(allowed.sort(), told.sort(), path);
  }
});

test("every example is valid, is accepted, and what comes back is as told", async () => {
  for (const one of operations) {
    const { path, method, parameters } = one;
    const samples = bodies(one);
    const given = parameters.filter((parameter) => parameter.example !== undefined);
    const choices = [[], ...given.map((parameter) => [parameter]), given];
    for (const chosen of choices) {
      for (const { type, schema, value } of samples.length ? samples : [{}]) {
        const token = await worker.create();
        if (schema) assertFits(schema, value, one.operationId);
        const query = new URLSearchParams();
        const headers = type ? { "content-type": type } : {};
        for (const { name, in: place, example } of chosen) {
          if (place === "query") query.set(name, example);
          else headers[name] = example;
        }
        const body = type?.endsWith("urlencoded") ? `${new URLSearchParams(value)}` : value;
        const answer = await worker.api(`${filledPath(path, token)}?${query}`, {
          method,
          body,
          headers,
        });
        assert.ok(
          answer.ok,
          `${method} ${path} ${JSON.stringify(value)} ${query}: ${answer.status}`,
        );
        await assertDocumented(one, answer);
      }
    }
  }
});

test("a refusal of each status is as told", async () => {
  const { id, publicAccessToken } = await worker.create();
  const token = { id, publicAccessToken };
  const ended = await worker.create();
  await worker.complete(ended.id, 1);
  const [strict, voted] = await Promise.all(
    ["form", "approvers"].map((name) => worker.create(example(name))),
  );
  const out = { fields: { amount: 5_001, day: "soon" } };
  const html = { accept: "text/html" };
  const form = { "content-type": "application/x-www-form-urlencoded" };
  const nonce = "waitpoint_nonce=x";
  for (const [operationId, status, options = {}, to = token] of [
    ["createToken", 400, { body: "{" }],
    ["createToken", 401, { body: "{}", key: "" }],
    ["createToken", 413, { body: "x".repeat(10_241) }],
    ["createToken", 422, { body: { tags: Array(11).fill("a") } }],
    ["listTokens", 401, { key: "nobody" }],
    ["retrieveToken", 304, { headers: { "if-none-match": "*" } }],
    ["retrieveToken", 401, { key: "" }],
    ["retrieveToken", 403, { key: sign([]) }],
    ["retrieveToken", 404, {}, {}],
    ["waitForToken", 304, { headers: { "if-none-match": "*" } }],
    ["waitForToken", 404, { headers: { prefer: "wait=25" } }, {}],
    ["completeToken", 400, { body: "[]" }],
    ["completeToken", 403, { body: "{}", key: sign([]) }],
    ["completeToken", 404, { body: "{}" }, {}],
    ["completeToken", 403, { body: "{}", key: voted.publicAccessToken }, voted],
    ["completeToken", 413, { body: new Uint8Array(3 * 1024 * 1024 + 1) }],
    ["completeToken", 422, { body: { data: out } }, strict],
    ["cancelToken", 400, { body: { reason: 5 } }],
    ["cancelToken", 401, { key: publicAccessToken }],
    ["cancelToken", 404, { body: "{}" }, {}],
    ["cancelToken", 413, { body: "x".repeat(10_241) }],
    ["extendToken", 400, { body: "{}" }],
    ["extendToken", 401, { key: publicAccessToken, body: "{}" }],
    ["extendToken", 404, { body: { timeout: "1h" } }, {}],
    ["extendToken", 409, { body: { timeout: "1h" } }, ended],
    ["extendToken", 413, { body: "x".repeat(10_241) }],
    ["showPage", 404, { headers: html }, {}],
    [
      "showPage",
      410,
      { headers: html },
      { id, publicAccessToken: sign([`write:waitpoints:${id}`], { claims: { exp: 1 } }) },
    ],
    ["callBack", 308, { body: "1", headers: { "cf-visitor": '{"scheme":"http"}' } }],
    ["callBack", 400, { body: new Uint8Array([0xff]) }],
    ["callBack", 401, { body: "1" }, {}],
    ["callBack", 403, { body: nonce, headers: { origin: "https://evil.example", ...form } }],
    ["callBack", 403, { body: nonce, headers: { ...html, ...form } }],
    ["callBack", 403, { body: "1" }, voted],
    ["callBack", 404, { body: nonce, headers: { ...html, ...form } }, {}],
    ["callBack", 413, { body: new Uint8Array(3 * 1024 * 1024 + 1) }],
    ["callBack", 415, { body: "1", headers: { "content-encoding": "br" } }],
    ["callBack", 422, { body: out }, strict],
    ["callBackByShortUrl", 422, { body: out }, strict],
    ["callBackByShortUrl", 403, { body: "1" }, voted],
    ["blockRun", 404, {}, {}],
    ["readClaims", 401, { key: publicAccessToken }],
  ]) {
    const { path, method } = operation(operationId);
    const answer = await worker.api(filledPath(path, to), { method, ...options });
    assert.equal(answer.status, status, `${operationId} ${JSON.stringify(options).slice(0, 100)}`);
    await assertDocumented(operation(operationId), answer);
  }
  const { details } = await (await worker.complete(strict.id, out)).json();
  assert.deepEqual(
    details.map(({ pointer }) => pointer),
    ["/fields/amount", "/fields/day"],
  );
  const { path } = operation("listTokens");
  const answer = await worker.api(`${path}?page[size]=0&filter[status]=x`);
  assert.equal(answer.status, 400);
  assert.equal((await assertDocumented(operation("listTokens"), answer)).details.length, 2);
});

test("no field of an answer is missing in it", async () => {
  const { properties: listed } = document.components.schemas.Listed;
  const known = { ...listed, ...document.components.schemas.Token.properties };
  const approval = { title: "T", choices: [{ label: "Go", data: 1 }] };
  const all = {
    timeout: "1h",
    tags: ["a"],
    approval,
    idempotencyKey: "k",
    idempotencyKeyTTL: "1d",
  };
  const token = await worker.create({ ...all, webhook: { url: `${worker.url}/nowhere` } });
  const jwt = sign([`write:waitpoints:${token.id}`], { claims: { act: { sub: "ann" } } });
  await worker.complete(token.id, 1, { key: jwt });
  const answer = await worker.api(filledPath(operation("retrieveToken").path, token));
  const body = await assertDocumented(operation("retrieveToken"), answer);
  assert.deepEqual(
    Object.keys(body).filter((name) => !(name in known)),
    [],
  );
  const { id, url } = await worker.create();
  await fetch(url, { method: "POST", body: "{}", headers: { "x-github-event": "push" } });
  const called = await worker.retrieve(id);
  assert.deepEqual(called.callback, { headers: { "x-github-event": "push" } });
  const asked = await worker.create(example("approvers"));
  assertFits(
    operation("createToken").responses[200].content["application/json"].schema,
    asked,
    "create",
  );
  assert.equal(asked.links.length, 2);
  for (const { url, shortUrl } of asked.links) {
    const short = document.paths["/t/{shortId}/{shortCredential}"].parameters[1].schema;
    assertFits(short, shortUrl.split("/").at(-1), "a short link");
    assert.equal((await send(url, { choice: "0", comment: "fine" })).status, 303);
  }
  const decided = await assertDocumented(
    operation("retrieveToken"),
    await worker.api(filledPath(operation("retrieveToken").path, asked)),
  );
  assert.equal(decided.completedBySubject, "bob");
  assert.deepEqual(
    decided.votes.map(({ at, ...vote }) => vote),
    ["ann", "bob"].map((approver) => ({ approver, choice: "Deploy", comment: "fine" })),
  );
  const withdrawn = await worker.create({ timeout: "1h" });
  for (const [id, body] of [
    ["extendToken", { timeout: "2h" }],
    ["cancelToken", { reason: "replaced" }],
  ]) {
    const answer = await worker.api(filledPath(operation(id).path, withdrawn), { body });
    await assertDocumented(operation(id), answer);
  }
  const { path } = operation("retrieveToken");
  const cancelled = await assertDocumented(
    operation("retrieveToken"),
    await worker.api(filledPath(path, withdrawn)),
  );
  // And each documented field appears in some response.
  assert.deepEqual(
    Object.keys(known).filter(
      (name) => ![body, called, cancelled, decided].some((one) => name in one),
    ),
    [],
  );
  const delivery = document.components.schemas.Delivery.properties;
  assert.deepEqual(
    Object.keys(body.deliveries[0]).filter((name) => !(name in delivery)),
    [],
  );
  const entry = document.components.schemas.HistoryEntry;
  for (const { history } of [body, called, cancelled, decided])
    for (const one of history) assertFits(entry, one, JSON.stringify(one));
});
