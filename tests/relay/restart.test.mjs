// The relay is killed between its acknowledgement and the delivery. Upstream still gets the
// decision.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, test } from "node:test";
import { KEY, temporaryFolder, until, useWorker } from "../support/harness.mjs";
import { freePort, interrupt, kill, start } from "../support/process.mjs";

const folder = temporaryFolder();
const upstream = useWorker();

test("a decision acknowledged before a kill reaches upstream after the restart", async () => {
  // The way to upstream, closed until the relay has been killed.
  let open = false;
  const way = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request));
    if (!open && request.url.endsWith("/complete")) return request.socket.destroy();
    const { host, connection, "content-length": _, ...headers } = request.headers;
    // The relay's environment has the development key, upstream's that of the tests.
    headers.authorization &&= `Bearer ${KEY}`;
    const answer = await fetch(upstream.url + request.url, {
      method: request.method,
      headers,
      body: body.length ? body : undefined,
    });
    response
      .writeHead(answer.status, { "content-type": "application/json" })
      .end(await answer.text());
  });
  await once(way.listen(0, "127.0.0.1"), "listening");
  after(() => {
    way.closeAllConnections();
    way.close();
  });
  const flags = ["--var", `UPSTREAM:http://127.0.0.1:${way.address().port}`];
  const port = await freePort();
  const first = await start(port, folder, ...flags);
  const tokens = await Promise.all(
    Array.from({ length: 5 }, () => first.create({ timeout: "1h" })),
  );
  for (const { id } of tokens) assert.equal((await first.complete(id, id)).status, 200);
  kill(first, "workerd");
  for (const { id } of tokens) assert.equal((await upstream.retrieve(id)).status, "WAITING");
  open = true;
  const second = await start(port, folder, ...flags);
  for (const { id } of tokens) {
    const there = await until(
      () => upstream.retrieve(id),
      ({ status }) => status !== "WAITING",
    );
    assert.deepEqual([there.status, there.output], ["COMPLETED", JSON.stringify(id)]);
  }
  const again = await second.complete(tokens[0].id, "again");
  assert.equal(again.headers.get("waitpoint-outcome"), "already-completed");
  assert.equal((await upstream.retrieve(tokens[0].id)).output, JSON.stringify(tokens[0].id));
  assert.doesNotMatch(first.output + second.output, /tr_dev_|eyJ/);
  await interrupt(second);
});
