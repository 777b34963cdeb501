// The generated part of the npm package, pkg/wasm/. Each entry's wasm module comes in three forms:
// inlined in JavaScript for most environments, as a file for Workers, which may not compile bytes,
// and as plain JavaScript for environments that can do neither.

import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build as bundle } from "esbuild";
import { root, run, say } from "./process.mjs";
import { shortenNames } from "./shorten-names.mjs";
import { WASM_FEATURES } from "./tools.mjs";

const pkg = join(root, "pkg");
const out = join(pkg, "wasm");
const work = join(root, "target", "package");

const OWN = ["index", "server", "shared", "start"].map((name) => `pkg/${name}.js`);
const TYPES = ["approval", "index", "server", "element"].map((name) => `pkg/${name}.d.ts`);
/** The other inputs of pkg/wasm/. */
export const SOURCES = [
  "scripts/lib/package.mjs",
  "scripts/lib/shorten-names.mjs",
  "pkg/element.js",
  "pkg/fields.js",
  ...TYPES,
  ...OWN,
];

const MODULES = [
  {
    feature: "browser",
    name: "core",
    exports: "completeToken, retrieveToken, waitForToken, decodeToken, configure",
  },
  {
    feature: "server",
    name: "server",
    exports: "createToken, listTokens, cancelToken, extendToken",
  },
];

/** Makes pkg/wasm/ anew. `env` is what setup() returned. */
export async function buildPackage(env) {
  say("building the npm package");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  for (const module of MODULES) {
    const { name } = module;
    const { wasm } = buildWasm(env, module, "wasm");
    copyFileSync(wasm, join(out, `${name}.wasm`));
    await bundleModule(module, "wasm", join(out, `${name}.js`), inlineWasm(readFileSync(wasm)));
    const file = `
      import module from "./${name}.wasm";
      const instance = () => new WebAssembly.Instance(module, imports());`;
    await bundleModule(module, "wasm", join(work, `${name}.workerd.js`), file);
    const plain = buildWasm(env, module, "plain");
    await bundleModule(module, "plain", join(work, `${name}.plain.js`), toJavaScript(env, plain));
  }
  await bundleEntries("workerd");
  await bundleEntries("plain");
  await bundleForRequire();
  writeFileSync(join(pkg, "LICENSE"), licenses());
}

/**
 * Bundles the entries with another form of the wasm. Shared code stays shared, so that there is one
 * WaitpointError.
 */
async function bundleEntries(form) {
  await bundle({
    entryPoints: ["index", "server"].map((entry) => join(pkg, `${entry}.js`)),
    outdir: out,
    entryNames: `[name].${form}`,
    chunkNames: `shared.${form}`,
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    external: ["*.wasm"],
    minify: form === "plain",
    plugins: [
      redirect(/^\.\/wasm\/\w+\.js$/, (path) => ({
        path: join(work, `${basename(path, ".js")}.${form}.js`),
      })),
      redirect(/^\.\.\/shared\.js$/, () => ({ path: join(pkg, "shared.js") })),
    ],
  });
}

/**
 * CommonJS, for Jest and for Node before 20.19: one module with everything, so that no class exists
 * twice.
 */
async function bundleForRequire() {
  const options = { bundle: true, format: "cjs", platform: "node", target: "node20" };
  const entry = (name) => ({
    entryPoints: [join(pkg, `${name}.js`)],
    outfile: join(out, `${name}.cjs`),
  });
  // Jest's jsdom has neither.
  const banner = { js: `const { TextDecoder, TextEncoder } = require("node:util");` };
  await bundle({ ...options, ...entry("server"), banner });
  const names = `{ WaitpointError, ${MODULES[0].exports} }`;
  writeFileSync(
    join(out, "index.cjs"),
    `const ${names} = require("./server.cjs");\nmodule.exports = ${names};\n`,
  );
  const index = () => ({ path: "./index.cjs", external: true });
  await bundle({ ...options, ...entry("element"), plugins: [redirect(/^\.\/index\.js$/, index)] });
  for (const name of ["approval", "index", "server", "element"]) {
    const types = readFileSync(join(pkg, `${name}.d.ts`), "utf8").replaceAll(
      /"\.\/(index|approval)\.js"/g,
      '"./$1.cjs"',
    );
    writeFileSync(join(out, `${name}.d.cts`), types);
  }
}

