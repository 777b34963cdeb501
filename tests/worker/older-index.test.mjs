// An index whose table an earlier build made: it gets what it lacks by itself.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { KEY, TOKENS, temporaryFolder, until } from "../support/harness.mjs";
import { serve, waitpoint } from "../support/workerd.mjs";

test("a table without the column `signed` lists its rows and takes new ones", async (t) => {
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
  const listed = (count) =>
    until(
      () => call(TOKENS),
      ({ data }) => data?.length === count,
    );

  const old = await call(TOKENS, {});
  await listed(1);
  await server.restart(() => {
    const files = readdirSync(storage, { recursive: true });
    const tables = files.filter((name) => /IndexObject.*\.sqlite$/.test(name));
    const dropped = tables.filter((name) => {
      const database = new DatabaseSync(join(storage, name));
      const table = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'tokens'").get();
      if (table) database.exec("ALTER TABLE tokens DROP COLUMN signed");
      database.close();
      return table;
    });
    assert.equal(dropped.length, 1);
  });
  await listed(1);

  const verify = { scheme: "github", secret: "DEPLOYS" };
  const signed = await call(TOKENS, { callback: { verify } });
  const { data } = await listed(2);
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
});
