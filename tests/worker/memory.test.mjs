// What one request makes the isolate hold: the platform ends an isolate at 128 MB, and all its
// requests. As wasm's memory never shrinks, each test has its own Worker.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { sign, TOKENS, until } from "../support/harness.mjs";
import {
  bomb,
  controlParts,
  controls,
  escapes,
  invalidForm,
  manyNames,
  markup,
  nested,
  objects,
  partsOf,
} from "../support/hostile.mjs";
import { MOST_MB, memoryOf } from "../support/memory.mjs";
import { KEY, serve, waitpoint } from "../support/workerd.mjs";

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const HTML = { accept: "text/html" };
const READER = sign(["read:waitpoints", "write:waitpoints"]);

/** A test with its own Worker, whose memory must be within the limit afterwards. */
const boundedTest = (name, work, { output, mediaType } = {}) =>
  test(`bounded memory: ${name}`, async (t) => {
    const upstream = output === undefined ? undefined : await useUpstream(t, output, mediaType);
    const server = await serve(waitpoint(upstream ? { UPSTREAM: upstream } : {}), {
      inspect: true,
    });
    t.after(() => server.stop());
    server.send = async (path, { body, headers, key = KEY } = {}) => {
      const method = body === undefined ? "GET" : "POST";
      const all = { ...(key && { authorization: `Bearer ${key}` }), ...headers };
      const answer = await fetch(new URL(path, server.url), {
        method,
        body,
        headers: all,
        redirect: "manual",
      });
      return { status: answer.status, bytes: Buffer.from(await answer.arrayBuffer()) };
    };
    server.create = async () => JSON.parse((await server.send(TOKENS, { body: "{}" })).bytes);
    await work(server);
    const { wasm, heap, total } = await memoryOf(server);
    assert.ok(
      total <= MOST_MB,
      `it holds ${wasm.toFixed(0)} MB in wasm and ${heap.toFixed(0)} MB in JavaScript`,
    );
  });

