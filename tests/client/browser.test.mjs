// The packed package in a real browser, completing tokens of the real Worker on another origin.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { build as esbuild } from "esbuild";
import { build as vite8 } from "vite";
import { build as vite7 } from "vite7";
import webpack from "webpack";
import { sign, until, useWorker } from "../support/harness.mjs";
import { installed, useBrowser, useSite } from "../support/package.mjs";

const html = (script, head = "") =>
  `<!doctype html><title>An app</title>${head}<script type="module" src="${script}"></script>`;
const imports = JSON.stringify({ waitpoint: "/node_modules/waitpoint/index.js" });
const importMap = `<script type="importmap">{"imports": ${imports}}</script>`;

const { folder } = installed({
  "app.js": `import * as waitpoint from "waitpoint"; window.waitpoint = waitpoint;`,
  "index.html": html("./app.js"),
  "native.html": html("./app.js", importMap),
});
const worker = useWorker();
const browser = useBrowser();
const site = useSite(folder);
const strict = useSite(folder, { "content-security-policy": "script-src 'self'" });

/** Each makes <name>/index.html of the app, with no configuration but paths. */
const BUNDLERS = {
  "vite-8": (outDir) => vite8({ root: folder, base: "./", logLevel: "error", build: { outDir } }),
  "vite-7": (outDir) => vite7({ root: folder, base: "./", logLevel: "error", build: { outDir } }),
  "webpack-5": async (path) => {
    const options = { mode: "production", context: folder, entry: "./app.js", output: { path } };
    const stats = await new Promise((resolve, reject) => {
      webpack(options, (error, stats) => (error ? reject(error) : resolve(stats)));
    });
    assert.equal(stats.hasErrors(), false, stats.toString());
    writeFileSync(join(path, "index.html"), html("./main.js"));
  },
  esbuild: async (outdir) => {
    await esbuild({
      entryPoints: [join(folder, "app.js")],
      bundle: true,
      minify: true,
      format: "esm",
      outdir,
    });
    writeFileSync(join(outdir, "index.html"), html("./app.js"));
  },
};

before(async () => {
  for (const [name, bundle] of Object.entries(BUNDLERS)) {
    const outdir = join(folder, name);
    mkdirSync(outdir);
    await bundle(outdir);
  }
});

/** A page that has imported the package. */
async function open(path = "native.html", options) {
  const page = await browser.page(options);
  await page.goto(`${site.url}/${path}`);
  await page.waitForFunction(() => window.waitpoint);
  return page;
}

/** Calls the package in the page. Of an error it returns what a page would see. */
const call = (page, name, ...args) =>
  page.evaluate(
    async ([name, args]) => {
      try {
        return await window.waitpoint[name](...args);
      } catch (error) {
        const { name, code, status, retryable, message } = error;
        const isError = error instanceof Error && error instanceof window.waitpoint.WaitpointError;
        return { isError, name, code, status, retryable, message };
      }
    },
    [name, args],
  );

for (const path of ["native.html", ...Object.keys(BUNDLERS).map((name) => `${name}/index.html`)]) {
  test(`${path} completes a token on another origin`, async () => {
    const page = await open(path);
    const token = await worker.create({ timeout: "1h" });
    assert.deepEqual(await call(page, "completeToken", token.url, { from: path }), {
      success: true,
      outcome: "completed",
    });
    const { output } = await worker.retrieve(token.id);
    assert.equal(output, JSON.stringify({ from: path }));
    const again = await call(
      page,
      "completeToken",
      { id: token.id, publicAccessToken: token.publicAccessToken },
      2,
      {
        baseURL: worker.url,
      },
    );
    assert.equal(again.outcome, "already-completed");
    const read = await call(page, "retrieveToken", token);
    assert.deepEqual(
      [read.status, read.output, read.createdAt instanceof Date],
      ["COMPLETED", { from: path }, true],
    );
    const refused = await call(page, "completeToken", token.id, 1, {
      accessToken: "nobody",
      baseURL: worker.url,
    });
    assert.deepEqual(refused, {
      isError: true,
      name: "WaitpointError",
      code: "invalid_api_key",
      status: 401,
      retryable: false,
      message: "Invalid API key",
    });
    assert.deepEqual(page.errors, []);
  });
}

