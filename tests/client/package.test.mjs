// The packed package as npm, TypeScript, Node and Workers see it.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { createTestHarness } from "wrangler";
import { KEY, root, useWorker } from "../support/harness.mjs";
import { installed } from "../support/package.mjs";

const { folder, tarball } = installed();
const worker = useWorker();
const home = join(folder, "node_modules", "waitpoint");

test("it holds what is needed and nothing else", () => {
  const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  assert.deepEqual(
    files.map(({ parentPath, name }) => join(parentPath, name).slice(home.length + 1)).sort(),
    [
      "LICENSE",
      "README.md",
      "approval.d.ts",
      "element.d.ts",
      "element.js",
      "fields.js",
      "index.d.ts",
      "index.js",
      "package.json",
      "server.d.ts",
      "server.js",
      "shared.js",
      "start.js",
      "wasm/approval.d.cts",
      "wasm/core.js",
      "wasm/core.wasm",
      "wasm/element.cjs",
      "wasm/element.d.cts",
      "wasm/index.cjs",
      "wasm/index.d.cts",
      "wasm/index.plain.js",
      "wasm/index.workerd.js",
      "wasm/server.cjs",
      "wasm/server.d.cts",
      "wasm/server.js",
      "wasm/server.plain.js",
      "wasm/server.wasm",
      "wasm/server.workerd.js",
      "wasm/shared.plain.js",
      "wasm/shared.workerd.js",
    ],
  );
});

test("what is JavaScript of our own is small, the element aside", () => {
  const own = ["index.js", "server.js", "shared.js", "start.js"].map((name) =>
    readFileSync(join(home, name), "utf8"),
  );
  const code = own
    .join("\n")
    .split("\n")
    .filter((line) => !/^\s*(\/\/|\/?\*|$)/.test(line));
  assert.ok(code.length <= 130, `${code.length} lines`);
});

test("the command that builds it ends well", () => {
  // Alone, as a user runs it. Tests import the build instead.
  const { status, stderr } = spawnSync(process.execPath, [join(root, "scripts/build.mjs")], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
});

test("publint and attw have nothing to say", async () => {
  const { messages, pkg } = await publint({ pkgDir: home, strict: true });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg)),
    [],
  );
  const attw = join(root, "node_modules/@arethetypeswrong/cli/dist/index.js");
  const { status, stdout } = spawnSync(process.execPath, [attw, tarball, "--profile", "node16"], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stdout);
});