/** An API in place of trigger.dev, where every token is completed with this output already. */
async function useUpstream(t, output, outputType = "application/json") {
  const at = new Date().toISOString();
  const token = JSON.stringify({
    id: RELAYED,
    status: "COMPLETED",
    createdAt: at,
    completedAt: at,
    output,
    outputType,
    tags: [],
  });
  const server = createServer(async (request, response) => {
    for await (const _ of request);
    response.writeHead(200, { "content-type": "application/json" });
    response.end(request.method === "POST" ? '{"success":true}' : token);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}
const RELAYED = "waitpoint_crelayed";
const relayedLink = `${TOKENS}/${RELAYED}/callback/${READER}`;

const toLink = (body, headers) => async (server) => {
  const { url } = await server.create();
  await server.send(url, { body, headers, key: "" });
};
const completedWith = (body) => async (server) => {
  const { id } = await server.create();
  await server.send(`${TOKENS}/${id}/complete`, { body });
  assert.equal((await server.send(`${TOKENS}/${id}`)).status, 200);
};

boundedTest("a form of 786,430 names", toLink(manyNames, FORM));
boundedTest(
  "a form of control characters",
  toLink(Buffer.concat([Buffer.from("a="), controls]).subarray(0, controls.length), FORM),
);
boundedTest("a form that is not UTF-8", toLink(invalidForm, { ...FORM, ...HTML }));
boundedTest("JSON a million and a half deep", completedWith(nested));
boundedTest("a string of escapes", completedWith(escapes));

boundedTest("text of control characters, which JSON writes in six bytes each", async (server) => {
  const { id, url } = await server.create();
  const post = async (body) =>
    (await server.send(url, { body, headers: { "content-type": "text/plain" }, key: "" })).status;
  assert.equal(await post(controls), 413);
  assert.equal(await post(controls.subarray(0, 1024 * 1024 - 1)), 200);
  assert.equal((await server.send(`${TOKENS}/${id}`)).status, 200);
  await server.send(`${TOKENS}/${id}/wait`, { headers: { accept: "text/event-stream" } });
});

boundedTest("a page that shows what was decided is short, however long that is", async (server) => {
  const { id, url } = await server.create();
  await server.send(`${TOKENS}/${id}/complete`, { body: `{"data":${markup}}` });
  const page = await server.send(url, { headers: HTML, key: "" });
  assert.equal(page.status, 200);
  assert.ok(page.bytes.length < 100_000, `${page.bytes.length} bytes`);
});

boundedTest("20 outputs of 3 MB at once", async (server) => {
  const tokens = await Promise.all(Array.from({ length: 20 }, () => server.create()));
  const body = `{"data":"${"x".repeat(3_000_000)}"}`;
  await Promise.all(tokens.map(({ id }) => server.send(`${TOKENS}/${id}/complete`, { body })));
});

const MULTIPART = { "content-type": "multipart/form-data; boundary=b" };
const GZIP = { "content-encoding": "gzip" };
// Too many that are being unpacked at once are refused: 503.
for (const [what, body, headers, ...expected] of [
  ["texts of 3 MB", "x".repeat(3 * 1024 * 1024), { "content-type": "text/plain" }, 200],
  ["bombs of gzip", bomb, GZIP, 413, 503],
  ["texts of 3 MB in gzip", gzipSync("x".repeat(3 * 1024 * 1024)), GZIP, 200, 503],
  ["multipart forms of one file", partsOf(1), MULTIPART, 200],
  ["multipart forms of 1,000 fields", partsOf(1000), MULTIPART, 200],
  ["multipart forms in gzip", gzipSync(partsOf(1000)), { ...MULTIPART, ...GZIP }, 200, 503],
  ["multipart forms of control characters", controlParts, MULTIPART, 413],
]) {
  boundedTest(`50 ${what} at once`, async (server) => {
    const tokens = await Promise.all(Array.from({ length: 50 }, () => server.create()));
    const sent = tokens.map(({ url }) => server.send(url, { body, headers, key: "" }));
    const statuses = (await Promise.all(sent)).map(({ status }) => status);
    assert.ok(statuses.includes(expected[0]), `${statuses}`);
    assert.ok(
      statuses.every((status) => expected.includes(status)),
      `${statuses}`,
    );
  });
}

boundedTest("500 long polls whose clients leave at once", async (server) => {
  const { id } = await server.create();
  const { hostname, port } = new URL(server.url);
  for (let n = 0; n < 500; n++) {
    const socket = connect(Number(port), hostname);
    await new Promise((resolve) => {
      socket.write(
        `GET ${TOKENS}/${id}/wait HTTP/1.1\r\nhost: ${hostname}\r\nprefer: wait=25\r\n` +
          `authorization: Bearer ${KEY}\r\n\r\n`,
        resolve,
      );
    });
    socket.destroy();
  }
});

for (const [what, output] of [
  ["same", objects(0)],
  ["other", objects(1)],
]) {
  boundedTest(
    `an output of 340,000 objects compared with the ${what} one upstream`,
    async (server) => {
      assert.equal(
        (await server.send(`${TOKENS}/${RELAYED}/complete`, { body: `{"data":${objects(0)}}` }))
          .status,
        200,
      );
      // Upstream's output is read once ours is delivered.
      await until(
        async () => JSON.parse((await server.send(`${TOKENS}/${RELAYED}`)).bytes).deliveries[0],
        ({ status, difference }) => (what === "other" ? difference : status === "delivered"),
      );
    },
    { output },
  );
}

boundedTest(
  "text of control characters for a token that lives upstream",
  async (server) => {
    // Upstream accepts 3 MiB of JSON.
    assert.equal(
      (await server.send(relayedLink, { body: controls.subarray(0, 600_000), key: "" })).status,
      413,
    );
    assert.equal((await server.send(relayedLink, { body: controls, key: "" })).status, 413);
  },
  { output: "1" },
);

boundedTest(
  "text of control characters that upstream answers",
  async (server) => {
    await server.send(`${TOKENS}/${RELAYED}`);
    await server.send(`${TOKENS}/${RELAYED}`, { key: READER });
    await server.send(relayedLink, { headers: HTML, key: "" });
  },
  { output: controls.toString(), mediaType: "text/plain" },
);

boundedTest(
  "an answer of 30 MB of upstream's",
  (server) => server.send(`${TOKENS}/${RELAYED}`, { key: READER }),
  { output: "x".repeat(30_000_000) },
);