test("a Content-Security-Policy that blocks WebAssembly is named, and a click counts", async () => {
  const page = await browser.page();
  await page.goto(`${strict.url}/esbuild/index.html`);
  await page.waitForFunction(() => window.waitpoint);
  const token = await worker.create();
  for (const name of ["retrieveToken", "waitForToken", "decodeToken"]) {
    const { code, message } = await call(page, name, token);
    assert.equal(code, "wasm_unavailable");
    assert.match(message, /'wasm-unsafe-eval'/);
  }
  assert.deepEqual(await call(page, "completeToken", token.url, { a: 1 }), {
    success: true,
    outcome: "completed",
  });
  assert.equal((await worker.retrieve(token.id)).output, '{"a":1}');
});

test("outputs of every kind come back as they went in", async () => {
  const page = await open();
  for (const data of [
    null,
    0,
    false,
    "",
    "é\u0000\u{1f600}",
    [],
    { constructor: 1 },
    [[["deep"]]],
  ]) {
    const token = await worker.create();
    await call(page, "completeToken", token, data);
    assert.deepEqual((await call(page, "retrieveToken", token)).output, data);
  }
  const token = await worker.create();
  await call(page, "completeToken", token);
  assert.equal((await call(page, "retrieveToken", token)).output, undefined);
});

test("a token that timed out says so when read and when completed", async () => {
  const page = await open();
  const token = await worker.create({ timeout: "1s" });
  await until(
    () => worker.retrieve(token.id),
    ({ status }) => status === "TIMED_OUT",
  );
  const read = await page.evaluate(async (token) => {
    const { status, error, output } = await window.waitpoint.retrieveToken(token);
    return { status, code: error.code, output };
  }, token);
  assert.deepEqual(read, { status: "TIMED_OUT", code: "timed_out", output: undefined });
  assert.equal((await call(page, "completeToken", token, 1)).outcome, "timed-out");
});

/** Answers the first requests with these statuses and headers. The rest reach the Worker. */
async function faults(page, answers) {
  const seen = [];
  await page.route("**/complete", (route) => {
    const [status, headers] = answers[seen.length] ?? [];
    seen.push(Date.now());
    if (!status) return route.continue();
    const cors = { "access-control-allow-origin": "*", "access-control-expose-headers": "*" };
    return route.fulfill({ status, headers: { ...cors, ...headers }, body: `{"error":"fault"}` });
  });
  return seen;
}

test("a server that answers 503 twice is asked a third time", async () => {
  const page = await open();
  const seen = await faults(page, [[503], [503]]);
  const token = await worker.create();
  assert.equal((await call(page, "completeToken", token, 1)).outcome, "completed");
  assert.equal(seen.length, 3);
});

test("429 is waited out as Retry-After or x-ratelimit-reset says", async () => {
  const page = await open();
  for (const headers of [
    () => ({ "retry-after": "1" }),
    () => ({ "retry-after": new Date(Date.now() + 2_000).toUTCString() }),
    () => ({ "x-ratelimit-reset": String(Date.now() + 1_500) }),
  ]) {
    await page.unroute("**/complete");
    const now = headers();
    const [asked] = Object.values(now);
    const seen = await faults(page, [[429, now]]);
    assert.equal(
      (await call(page, "completeToken", await worker.create(), 1)).outcome,
      "completed",
    );
    assert.equal(seen.length, 2);
    // No earlier than asked. How much later depends on the machine.
    const until = asked === "1" ? seen[0] + 1_000 : Number(asked) || Date.parse(asked);
    assert.ok(seen[1] >= until - 50, `${JSON.stringify(now)}: ${until - seen[1]} ms too early`);
  }
});