test("its types fit what it does, and refuse what it does not", () => {
  const example = join(folder, "types.ts");
  writeFileSync(
    example,
    `import { completeToken, decodeToken, retrieveToken, waitForToken } from "waitpoint";
     import { configure, WaitpointError } from "waitpoint";
     import { cancelToken, createToken, extendToken, listTokens } from "waitpoint/server";
     import type { ApprovalForm, CreateTokenOptions } from "waitpoint/server";
     import type { ListedToken, TokenPage } from "waitpoint/server";
     import type { WaitpointApproval } from "waitpoint/element";
     configure({ baseURL: "https://example.com" });
     const accessToken = "tr_dev_…";
     const token = await createToken({ timeout: new Date(), tags: "x" }, { accessToken });
     const signal = AbortSignal.timeout(1);
     const { outcome } = await completeToken(token, { any: "thing" }, { retry: false, signal });
     const late: boolean = outcome === "already-completed" || outcome === "timed-out";
     outcome satisfies "completed" | "already-completed" | "timed-out" | "cancelled" | undefined;
     const cancelled = await cancelToken(token.id, { reason: "x", accessToken });
     cancelled.outcome satisfies "cancelled" | "already-completed" | "timed-out" | undefined;
     const extended = await extendToken<{ ok: boolean }>(token, { timeout: "2h", signal });
     extended.publicAccessToken satisfies string | undefined;
     const { cancelledAt, cancelReason, history = [], deliveries = [] } = extended;
     const moments: (Date | undefined)[] = [cancelledAt, history[0]?.at, history[0]?.timeoutAt];
     for (const { to } of history) if (to && "email" in to) to.email satisfies string;
     for (const { event, target, to } of deliveries) [event, target, to] satisfies unknown[];
     const rules: CreateTokenOptions = {
       timeout: "1d",
       notify: [{ email: "a@b.c", locale: "de" }, { slack: "x" }, { teams: "x" }, { webhook: "x" }],
       reminders: [{ after: "4h" }, { before: "1h" }],
       onTimeout: { data: { ok: false } },
     };
     const { output, error } = await retrieveToken<{ ok: boolean }>(token.id);
     const ok: boolean | undefined = output?.ok, why: WaitpointError | undefined = error;
     const expires: Date = decodeToken(token.url).expiresAt;
     const element: WaitpointApproval = document.createElement("waitpoint-approval");
     element.addEventListener("waitpoint-complete", ({ detail }) => {
       detail.decision satisfies string;
     });
     const ended = await waitForToken<{ ok: boolean }>(token, { signal });
     const waited: { ok: boolean } | undefined = ended.output;
     await createToken({
       approval: { choices: [{ label: "Go", data: 1, style: "danger" }], confirm: "typed" },
       webhook: { url: "x" },
     });
     const form: ApprovalForm = {
       type: "object",
       properties: {
         amount: { type: "number", title: "Amount", minimum: 0, default: 1 },
         size: { type: "string", enum: ["s", "l"], default: "s" },
         plan: { type: "string", oneOf: [{ const: "a", title: "Plan A" }] },
         teams: { type: "array", items: { anyOf: [{ const: "a", title: "A" }] }, maxItems: 1 },
         at: { type: "string", format: "date-time" },
         urgent: { type: "boolean" },
       },
       required: ["amount"],
     };
     const approvers = [{ id: "ann", name: "Ann" }];
     const choices = [{ label: "Go", form: false }, { label: "Stop", veto: true }];
     const voted = await createToken({ approval: { form, validate: "all", choices, approvers } });
     voted.links?.[0]?.shortUrl satisfies string | undefined;
     const { votes = [] } = await retrieveToken(voted);
     for (const { approver, choice, at } of votes) [approver, choice, at.getTime()];
     why?.details?.[0]?.pointer satisfies string | undefined;
     await element.decide("Go");
     // @ts-expect-error
     form.properties.x = { type: "string", pattern: "x" };
     // @ts-expect-error
     form.properties.x = { type: "array" };
     const filters = { status: ["WAITING" as const], createdAt: { period: "1d" } };
     for await (const { id, tags } of listTokens(filters)) {
       id satisfies string;
       tags satisfies string[];
     }
     listTokens({ status: ["WAITING"], createdAt: { period: "1d" } });
     const page: TokenPage = await listTokens({ createdAt: { from: new Date(), to: 5 }, limit: 5 });
     const listed: ListedToken[] = page.data;
     const next: TokenPage | false = page.hasNextPage() && (await page.getNextPage());
     for await (const { pagination } of page.iterPages()) {
       pagination.next satisfies string | undefined;
     }
     // @ts-expect-error
     listTokens({ status: "DONE" });
     // @ts-expect-error
     await createToken({ approval: { confirm: "code" } });
     // @ts-expect-error
     await completeToken(42);
     // @ts-expect-error
     await createToken({ timeout: 5 });
     // @ts-expect-error
     await createToken({ timeout: "1h", notify: [{ mail: "a@b.c" }] });
     // @ts-expect-error
     await createToken({ timeout: "1h", reminders: [{ every: "1h" }] });
     // @ts-expect-error
     await extendToken(token);
     // @ts-expect-error
     await cancelToken(token, { reason: 5 });
     // @ts-expect-error
     await completeToken(token, 1, { retries: 3 });
     export { cancelReason, moments, rules, late, ok, why, expires, waited, listed, next };`,
  );
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  for (const resolution of ["bundler", "nodenext"]) {
    const module = resolution === "bundler" ? "esnext" : resolution;
    const args = [
      "--noEmit",
      "--strict",
      "--exactOptionalPropertyTypes",
      "--target",
      "es2022",
      "--module",
      module,
      "--moduleResolution",
      resolution,
    ];
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...args, example], {
      cwd: folder,
      encoding: "utf8",
    });
    assert.equal(status, 0, stdout);
  }
});

