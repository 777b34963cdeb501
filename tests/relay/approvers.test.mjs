// A token with approvers at another Waitpoint: an edge in front of it is no way past their votes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { KEY, TOKENS, until } from "../support/harness.mjs";
import { useRelay } from "../support/relay.mjs";

const { upstream, edge, delivery } = await useRelay();
const approval = {
  required: 2,
  approvers: [
    { id: "ann", name: "Ann Miller", email: undefined },
    { id: "bob", name: "Bob Stone" },
  ],
};

test("what a link's holder decides at the edge does not complete it upstream", async () => {
  const token = await upstream.create({ approval });
  const jwt = { key: token.publicAccessToken };
  const seen = await edge.retrieve(token.id, jwt);
  assert.deepEqual(seen.approval, { required: 2 }, "who votes is not told");
  assert.equal((await edge.complete(token.id, { forged: true }, jwt)).status, 200);
  const { attempts } = await until(
    () => delivery(token),
    (one) => one?.status === "failed",
  );
  assert.equal(attempts, 1);
  assert.equal((await upstream.retrieve(token.id)).status, "WAITING");
});

test("its owner's decision at the edge does", async () => {
  const token = await upstream.create({ approval });
  assert.equal((await edge.complete(token.id, { owned: true })).status, 200);
  await until(
    () => upstream.retrieve(token.id),
    ({ status }) => status === "COMPLETED",
  );
  // A key that delivers what is not its owner's word is no owner.
  const other = await upstream.create({ approval });
  const refused = await upstream.api(`${TOKENS}/${other.id}/complete`, {
    key: KEY,
    body: { data: 1 },
    headers: { "waitpoint-not-by-owner": "1" },
  });
  assert.deepEqual([refused.status, (await refused.json()).code], [403, "approvers_only"]);
});
