// Standalone workerd: its binary, and the configuration that makes it run the Worker.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fail, root } from "./process.mjs";

/**
 * Under which key workerd keeps the objects of a class. A key never changes: it is the folder of
 * the objects, and their ids are made of it. It is the one that wrangler gives the class, so that
 * what `npm start` has stored can be read as well.
 */
const STORAGE_KEYS = {
  TokenObject: "waitpoint-TokenObject",
  KeyObject: "waitpoint-KeyObject",
  IndexObject: "waitpoint-IndexObject",
};

/** The workerd binary, without the Node program around it. */
export function workerdBinary() {
  const require = createRequire(import.meta.url);
  const platform = { win32: "windows" }[process.platform] ?? process.platform;
  const arch = { x64: "64" }[process.arch] ?? process.arch;
  const name = `@cloudflare/workerd-${platform}-${arch}`;
  return join(dirname(require.resolve(`${name}/package.json`)), "bin", "workerd");
}

/** What wrangler.toml says of the Worker. */
export async function readWrangler() {
  // Imported only here: a build that may come first installs it.
  const { parse } = await import("smol-toml");
  try {
    return parse(readFileSync(join(root, "wrangler.toml"), "utf8"));
  } catch (error) {
    fail(`wrangler.toml cannot be read: ${error.message}`);
  }
}

/**
 * The configuration of `workerd serve`, as Cap'n Proto text.
 * - `wrangler`: what wrangler.toml says. `bundle`: the folder of the built modules.
 * - `objects`: the folder of the objects. `address`: where it listens.
 * - `settings`: the names of the settings that workerd takes from its environment.
 * - `privateNetwork`: whether webhooks and upstreams may be at private addresses.
 */
export function workerdConfig({ wrangler, bundle, objects, address, settings, privateNetwork }) {
  const bindings = wrangler.durable_objects.bindings;
  const classes = wrangler.migrations.flatMap(({ new_sqlite_classes: names = [] }) => names);
  const storageKey = (name) =>
    STORAGE_KEYS[name] ?? fail(`the class ${name} has no key in scripts/lib/workerd.mjs`);
  const module = (type, name) => `(name = "${name}", ${type} = embed ${text(join(bundle, name))})`;
  const allowed = privateNetwork ? ["public", "private"] : ["public"];
  const vars = Object.entries(wrangler.vars ?? {}).filter(([name]) => !settings.includes(name));
  return `# Written by scripts/serve.mjs at each start.
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (
      allow = ${list(allowed.map(text))},
      tlsOptions = (trustBrowserCas = true),
    )),
    (name = "disk", disk = (path = ${text(objects)}, writable = true)),
  ],
  sockets = [(name = "http", address = ${text(address)}, http = (), service = "main")],
);
const worker :Workerd.Worker = (
  compatibilityDate = ${text(wrangler.compatibility_date)},
  compatibilityFlags = ${list((wrangler.compatibility_flags ?? []).map(text))},
  modules = ${list([module("esModule", "index.js"), module("wasm", "waitpoint.wasm")])},
  durableObjectNamespaces = ${list(
    classes.map(
      (name) => `(className = "${name}", uniqueKey = "${storageKey(name)}", enableSql = true)`,
    ),
  )},
  durableObjectStorage = (localDisk = "disk"),
  bindings = ${list([
    ...bindings.map(
      ({ name, class_name }) => `(name = "${name}", durableObjectNamespace = "${class_name}")`,
    ),
    ...settings.map((name) => `(name = "${name}", fromEnvironment = "${name}")`),
    ...vars.map(([name, value]) => `(name = "${name}", text = ${text(value)})`),
  ])},
);
`;
}

/** A Cap'n Proto text. The escapes of JSON that it lacks are those of characters nobody needs. */
const text = (value) => JSON.stringify(String(value));
const list = (items) => `[\n${items.map((item) => `    ${item},\n`).join("")}  ]`;