/** The Nodes of this machine: the one that runs this, and the one that ran `npm test`. */
const NODES = [...new Set([process.execPath, process.env.npm_node_execpath ?? process.execPath])];

for (const node of NODES) {
  const version = execFileSync(node, ["--version"], { encoding: "utf8" }).trim();
  const run = (script) =>
    JSON.parse(
      execFileSync(node, ["--input-type=module", "-e", script], { cwd: folder, encoding: "utf8" }),
    );

  test(`Node ${version} creates, completes and reads a token`, () => {
    const result = run(`
      import { configure, createToken, completeToken } from "waitpoint/server";
      import { retrieveToken, decodeToken } from "waitpoint/server";
      configure({ baseURL: "${worker.url}", accessToken: "${KEY}" });
      const token = await createToken({ timeout: "1h", tags: ["a", "b"] });
      const { outcome } = await completeToken(token, { by: "node" });
      const { status, output, tags } = await retrieveToken(token.id);
      const [cached, same] = [token.isCached, decodeToken(token).id === token.id];
      console.log(JSON.stringify({ cached, outcome, status, output, tags, same }));`);
    const output = { by: "node" };
    assert.deepEqual(result, {
      cached: false,
      outcome: "completed",
      status: "COMPLETED",
      output,
      tags: ["a", "b"],
      same: true,
    });
  });

  test(`Node ${version} imports the element, as a server that renders pages does`, () => {
    assert.deepEqual(
      run(`import "waitpoint/element"; console.log(JSON.stringify(typeof document))`),
      "undefined",
    );
  });

  test(`Node ${version} is told what is wrong with its arguments, and nothing is sent`, () => {
    const result = run(`
      import { completeToken, configure, createToken, decodeToken } from "waitpoint/server";
      import { WaitpointError } from "waitpoint/server";
      globalThis.fetch = () => console.log("sent");
      const options = { accessToken: "x", baseURL: "https://example.com" };
      const circle = {}; circle.self = circle;
      const complete = (more) => completeToken("waitpoint_c1", 1, { ...options, ...more });
      const notData = [
        Promise.resolve(1), new FormData(), new URLSearchParams("a=1"), new Map(),
        new Error("x"), () => 1, Symbol("x"),
      ];
      const calls = [
        () => createToken({ timeout: "soon" }, options),
        () => createToken({ timeout: "2001-01-01" }, options),
        () => createToken({ timeout: new Date(NaN) }, options),
        () => createToken({ tags: Array(11).fill("x") }, options),
        () => createToken({}, { ...options, accessToken: "✓" }),
        () => createToken("text", options),
        () => createToken({}),
        () => completeToken(),
        () => completeToken(null),
        () => completeToken({}),
        () => completeToken(42),
        () => completeToken("a b"),
        () => completeToken("waitpoint_c1"),
        () => completeToken("waitpoint_c1\\nx", 1, options),
        () => completeToken("https://x.example/api/v1/waitpoints/tokens/w1/callback/", 1, options),
        () => completeToken("waitpoint_c1", 1n, options),
        () => completeToken("waitpoint_c1", circle, options),
        ...notData.map((data) => () => completeToken("waitpoint_c1", data, options)),
        () => complete({ accessToken: "a b" }),
        () => complete({ baseURL: "example.com" }),
        () => complete({ baseURL: "https://" }),
        () => complete({ baseURL: "https://x?y" }),
        () => complete({ baseUrl: "https://x" }),
        () => complete({ timeoutInMs: -1 }),
        () => complete({ timeoutInMs: "5" }),
        () => complete({ retry: { factor: NaN } }),
        () => complete({ retry: true }),
        () => complete({ signal: {} }),
        () => completeToken("waitpoint_c1", 1, "options"),
        async () => configure({ baseUrl: "https://x" }),
        async () => configure(5),
        async () => configure({ baseURL: "ftp://x" }),
        async () => decodeToken("x"),
        async () => decodeToken(undefined),
        async () => decodeToken("a.e30.c"),
      ];
      const results = await Promise.all(calls.map((call) => call().catch((error) => error)));
      const code = (error) => error instanceof WaitpointError && error.code;
      console.log(JSON.stringify(results.map(code)));`);
    assert.deepEqual(result, Array(41).fill("invalid_argument"));
  });
}

