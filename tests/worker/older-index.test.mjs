// An index whose table an older build made: it gets what it lacks by itself.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { KEY, TOKENS, temporaryFolder, until } from "../support/harness.mjs";
import { serve, waitpoint } from "../support/workerd.mjs";

// What each later build added, the last one first.
const INBOX = ["class", "ends", "title", "folded", "failed", "decision"];
const EXTENSIONS = [...INBOX, "cancelled", "defaults", "extensions"];

for (const lacking of [INBOX, EXTENSIONS, [...EXTENSIONS, "signed"]])
  test(`a table without ${lacking.join(", ")} lists its rows and takes new ones`, (t) =>
    checkWithout(t, lacking));

async function checkWithout(t, lacking) {
  const storage = temporaryFolder();
  const secrets = { CALLBACK_SECRETS: "DEPLOYS=an-invented-secret" };
  const server = await serve(waitpoint(secrets), { storage });
  t.after(() => server.stop());
  const call = async (path, body) => {
    const method = body ? "POST" : "GET";
    const headers = { authorization: `Bearer ${KEY}` };
    const options = { method, headers, body: body && JSON.stringify(body) };
    return (await fetch(server.url + path, options)).json();
  };
  const listed = async (count, query = "") =>
    (
      await until(
        () => call(TOKENS + query),
        ({ data }) => data?.length === count,
      )
    ).data;

  const old = await call(TOKENS, { timeout: "1h" });
  const done = await call(TOKENS, {});
  await call(`${TOKENS}/${done.id}/complete`, { data: 1 });
  await listed(1, "?filter[status]=COMPLETED");
  await listed(2);
  await server.restart(() => {
    const files = readdirSync(storage, { recursive: true });
    const tables = files.filter((name) => /IndexObject.*\.sqlite$/.test(name));
    const changed = tables.filter((name) => {
      const database = new DatabaseSync(join(storage, name));
      const table = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'tokens'").get();
      if (table)
        for (const column of lacking) database.exec(`ALTER TABLE tokens DROP COLUMN ${column}`);
      database.close();
      return table;
    });
    assert.equal(changed.length, 1);
  });
  // A filter names the new columns, and nothing was written yet.
  const [waiting] = await listed(1, "?filter[status]=WAITING");
  assert.equal(waiting.id, old.id);
  await listed(2);

  const verify = { scheme: "github", secret: "DEPLOYS" };
  const signed = await call(TOKENS, { callback: { verify } });
  const data = await listed(3);
  for (const [token, scopes] of [
    [old, ["write", "read"]],
    [signed, ["read"]],
  ]) {
    const { url } = data.find(({ id }) => id === token.id);
    const claims = JSON.parse(Buffer.from(url.split("/").at(-1).split(".")[1], "base64url"));
    assert.deepEqual(
      claims.scopes,
      scopes.map((scope) => `${scope}:waitpoints:${token.id}`),
    );
  }

  const { timeoutAt } = await call(`${TOKENS}/${old.id}/extend`, { timeout: "2h" });
  const isExtended = ({ data }) => data.some((item) => item.timeoutAt === timeoutAt);
  await until(() => call(TOKENS), isExtended);
  const { cancelledAt } = await call(`${TOKENS}/${signed.id}/cancel`, {}).then(() =>
    call(`${TOKENS}/${signed.id}`),
  );
  const [cancelled] = await listed(1, "?filter[status]=TIMED_OUT");
  assert.deepEqual([cancelled.id, cancelled.cancelledAt], [signed.id, cancelledAt]);
}
