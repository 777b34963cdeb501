// The examples of docs/forms.md and docs/approvers.md, sent as they stand there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { send } from "../page/requests.mjs";
import { root, TOKENS, useWorker } from "../support/harness.mjs";

const worker = useWorker();

/** The bodies that a page's commands send, and what its JSON blocks say. */
function examples(page) {
  const text = readFileSync(join(root, "docs", page), "utf8");
  const blocks = (kind) =>
    [...text.matchAll(new RegExp(`^\`\`\`${kind}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(
      ([, it]) => it,
    );
  const bodies = blocks("sh").flatMap((block) =>
    [...block.matchAll(/-d '([^']+)'/g)].map(([, body]) => JSON.parse(body)),
  );
  return { bodies, json: blocks("json") };
}

test("forms", async () => {
  const { bodies, json } = examples("forms.md");
  const [asked, strict, wrong] = bodies;
  const token = await worker.create(asked);
  const filled = { "field-0": "12.50", "field-1": "1", "field-2": "", "field-3": "true" };
  assert.equal((await send(token.url, { choice: "0", ...filled })).status, 303);
  const { output } = await worker.retrieve(token.id);
  const spaceless = (text) => text.replace(/\s/g, "");
  assert.equal(spaceless(output), spaceless(json[0]));

  const { id } = await worker.create(strict);
  const refused = await worker.api(`${TOKENS}/${id}/complete`, { body: wrong });
  assert.equal(refused.status, 422);
  assert.deepEqual(await refused.json(), JSON.parse(json[1]));
});

test("approvers", async () => {
  const { bodies, json } = examples("approvers.md");
  const token = await worker.create(bodies[0]);
  const [ann, bob] = token.links;
  assert.deepEqual(Object.keys(ann), Object.keys(JSON.parse(`{${json[0]}}`).links[0]));
  assert.equal((await send(ann.shortUrl, { choice: "0", comment: "Go." })).status, 303);
  assert.equal((await send(bob.shortUrl, { choice: "1" })).status, 303);
  assert.equal((await worker.retrieve(token.id)).status, "WAITING");
  assert.equal((await send(bob.shortUrl, { choice: "0" })).status, 303);
  const read = await worker.retrieve(token.id);
  const { votes, ...told } = JSON.parse(`{${json[1]}}`);
  for (const [name, value] of Object.entries(told)) assert.equal(read[name], value);
  const timeless = (votes) => votes.map(({ at, ...vote }) => vote);
  assert.deepEqual(timeless(read.votes), timeless(votes));
});