test("the wasm is compiled once, and a key goes only where it is configured for", () => {
  const script = `
    const urls = [];
    globalThis.fetch = async (request) => {
      urls.push(request.url ?? request);
      return Response.json({ success: true, id: "x", url: "https://x/", isCached: false });
    };
    let compiled = 0;
    const Module = WebAssembly.Module;
    WebAssembly.Module = class extends Module {
      constructor(bytes) {
        super(bytes);
        // Smaller ones only decode the others.
        if (bytes.length > 4096) compiled += 1;
      }
    };
    globalThis.Promise = class extends Promise {};
    const { configure, completeToken, createToken, decodeToken } = await import("waitpoint/server");
    configure({ baseURL: "https://mine.example", accessToken: "key" });
    await completeToken("waitpoint_c1", 1);
    await createToken({}, { baseURL: "", accessToken: undefined });
    await completeToken("waitpoint_c1", 1, null);
    const hosts = [...new Set(urls.map((url) => new URL(url).host))];
    console.log(JSON.stringify({ compiled, hosts }));`;
  const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: folder,
    encoding: "utf8",
  });
  assert.deepEqual(JSON.parse(printed), { compiled: 2, hosts: ["mine.example"] });
});

test("without memory for WebAssembly the click counts all the same", () => {
  const script = `
    WebAssembly.Instance = class {
      constructor() {
        throw new RangeError("Out of memory: Cannot allocate Wasm memory for new instance");
      }
    };
    globalThis.fetch = async () => Response.json({ success: true });
    const { completeToken, decodeToken } = await import("waitpoint");
    const options = { baseURL: "https://mine.example", accessToken: "key" };
    const { success } = await completeToken("waitpoint_c1", 1, options);
    try {
      decodeToken("a.b.c");
    } catch ({ code }) {
      console.log(JSON.stringify({ success, code }));
    }`;
  const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: folder,
    encoding: "utf8",
  });
  assert.deepEqual(JSON.parse(printed), { success: true, code: "wasm_unavailable" });
});

test("a Worker that imports it completes a token", async () => {
  writeFileSync(
    join(folder, "worker.js"),
    `import { completeToken, retrieveToken } from "waitpoint";
     import { createToken, WaitpointError } from "waitpoint/server";
     import * as waitpoint from "waitpoint";
     export default {
       async fetch(request, { BASE, KEY }) {
         const options = { baseURL: BASE, accessToken: KEY };
         const token = await createToken({ timeout: "1h" }, options);
         await completeToken(token, { by: "worker" });
         const { output } = await retrieveToken(token, options);
         return Response.json({ output, one: WaitpointError === waitpoint.WaitpointError });
       },
     };`,
  );
  writeFileSync(
    join(folder, "wrangler.json"),
    JSON.stringify({ name: "app", main: "worker.js", compatibility_date: "2026-08-01" }),
  );
  const server = createTestHarness({
    root: folder,
    workers: [{ configPath: join(folder, "wrangler.json"), vars: { BASE: worker.url, KEY } }],
  });
  const { url } = await server.listen();
  try {
    assert.deepEqual(await (await fetch(url)).json(), { output: { by: "worker" }, one: true });
  } finally {
    await server.close();
  }
});
