// The platform may give new settings to an isolate that lives on. Old keys must not open anything
// then.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { KEY, OTHER_KEY, TOKENS } from "../support/harness.mjs";
import { CHANGING_KEYS, serve, waitpoint } from "../support/workerd.mjs";

let server;
before(async () => (server = await serve(waitpoint({ SECRET_KEYS: KEY }, CHANGING_KEYS))));
after(() => server.stop());

async function status(path, credential, { keys, body } = {}) {
  const headers = {
    authorization: `Bearer ${credential}`,
    ...(keys && { "test-keys": encodeURIComponent(keys) }),
  };
  const answer = await fetch(server.url + path, { method: body ? "POST" : "GET", body, headers });
  await answer.text();
  return answer.status;
}

test("a key that is removed opens nothing any more, nor does what it has signed", async () => {
  const created = await fetch(server.url + TOKENS, {
    method: "POST",
    body: "{}",
    headers: { authorization: `Bearer ${KEY}` },
  });
  const { id } = await created.json();
  const jwt = created.headers.get("x-trigger-jwt");
  const path = `${TOKENS}/${id}`;
  const statuses = async (keys) => [
    await status(path, KEY, { keys }),
    await status(path, jwt, { keys }),
    await status(`${path}/complete`, jwt, { keys, body: "{}" }),
  ];
  assert.deepEqual(await statuses(), [200, 200, 200]);
  assert.deepEqual(await statuses(OTHER_KEY), [401, 401, 401], "it was removed");
  assert.deepEqual(await statuses(`${OTHER_KEY}\n${KEY}`), [200, 200, 200], "it verifies still");
  assert.deepEqual(await statuses(OTHER_KEY), [401, 401, 401]);
});

test("a key that is added opens at once", async () => {
  const create = (keys) => status(TOKENS, OTHER_KEY, { keys, body: "{}" });
  assert.equal(await create(), 401);
  assert.equal(await create(`${KEY}\n${OTHER_KEY}`), 200);
});
