// All targets run at once; small batches alternate between them. `node bench/fine.mjs --reps 20 name=folder[:flags][:entry] …`
import { build as bundle } from "esbuild";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { root } from "../scripts/setup.mjs";
import { KEY, cpuOf, quantile, serve, waitpoint } from "./workerd.mjs";
const { values, positionals } = parseArgs({ allowPositionals: true, options: { reps: { type: "string", default: "20" }, batch: { type: "string", default: "400" }, json: { type: "string" }, base: { type: "string", default: "today" }, phases: { type: "string", default: "create,first,repeated,retrieve" } } });
execFileSync("taskset", ["-cp", "1", String(process.pid)], { stdio: "ignore" });
const peer = async (file) => {
  const { outputFiles } = await bundle({ entryPoints: [join(root, "bench", "peers", file)], bundle: true, minify: true, format: "esm", target: "es2022", conditions: ["workerd", "worker", "browser"], external: ["cloudflare:workers"], write: false });
  return { files: { "index.js": { text: outputFiles[0].text } }, objects: { TOKENS: "TokenObject" }, vars: { SECRET_KEYS: KEY } };
};
const TARGETS = {};
for (const one of positionals) {
  const [name, folder, objects] = one.split("=");
  if (name === "typescript") TARGETS[name] = await peer("typescript.ts");
  else if (name === "floor") TARGETS[name] = await peer("floor.js");
  else TARGETS[name] = { ...waitpoint(), files: Object.fromEntries(readdirSync(folder).filter((f) => /\.(js|wasm)$/.test(f)).sort().map((f) => [f, join(folder, f)])) };
  if (objects) TARGETS[name].objects = JSON.parse(objects);
  if (TARGETS[name].files["index.js"] && Object.keys(TARGETS[name].files)[0] !== "index.js") { const f = TARGETS[name].files; TARGETS[name].files = { "index.js": f["index.js"], ...f }; }
}
const names = Object.keys(TARGETS);
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
const send = (origin, method, path, credential, body) => new Promise((resolve, reject) => {
  const headers = { authorization: `Bearer ${credential}`, "content-type": "application/json" };
  if (body !== undefined) headers["content-length"] = Buffer.byteLength(body);
  const sent = request(origin + path, { method, headers, agent }, (answer) => {
    let text = "";
    answer.on("data", (chunk) => (text += chunk));
    answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
  });
  sent.on("error", reject);
  sent.end(body);
});
async function load(work, count, together = 16) {
  const answers = [];
  let next = 0;
  await Promise.all(Array.from({ length: together }, async () => {
    while (next < count) {
      const index = next++;
      answers[index] = await work(index);
      if (answers[index].status !== 200) throw new Error(`${answers[index].status} ${answers[index].text}`);
    }
  }));
  return answers;
}
const TOKENS = "/api/v1/waitpoints/tokens";
const create = (s) => () => send(s.url, "POST", TOKENS, KEY, '{"timeout":"1h","tags":["bench"]}');
const complete = (s, { id, jwt }) => send(s.url, "POST", `${TOKENS}/${id}/complete`, jwt, '{"data":{"status":"approved","by":"bench"}}');
const retrieve = (s, { id, jwt }) => send(s.url, "GET", `${TOKENS}/${id}`, jwt);
const made = (answers) => answers.map(({ text, headers }) => ({ id: JSON.parse(text).id, jwt: headers["x-trigger-jwt"] }));
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const servers = {};
for (const name of names) {
  const s = (servers[name] = await serve(TARGETS[name], { cpu: 0 }));
  const warm = made(await load(create(s), 600));
  for (let n = 0; n < 2; n++) await load((i) => complete(s, warm[i]), 600);
  await load((i) => retrieve(s, warm[i]), 600);
  s.recent = [];
}
const B = Number(values.batch);
const phases = values.phases.split(",");
const figures = Object.fromEntries(phases.map((p) => [p, Object.fromEntries(names.map((n) => [n, []]))]));
async function measure(phase, name, count, work, settle) {
  const s = servers[name];
  const before = cpuOf(s.pid);
  const answers = await load(work, count);
  await sleep(settle);
  figures[phase][name].push((cpuOf(s.pid) - before) / count);
  return answers;
}
for (let rep = 0; rep < Number(values.reps); rep++) {
  const order = names.map((_, i) => names[(i + rep) % names.length]);
  for (const phase of phases) for (const name of order) {
    const s = servers[name];
    if (phase === "create") s.recent = made(await measure(phase, name, B / 2, create(s), 180));
    if (phase === "first") await measure(phase, name, s.recent.length, (i) => complete(s, s.recent[i]), 180);
    if (phase === "repeated") await measure(phase, name, B, (i) => complete(s, s.recent[i % s.recent.length]), 10);
    if (phase === "retrieve") await measure(phase, name, B, (i) => retrieve(s, s.recent[i % s.recent.length]), 10);
  }
  process.stderr.write(`${rep + 1} `);
}
const med = (a) => quantile(a, 0.5);
// The batches' lower half, summed: contention only adds.
const low = (a) => { const s = a.toSorted((x, y) => x - y).slice(0, Math.ceil(a.length / 2)); return s.reduce((x, y) => x + y, 0) / s.length; };
const mean = (a) => a.reduce((x, y) => x + y, 0) / a.length;
for (const phase of phases) {
  console.log(`\n## ${phase} (µs: median, lower half, mean; median of paired ratios / ratio of lower halves to …)\n| | med | low | mean | ÷ ${values.base} | ÷ typescript | ÷ floor |`);
  for (const name of names) {
    const mine = figures[phase][name];
    const r = (other) => { const o = figures[phase][other]; return o ? `${med(mine.map((c, i) => c / o[i])).toFixed(2)} / ${(low(mine) / low(o)).toFixed(2)}` : ""; };
    console.log(`| ${name} | ${med(mine).toFixed(0)} | ${low(mine).toFixed(0)} | ${mean(mine).toFixed(0)} | ${r(values.base)} | ${r("typescript")} | ${r("floor")} |`);
  }
}
if (values.json) writeFileSync(values.json, JSON.stringify(figures));
const size = ({ files }) => Object.values(files).reduce((sum, f) => sum + gzipSync(typeof f === "string" ? readFileSync(f) : f.text, { level: 9 }).length, 0);
console.log("\n" + names.map((n) => `${n} ${(size(TARGETS[n]) / 1000).toFixed(1)} kB`).join(", "));
for (const s of Object.values(servers)) await s.stop();
process.exit();