const redirect = (filter, to) => ({
  name: `${filter}`,
  setup: ({ onResolve }) => onResolve({ filter }, ({ path }) => to(path)),
});

// wasm that becomes plain JavaScript may not use reference types.
const RUSTFLAGS = {
  wasm: [],
  plain: [
    "-Ctarget-feature=-reference-types",
    "-Clink-arg=--no-check-features",
    "-Clink-arg=--features=mutable-globals",
  ],
};

/** Builds an optimized module and its glue. */
function buildWasm(env, { feature, name }, form) {
  const sentence = `the package's ${feature} part did not build; what was said is above`;
  const features = WASM_FEATURES.filter(
    (flag) => form === "wasm" || flag !== "--enable-reference-types",
  );
  run(
    "cargo",
    [
      "build",
      "--profile",
      "small",
      "--target",
      "wasm32-unknown-unknown",
      "--features",
      feature,
      "--locked",
    ],
    {
      env: {
        ...env,
        CARGO_ENCODED_RUSTFLAGS: [...remapPaths(env), ...RUSTFLAGS[form]].join("\x1f"),
      },
      sentence,
    },
  );
  const glue = join(work, `${feature}.${form}`);
  run(
    env.WASM_BINDGEN_BIN,
    [
      ...["--target", "web", "--no-typescript", "--remove-producers-section"],
      ...["--out-dir", glue, "--out-name", name],
      join(root, "target/wasm32-unknown-unknown/small/waitpoint.wasm"),
    ],
    { env, sentence },
  );
  const wasm = join(glue, `${name}.wasm`);
  const strip = ["--strip-debug", "--strip-producers", "--strip-target-features"];
  // wasm2js cannot convert saturating conversions to 64 bits.
  const lower = form === "plain" ? ["--llvm-nontrapping-fptoint-lowering"] : [];
  run(
    env.WASM_OPT_BIN,
    [
      join(glue, `${name}_bg.wasm`),
      "-o",
      wasm,
      ...lower,
      ...(form === "plain" ? [] : ["--flatten", "--rereloop"]),
      "-Oz",
      "--converge",
      ...strip,
      ...features,
    ],
    { env },
  );
  shortenNames(env.WASM_OPT_BIN, features, wasm, join(glue, `${name}.js`));
  return { wasm, features };
}

/** Keeps the paths of the building machine out of what is published. */
function remapPaths(env) {
  const home = env.CARGO_HOME ?? join(env.HOME ?? env.USERPROFILE ?? "", ".cargo");
  return [`--remap-path-prefix=${home}=`, `--remap-path-prefix=${root}=`];
}

/** Bundles wasm-bindgen's glue with `core()`, which starts the wasm when it is first called. */
async function bundleModule({ feature, name, exports }, form, file, instance) {
  await bundle({
    stdin: {
      contents: `
        import { imports, started, ${exports} } from "./${name}.js";
        ${instance}
        const rust = { ${exports} };
        let state;
        export const core = () => (state ??= start());
        function start() {
          try {
            started(instance());
            return { rust };
          } catch (cause) {
            return { cause, later: ${form === "wasm" ? "later(cause)" : "undefined"} };
          }
        }`,
      resolveDir: join(work, `${feature}.${form}`),
    },
    outfile: file,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["*.wasm"],
    plugins: [
      redirect(/snippets\/.*\/shared\.js$/, () => ({ path: "../shared.js", external: true })),
    ],
    // wasm-bindgen's own way to the file is not used.
    define: { "import.meta.url": '""' },
  });
}

/**
 * Decodes the text of `inlined` where it lies, behind the 384 meanings, and returns where the bytes
 * end. In WebAssembly, as JavaScript that runs for the first time takes ten times as long.
 */
const decoder = (pages) => `(module
  (memory (export "memory") ${pages})
  (func (export "decode") (param $end i32) (result i32)
    (local $from i32) (local $to i32) (local $set i32) (local $code i32)
    (local.set $from (i32.const 384))
    (local.set $to (i32.const 384))
    (loop $next
      (local.set $code (i32.load8_u (local.get $from)))
      (if (i32.lt_u (local.get $code) (i32.const 34))
        (then
          (local.set $set
            (i32.shl (i32.sub (local.get $code) (i32.const 31)) (i32.const 7))))
        (else
          (i32.store8 (local.get $to)
            (i32.load8_u (i32.add (local.get $set) (local.get $code))))
          (local.set $to (i32.add (local.get $to) (i32.const 1)))
          (local.set $set (i32.const 0))))
      (local.set $from (i32.add (local.get $from) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $from) (local.get $end))))
    (local.get $to)))`;

