// Shortens the names that a wasm module and wasm-bindgen's glue share: with web-sys they are a
// tenth of what a page downloads. Also makes the glue export the function that starts an instance.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

/**
 * Rewrites a wasm module and its glue in place. Throws if a pattern below does not match: then
 * wasm-bindgen's output has changed, and the patterns must too.
 */
export function shortenNames(wasmOpt, features, wasm, glue) {
  const args = [wasm, "-o", wasm, "--minify-imports-and-exports-and-modules", ...features];
  const { imports, exports } = JSON.parse(execFileSync(wasmOpt, args, { encoding: "utf8" }));
  const isGlues = ([module]) => module.endsWith("_bg.js");
  const shorter = new Map(imports.filter(isGlues).map(([, name, short]) => [name, short]));
  const shared = imports.filter((entry) => !isGlues(entry));
  const exported = new Map(exports);
  let text = readFileSync(glue, "utf8");
  const replace = (pattern, by) => {
    if (text.search(pattern) < 0)
      throw new Error(`shorten-names.mjs: ${pattern} does not match ${glue}`);
    text = text.replace(pattern, by);
  };
  replace(/^( {8})(\w+)(?=: function)/gm, (_, space, name) => space + (shorter.get(name) ?? name));
  // Arrow functions, which a minifier can shorten. None may use `this` or `arguments`.
  replace(
    /: function\(\) \{ return handleError\(function \(([\w, ]*)\) \{$/gm,
    ": handleError(($1) => {",
  );
  replace(/^ {8}\}, arguments\); \},$/gm, "        }),");
  replace(/^( {8}\w+): function\(([\w, ]*)\) \{$/gm, "$1: ($2) => {");
  replace(
    /function handleError\(f, args\) \{\s+try \{\s+return f\.apply\(this, args\);/,
    "const handleError = (f) => (...args) => { try { return f(...args);",
  );
  const left = text.replace(/^ *(\/?\*|\/\/).*$/gm, "").match(/.*\b(this|arguments)\b.*/);
  if (left) throw new Error(`shorten-names.mjs: ${glue} still has "${left[0]}"`);
  // Every call passes it. Otherwise the call would fail.
  replace(/^ {4}if \(realloc === undefined\) \{\n( {8}.*\n)+ {4}\}\n/m, "");
  // What has reference types has this as well.
  if (features.includes("--enable-reference-types"))
    replace(/^if \(!\('encodeInto' in cachedTextEncoder\)\) \{\n( {4}.*\n)+\}\n/m, "");
  replace(/\bwasm\.(\w+)/g, (_, name) => `wasm.${exported.get(name) ?? name}`);
  // Imports that need no wrapping come from the shared module directly, once for each name.
  const direct = shared.map(([, name, short]) => `${short}: import1.${name}`).join(", ");
  replace(
    /return \{\s+__proto__: null,\s+("[^"]+": import\d+,\s+)+\};/,
    `return { a: { ...import0, ${direct} } };`,
  );
  text = text.replace(/^import \* as import(?!1\b)\d+ from .*\n/gm, "");
  // This frees closures that JavaScript alone holds. Here Rust holds each of them.
  replace(/^const CLOSURE_DTORS = \(typeof FinalizationRegistry[\s\S]*?\);$/m, "");
  replace(/^ +CLOSURE_DTORS\..*\n/gm, "");
  replace(
    /^export \{ initSync, .*$/m,
    "export { __wbg_get_imports as imports, __wbg_finalize_init as started };",
  );
  writeFileSync(glue, text);
}
