// Cuts the specification's schemas to the types of types.mjs and what these refer to, without their
// descriptions. Run it with the folders of both repositories:
//   node tests/mcp/schemas/cut.mjs ../modelcontextprotocol ../ext-tasks
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { LEGACY, MODERN, TYPES } from "./types.mjs";

const [specification, tasks] = process.argv.slice(2);
const SOURCES = {
  [MODERN]: [specification, "modelcontextprotocol", `schema/${MODERN}/schema.json`, "LICENSE"],
  [LEGACY]: [specification, "modelcontextprotocol", `schema/${LEGACY}/schema.json`, "LICENSE"],
  "ext-tasks": [tasks, "ext-tasks", "schema/draft/schema.json", "LICENSE-ext-tasks"],
};
const WIDTH = 100;

for (const [name, [folder, repository, path, license]] of Object.entries(SOURCES)) {
  const git = (...args) => execFileSync("git", ["-C", folder, ...args], { encoding: "utf8" });
  const schema = JSON.parse(git("show", `HEAD:${path}`));
  const needed = new Set();
  const need = (type) => {
    if (needed.has(type)) return;
    needed.add(type);
    for (const [, other] of JSON.stringify(schema.$defs[type]).matchAll(/"#\/\$defs\/([^"]+)"/g))
      need(other);
  };
  TYPES[name].forEach(need);
  const types = Object.entries(schema.$defs).filter(([type]) => needed.has(type));
  const commit = git("rev-parse", "HEAD").trim();
  const source = `github.com/modelcontextprotocol/${repository}/blob/${commit}`;
  const cut = {
    $comment: `Cut by cut.mjs from https://${source}/${path}. Its licence is in ${license}.`,
    $schema: schema.$schema,
    $defs: Object.fromEntries(types.map(([type, one]) => [type, undescribed(one)])),
  };
  writeFileSync(new URL(`${name}.json`, import.meta.url), `${print(cut)}\n`);
}

/** A schema without descriptions. The properties of an object may be called `description`. */
function undescribed(schema) {
  if (Array.isArray(schema)) return schema.map(undescribed);
  if (typeof schema !== "object" || schema === null) return schema;
  const fields = Object.entries(schema).filter(([name]) => name !== "description");
  return Object.fromEntries(
    fields.map(([name, value]) => [
      name,
      name === "properties"
        ? Object.fromEntries(Object.entries(value).map(([of, one]) => [of, undescribed(one)]))
        : undescribed(value),
    ]),
  );
}

/** JSON in which a value that fits into a line stands in one. `taken` are the columns before it. */
function print(value, indent = "", taken = 0) {
  const isList = Array.isArray(value);
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const label = (name) => (isList ? "" : `${JSON.stringify(name)}: `);
  const parts = (at) =>
    Object.entries(value).map(([name, one]) => {
      const text = label(name);
      return text + print(one, at, text.length + 1);
    });
  const [open, close] = isList ? "[]" : ["{ ", " }"];
  const line = open + parts("").join(", ") + close;
  if (!line.includes("\n") && indent.length + taken + line.length <= WIDTH)
    return Object.keys(value).length === 0 ? line.replaceAll(" ", "") : line;
  return `${open.trim()}\n${inner}${parts(inner).join(`,\n${inner}`)}\n${indent}${close.trim()}`;
}
