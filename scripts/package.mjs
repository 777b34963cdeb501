// The npm package's generated part, pkg/wasm/: each entry's wasm module twice, inlined in JavaScript for
// everywhere and as a file for Workers, which may not compile bytes.
import { build as bundle } from "esbuild";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { WASM_FEATURES, root, run, say } from "./setup.mjs";

const pkg = join(root, "pkg");
const out = join(pkg, "wasm");
const work = join(root, "target", "package");

/** What else pkg/wasm/ is made of. */
export const SOURCES = ["scripts/package.mjs", "pkg/call.js", "pkg/wait.js", "pkg/index.js", "pkg/server.js"];

/** Fills pkg/wasm/ anew; `env` is what setup() returned. */
export async function buildPackage(env) {
  say("building the npm package");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  await buildModule(env, "browser", "core", "start, retryable, decode");
  await buildModule(env, "server", "server", "create, list");
  await bundleForWorkers();
  writeFileSync(join(pkg, "LICENSE"), licenses());
}

/** The entries once more, with the wasm as a file; what they share they share, WaitpointError above all. */
async function bundleForWorkers() {
  await bundle({
    entryPoints: ["index", "server"].map((entry) => join(pkg, `${entry}.js`)),
    outdir: out,
    entryNames: "[name].workerd",
    chunkNames: "shared.workerd",
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    external: ["*.wasm"],
    plugins: [
      {
        name: "wasm as a file",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\.\/wasm\/\w+\.js$/ }, ({ path }) => ({
            path: join(work, `${basename(path, ".js")}.workerd.js`),
          })),
      },
    ],
  });
}

async function buildModule(env, feature, name, exports) {
  const target = ["--target", "wasm32-unknown-unknown"];
  const sentence = `the package's ${feature} part did not build; what was said is above`;
  run("cargo", ["build", "--profile", "small", ...target, "--features", feature, "--locked"], { env, sentence });
  const glue = join(work, feature);
  run(
    env.WASM_BINDGEN_BIN,
    [
      ...["--target", "web", "--no-typescript", "--remove-producers-section"],
      ...["--out-dir", glue, "--out-name", name],
      join(root, "target/wasm32-unknown-unknown/small/waitpoint.wasm"),
    ],
    { env, sentence },
  );
  const wasm = join(out, `${name}.wasm`);
  const strip = ["--strip-debug", "--strip-producers", "--strip-target-features"];
  run(env.WASM_OPT_BIN, [join(glue, `${name}_bg.wasm`), "-o", wasm, "-Oz", "--converge", ...strip, ...WASM_FEATURES], { env });
  await load(glue, name, exports, join(out, `${name}.js`), inlined(readFileSync(wasm)));
  await load(glue, name, exports, join(work, `${name}.workerd.js`), `import module from "./${name}.wasm"; const compiled = () => module;`);
}

/** One small module: wasm-bindgen's glue, and `core()`, which starts the wasm when first called. */
async function load(glue, name, exports, file, compiled) {
  await bundle({
    stdin: {
      contents: `
        import { initSync, ${exports} } from "./${name}.js";
        ${compiled}
        let exports;
        export function core() {
          if (!exports) {
            initSync({ module: compiled() });
            exports = { ${exports} };
          }
          return exports;
        }`,
      resolveDir: glue,
    },
    outfile: file,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["*.wasm"],
    // wasm-bindgen's own way to the file, which is not used.
    define: { "import.meta.url": '""' },
  });
}

// Hexadecimal: as gzip packs it, smaller than base64.
const inlined = (wasm) => `
  const hex = "${wasm.toString("hex")}";
  function compiled() {
    const bytes = Uint8Array.fromHex?.(hex) ?? Uint8Array.from(hex.match(/../g), (byte) => parseInt(byte, 16));
    return new WebAssembly.Module(bytes);
  }`;

const licenses = () => ["MIT", "APACHE"].map((name) => readFileSync(join(root, `LICENSE-${name}`), "utf8")).join("\n\n---\n\n");
