// `npm run bench:package`: what the npm package costs a page, beside what people write instead:
// sizes, and the time from the request of a cold page to the completion's arrival at the server.
// `--rounds N` (default 21) rounds of every page, interleaved.

import { createServer } from "node:http";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build as bundle } from "esbuild";
import { chromium } from "playwright-core";
import { ensureBrowser, FLAGS } from "../scripts/lib/browser.mjs";
import { build } from "../scripts/lib/build.mjs";
import { root } from "../scripts/lib/process.mjs";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "21" } } });
const rounds = Number(values.rounds);

const ID = "waitpoint_c000000000000000000000000";
const DATA = `{ status: "approved" }`;

/** The others are compared with the first. */
const PAGES = {
  "hand-written fetch": `
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    async function completeToken(id, data, { baseURL, accessToken }) {
      for (let attempt = 0; ; attempt++) {
        try {
          const response = await fetch(\`\${baseURL}/api/v1/waitpoints/tokens/\${id}/complete\`, {
            method: "POST",
            headers: {
              authorization: \`Bearer \${accessToken}\`,
              "content-type": "application/json",
            },
            body: JSON.stringify({ data }),
            keepalive: true,
          });
          if (response.ok) return response.json();
          const isFinal = response.status < 500 && response.status !== 429;
          if (attempt === 4 || isFinal) throw new Error(\`HTTP \${response.status}\`);
          const asked = Number(response.headers.get("retry-after")) * 1000;
          await sleep(asked || 500 * 2 ** attempt * Math.random());
        } catch (error) {
          if (attempt === 4 || error.message.startsWith("HTTP")) throw error;
          await sleep(500 * 2 ** attempt * Math.random());
        }
      }
    }
    completeToken("${ID}", ${DATA}, { baseURL: location.origin, accessToken: "a.b.c" });`,
  waitpoint: `
    import { completeToken } from "${root}/pkg/index.js";
    completeToken("${ID}", ${DATA}, { baseURL: location.origin, accessToken: "a.b.c" });`,
  ky: `
    import ky from "ky";
    const headers = { authorization: "Bearer a.b.c" };
    const options = { json: { data: ${DATA} }, headers, keepalive: true };
    ky.post("/api/v1/waitpoints/tokens/${ID}/complete", options).json();`,
  "@trigger.dev/sdk": `
    import { auth, wait } from "@trigger.dev/sdk";
    auth.configure({ baseURL: location.origin, accessToken: "a.b.c" });
    wait.completeToken("${ID}", ${DATA});`,
};

// 1.6 Mbit/s, a latency of 150 ms, a quarter of the processor.
const CONDITIONS = {
  plain: undefined,
  slow: { latency: 150, downloadThroughput: 200_000, uploadThroughput: 93_750 },
};

// In a browser the SDK needs stubs for what it imports from Node.
const stubs = {
  name: "stubs of Node's modules",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: "stub" }));
    const contents = `
      class AsyncLocalStorage {
        run(_, f, ...a) { return f(...a); }
        getStore() {}
        enterWith() {}
      }
      module.exports = { AsyncLocalStorage };`;
    onLoad({ filter: /.*/, namespace: "stub" }, () => ({ contents }));
  },
};

async function bundled(contents) {
  const { outputFiles } = await bundle({
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
    plugins: [stubs],
    define: { "process.env.NODE_ENV": '"production"', "process.env": "{}" },
    logLevel: "error",
  });
  return outputFiles[0].contents;
}

/** Serves one page a path, gzipped, and reports when its completion arrived. */
async function serve(scripts) {
  const asked = {};
  const arrived = {};
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://x");
    const [, name, file] = pathname.split("/");
    const send = (type, body) =>
      response
        .writeHead(200, { "content-type": type, "content-encoding": "gzip" })
        .end(gzipSync(body));
    if (request.method === "POST") {
      arrived.resolve?.(performance.now() - asked.at);
      return send("application/json", '{"success":true}');
    }
    if (file === "app.js") return send("text/javascript", scripts[decodeURIComponent(name)]);
    if (file === "") {
      asked.at = performance.now();
      return send(
        "text/html",
        '<!doctype html><link rel="icon" href="data:,">' +
          '<script type="module" src="app.js"></script>',
      );
    }
    response.writeHead(404).end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const arrival = () => new Promise((resolve) => (arrived.resolve = resolve));
  return { origin, arrival, close: () => server.close() };
}

async function coldStart(browser, site, name, conditions) {
  const context = await browser.newContext();
  const page = await context.newPage();
  if (conditions) {
    const devtools = await context.newCDPSession(page);
    await devtools.send("Network.enable");
    await devtools.send("Network.emulateNetworkConditions", { offline: false, ...conditions });
    await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  }
  const arrival = site.arrival();
  const failed = new Promise((_, reject) => {
    page.on("pageerror", (error) => reject(new Error(`${name}: ${error}`)));
    setTimeout(reject, 60_000, new Error(`${name}: nothing arrived within a minute`)).unref();
  });
  await page.goto(`${site.origin}/${encodeURIComponent(name)}/`);
  const millis = await Promise.race([arrival, failed]);
  await context.close();
  return millis;
}

const quantile = (sorted, q) => sorted[Math.round((sorted.length - 1) * q)];

await build();
const { CHROME } = ensureBrowser();
const scripts = {};
for (const [name, source] of Object.entries(PAGES)) scripts[name] = await bundled(source);
const site = await serve(scripts);
const browser = await chromium.launch({ executablePath: CHROME, args: FLAGS });

const table = Object.fromEntries(
  Object.entries(scripts).map(([name, script]) => [
    name,
    { "gzip, bytes": gzipSync(script, { level: 9 }).length },
  ]),
);
for (const [condition, emulated] of Object.entries(CONDITIONS)) {
  const times = Object.fromEntries(Object.keys(PAGES).map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    for (const name of Object.keys(PAGES)) {
      const millis = await coldStart(browser, site, name, emulated);
      // The first round warms the browser up.
      if (round >= 0) times[name].push(millis);
    }
    process.stderr.write(`\r${condition}: round ${round + 1} of ${rounds} `);
  }
  process.stderr.write("\n");
  const [first] = Object.values(times).map((list) => [...list]);
  const ky = [...times.ky];
  for (const [name, list] of Object.entries(times)) {
    const middle = (ratios) =>
      Number(
        quantile(
          ratios.sort((a, b) => a - b),
          0.5,
        ).toFixed(2),
      );
    const toFetch = middle(list.map((millis, round) => millis / first[round]));
    const toKy = middle(list.map((millis, round) => millis / ky[round]));
    list.sort((a, b) => a - b);
    const [low, median, high] = [0.25, 0.5, 0.75].map((q) => quantile(list, q).toFixed(0));
    table[name][`${condition}, ms`] = `${median} (${low}–${high})`;
    table[name][`÷ fetch, ${condition}`] = toFetch;
    table[name][`÷ ky, ${condition}`] = toKy;
  }
}
console.table(table);
await browser.close();
site.close();
