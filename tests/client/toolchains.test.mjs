// The packed package as frameworks, test runners and older Nodes import it.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { createTestHarness } from "wrangler";
import { environmentRequire, inEnvironments } from "../../scripts/lib/environments.mjs";
import { KEY, useWorker } from "../support/harness.mjs";
import { installed } from "../support/package.mjs";

const execute = promisify(execFile);
const { folder: base } = installed();
const worker = useWorker();

/** A folder with the package and these files. */
function app(name, files, links = []) {
  const folder = join(base, name);
  cpSync(join(base, "node_modules"), join(folder, "node_modules"), { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(folder, file, ".."), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  for (const link of links) symlinkSync(inEnvironments(link), join(folder, "node_modules", link));
  return folder;
}

/** Runs a program of the environments. A failure shows its output. */
const run = (cwd, [program, ...args], env = {}) =>
  execute(process.execPath, [program, ...args], {
    cwd,
    env: { ...process.env, CI: "1", NO_COLOR: "1", ...env },
    maxBuffer: 2 ** 26,
  });

const ROUND = `
  const { completeToken, createToken, decodeToken } = waitpoint;
  const { listTokens, retrieveToken, waitForToken } = waitpoint;
  const options = { baseURL: process.env.BASE, accessToken: process.env.KEY };
  const token = await createToken({ timeout: "1h", tags: ["round"] }, options);
  const { outcome } = await completeToken(token, { by: "round" }, options);
  const { output } = await waitForToken(token, options);
  const first = await listTokens({ limit: 1 }, options);
  const refused = await retrieveToken("waitpoint_c1", options).catch(({ code }) => code);
  const listed = Array.isArray(first.data);
  const result = { outcome, output, listed, refused, same: decodeToken(token).id === token.id };`;
const RESULT = {
  outcome: "completed",
  output: { by: "round" },
  listed: true,
  refused: "token_not_found",
  same: true,
};

const NODES = {
  20: inEnvironments("node-20", "bin", "node"),
  22: inEnvironments("node-22", "bin", "node"),
};

for (const [version, node] of Object.entries(NODES)) {
  const skip = existsSync(node) ? false : "it is for Linux on x64";
  for (const [how, flag, load] of [
    ["import", "module", `import * as waitpoint from "waitpoint/server";`],
    ["require", "commonjs", `const waitpoint = require("waitpoint/server");`],
  ]) {
    test(`Node ${version} by ${how}`, { skip }, async () => {
      const script = `${load} (async () => { ${ROUND} console.log(JSON.stringify(result)); })();`;
      const env = { ...process.env, BASE: worker.url, KEY };
      const { stdout } = await execute(node, [`--input-type=${flag}`, "-e", script], {
        cwd: base,
        env,
      });
      assert.deepEqual(JSON.parse(stdout), RESULT);
    });
  }
}

test("CommonJS has the same class and settings in each entry", () => {
  const script = `
    const index = require("./node_modules/waitpoint/wasm/index.cjs");
    const server = require("./node_modules/waitpoint/wasm/server.cjs");
    require("./node_modules/waitpoint/wasm/element.cjs");
    console.log(index.WaitpointError === server.WaitpointError, Object.keys(index).sort().join());`;
  const printed = execFileSync(process.execPath, ["--input-type=commonjs", "-e", script], {
    cwd: base,
    encoding: "utf8",
  });
  assert.equal(
    printed,
    "true WaitpointError,completeToken,configure,decodeToken,retrieveToken,waitForToken\n",
  );
});

const MOCKED = `
  const waitpoint = require("waitpoint");
  const claims = { sub: "default", scopes: ["read:waitpoints:w1"], exp: 2e9 };
  const JWT = "e30." + btoa(JSON.stringify(claims)).replace(/=/g, "") + ".c";
  test("it completes by a fetch of the test's own", async () => {
    const sent = [];
    globalThis.fetch = async (url, init) => {
      sent.push([url, init.body]);
      return { status: 200, text: async () => '{"success":true}' };
    };
    const options = { accessToken: "a", baseURL: "https://x.example" };
    expect(await waitpoint.completeToken("w1", 1, options)).toEqual({ success: true });
    const url = "https://x.example/api/v1/waitpoints/tokens/w1/complete";
    expect(sent).toEqual([[url, '{"data":1}']]);
  });
  test("it decodes, and its errors are errors", async () => {
    expect(waitpoint.decodeToken(JWT).id).toBe("w1");
    await expect(waitpoint.completeToken(5)).rejects.toMatchObject({ code: "invalid_argument" });
    globalThis.fetch = async () => { throw "no error"; };
    const failed = waitpoint.completeToken("w1", 1, { accessToken: "a", retry: false });
    await expect(failed).rejects.toMatchObject({ code: "network_error", cause: "no error" });
  });`;

for (const environment of ["node", "jsdom"]) {
  test(`Jest 29 in ${environment}`, async () => {
    const testEnvironment = environmentRequire.resolve(`jest-environment-${environment}`);
    const config = JSON.stringify({ testEnvironment, transform: {} });
    const folder = app(`jest-${environment}`, {
      "package.json": "{}",
      "jest.config.json": config,
      "app.test.js": MOCKED,
    });
    await run(folder, [inEnvironments("jest", "bin", "jest.js"), "--config", "jest.config.json"]);
  });

  test(`Vitest in ${environment}`, async () => {
    const imports = `
      import { expect, test } from "vitest";
      import * as waitpoint from "waitpoint";`;
    const files = {
      "package.json": '{"type":"module"}',
      "app.test.js": imports + MOCKED.replace(/.*require.*/, ""),
    };
    const folder = app(`vitest-${environment}`, files, ["vitest", "jsdom"]);
    await run(folder, [
      inEnvironments("vitest", "vitest.mjs"),
      "run",
      `--environment=${environment}`,
    ]);
  });
}

const ROUTE = `
  import * as waitpoint from "waitpoint/server";
  export default defineEventHandler(async () => {
    ${ROUND.replaceAll("process.env", "globalThis")}
    return result;
  });`;
const BASES = () => `globalThis.BASE = "${worker.url}"; globalThis.KEY = "${KEY}";`;

for (const preset of [
  "cloudflare-module",
  "cloudflare-pages",
  "vercel-edge",
  "netlify-edge",
  "deno-deploy",
]) {
  test(`Nitro builds for ${preset} without configuration`, async () => {
    const folder = app(
      `nitro-${preset}`,
      {
        "package.json": '{"type":"module"}',
        "nitro.config.ts": `export default { compatibilityDate: "2026-08-01" };`,
        "routes/index.ts": BASES() + ROUTE,
      },
      ["nitropack"],
    );
    await run(folder, [
      inEnvironments("nitropack", "dist", "cli", "index.mjs"),
      "build",
      "--preset",
      preset,
    ]);
    if (preset !== "cloudflare-module") return;
    const server = createTestHarness({
      root: folder,
      workers: [{ configPath: workerConfig(folder) }],
    });
    const { url } = await server.listen();
    try {
      assert.deepEqual(await (await fetch(url)).json(), RESULT);
    } finally {
      await server.close();
    }
  });
}

function workerConfig(folder) {
  const path = join(folder, "wrangler.test.json");
  const config = {
    name: "nitro",
    main: ".output/server/index.mjs",
    compatibility_date: "2026-08-01",
    compatibility_flags: ["nodejs_compat"],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

test("Next renders a page that imports it on the server", async () => {
  const folder = app(
    "next",
    {
      "package.json": "{}",
      "app/layout.js": `export default ({ children }) => <html><body>{children}</body></html>;`,
      "app/page.js": `
      import * as waitpoint from "waitpoint/server";
      import Approve from "./approve.js";
      export default async function Page() {
        ${ROUND}
        return <main>{JSON.stringify(result)}<Approve /></main>;
      }`,
      "app/approve.js": `"use client";
      import { completeToken } from "waitpoint";
      export default () => <button onClick={() => completeToken("w1")}>Go</button>;`,
    },
    ["next", "react", "react-dom"],
  );
  const env = { BASE: worker.url, KEY, NEXT_TELEMETRY_DISABLED: "1" };
  await run(folder, [inEnvironments("next", "dist", "bin", "next"), "build", "--webpack"], env);
  const html = readFileSync(join(folder, ".next", "server", "app", "index.html"), "utf8");
  assert.match(html, /&quot;outcome&quot;:&quot;completed&quot;/);
});