test("a pause of over a minute, x-should-retry: false and retry: false end the call", async () => {
  const page = await open();
  for (const [answer, options, retryable] of [
    [[429, { "retry-after": "3600" }], {}, true],
    [[503, { "x-should-retry": "false" }], {}, false],
    [[503], { retry: false }, true],
    [[503], { retry: { maxAttempts: 1 } }, true],
  ]) {
    await page.unroute("**/complete");
    const seen = await faults(page, [answer]);
    const error = await call(page, "completeToken", await worker.create(), 1, options);
    assert.deepEqual(
      [error.status, error.retryable, error.message, seen.length],
      [answer[0], retryable, "fault", 1],
    );
  }
});

test("what is offline is sent when the network is back", async () => {
  const page = await open();
  const token = await worker.create();
  await page.context().setOffline(true);
  // Only the return of the network can end these delays in time.
  const retry = { maxAttempts: 50, minTimeoutInMs: 1e9, maxTimeoutInMs: 1e9 };
  const failed = page.waitForEvent("requestfailed");
  const completed = call(page, "completeToken", token, "back", { retry });
  await failed;
  assert.equal((await worker.retrieve(token.id)).status, "WAITING");
  await page.context().setOffline(false);
  assert.equal((await completed).outcome, "completed");
});

test("a call that stays offline fails and says that it may be made again", async () => {
  const page = await open();
  const token = await worker.create();
  await page.context().setOffline(true);
  const error = await call(page, "completeToken", token, 1, {
    retry: { maxAttempts: 2, minTimeoutInMs: 1 },
  });
  assert.deepEqual([error.code, error.retryable, error.status], ["network_error", true, undefined]);
});

test("an aborted call ends, before, during and between attempts", async () => {
  const page = await open();
  const token = await worker.create();
  const start = (controller) =>
    page.evaluate(
      ([token, aborted]) => {
        window.controller = new AbortController();
        if (aborted) window.controller.abort("enough");
        const retry = { minTimeoutInMs: 1e9, maxTimeoutInMs: 1e9 };
        window.called = window.waitpoint.completeToken(token, 1, {
          signal: window.controller.signal,
          retry,
        });
        window.called = window.called.catch(({ code, cause, retryable }) => [
          code,
          cause,
          retryable,
        ]);
      },
      [token, controller === "aborted"],
    );
  const end = () =>
    page.evaluate(() => {
      window.controller.abort("enough");
      return window.called;
    });
  const aborted = ["aborted", "enough", false];

  await start("aborted");
  assert.deepEqual(await end(), aborted);

  // It is not answered before the test ends.
  let answer;
  await page.route("**/complete", (route) => (answer = () => route.abort()));
  const [during] = await Promise.all([page.waitForRequest("**/complete"), start()]);
  assert.equal(during.method(), "POST");
  assert.deepEqual(await end(), aborted);
  await answer().catch(() => {});

  await page.unroute("**/complete");
  await faults(page, [[503]]);
  const [between] = await Promise.all([page.waitForResponse("**/complete"), start()]);
  await between.finished();
  assert.deepEqual(await end(), aborted);
  assert.equal((await worker.retrieve(token.id)).status, "WAITING");
});

test("an attempt that is not answered in time is given up", async () => {
  const page = await open();
  await page.route("**/complete", () => {});
  const token = await worker.create();
  const error = await call(page, "completeToken", token, 1, {
    timeoutInMs: 50,
    retry: { maxAttempts: 2, minTimeoutInMs: 1 },
  });
  assert.deepEqual([error.code, error.retryable], ["timeout", true]);
});

test("an expired token says so, and before it is used", async () => {
  const page = await open();
  const { id } = await worker.create();
  const exp = Math.floor(Date.now() / 1000) - 1;
  const accessToken = sign([`write:waitpoints:${id}`], { claims: { exp } });
  const error = await call(page, "completeToken", id, 1, { accessToken, baseURL: worker.url });
  assert.deepEqual(
    [error.code, error.status, error.retryable],
    ["public_token_expired", 401, false],
  );
  const decoded = await call(page, "decodeToken", accessToken);
  assert.deepEqual(decoded, {
    id,
    environment: "default",
    scopes: [`write:waitpoints:${id}`],
    expiresAt: new Date(exp * 1000),
    subject: undefined,
  });
});