/** A module in the text format as its bytes. */
function assembled(text) {
  const [wat, wasm] = ["decoder.wat", "decoder.wasm"].map((name) => join(work, name));
  writeFileSync(wat, text);
  run(join(root, "node_modules/.bin/wasm-as"), [wat, "-o", wasm]);
  return [...readFileSync(wasm)];
}

/**
 * A module as a text that gzip packs as well as the bytes: the 91 most frequent bytes are one
 * character each, the others two, of which the first is ` ` or `!`. Characters that a string would
 * escape are not used. `later` is for Chromium before 116, which compiles more than 4 KB only
 * asynchronously and throws a RangeError.
 */
function inlineWasm(wasm) {
  const counts = new Array(256).fill(0);
  for (const byte of wasm) counts[byte] += 1;
  const byCount = counts.map((count, byte) => [count, byte]).sort(([a], [b]) => b - a);
  const frequent = new Set(byCount.slice(0, 91).map(([, byte]) => byte));
  const bits = Array.from({ length: 64 }, (_, four) =>
    [0, 1, 2, 3].reduce((sum, bit) => sum + (frequent.has(four * 4 + bit) << bit), 0),
  );
  const order = [...frequent].sort((a, b) => a - b);
  const others = counts.map((_, byte) => byte).filter((byte) => !frequent.has(byte));
  const character = (n) => String.fromCharCode(n + 32 + (n > 1) + (n > 58));
  const codes = new Map(order.map((byte, n) => [byte, character(n + 2)]));
  for (const [n, byte] of others.entries())
    codes.set(byte, character(n < 91 ? 0 : 1) + character((n % 91) + 2));
  const text = [...wasm].map((byte) => codes.get(byte)).join("");
  const pages = Math.ceil((384 + text.length) / 65_536);
  return `
  const text = ${JSON.stringify(text)};
  const frequent = "${bits.map((four) => four.toString(16)).join("")}";
  function bytes() {
    const { memory, decode } = compiled(Uint8Array.of(${assembled(decoder(pages))})).exports;
    const bytes = new Uint8Array(memory.buffer);
    // What a character means: alone, after " " and after "!".
    for (let byte = 0, alone = 35, after = 163; byte < 256; byte++) {
      const isFrequent = (parseInt(frequent[byte >> 2], 16) >> (byte & 3)) & 1;
      if (isFrequent) bytes[(alone += alone === 92)] = byte;
      else bytes[(after += (after & 127) === 92)] = byte;
      if (isFrequent) alone++;
      else if (++after === 255) after = 291;
    }
    new TextEncoder().encodeInto(text, bytes.subarray(384));
    return bytes.slice(384, decode(384 + text.length));
  }
  const compiled = (bytes, imports) =>
    new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
  const instance = () => compiled(bytes(), imports());
  // It may not decode either: then the cause is what that says.
  const later = (cause) =>
    cause instanceof RangeError
      ? (async () => WebAssembly.instantiate(bytes(), imports()))().then(
          ({ instance }) => (started(instance), (state = { rust }), rust),
          (cause) => void (state = { cause }),
        )
      : undefined;`;
}

/** The module as plain JavaScript: slower and larger, but allowed everywhere. */
function toJavaScript(env, { wasm, features }) {
  const file = `${wasm}.js`;
  run(join(root, "node_modules/.bin/wasm2js"), [wasm, "-o", file, "-Oz", ...features], { env });
  const text = readFileSync(file, "utf8");
  const end = text.indexOf("var retasmFunc =");
  if (end < 0) throw new Error("package.mjs: wasm2js makes something else than it did");
  const code = text.slice(0, end).replace(/^import \* as .*$/gm, "");
  return `${code}\nconst instance = () => ({ exports: asmFunc(imports()) });`;
}

const licenses = () =>
  ["MIT", "APACHE"]
    .map((name) => readFileSync(join(root, `LICENSE-${name}`), "utf8"))
    .join("\n\n---\n\n");
