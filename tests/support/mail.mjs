// wrangler.toml with the mail binding, and the mail that its simulation wrote.
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "../../scripts/lib/process.mjs";
import { writtenBytes } from "./secrets.mjs";

/** The path of a wrangler.toml whose Worker can send mail. */
export function configWithMail(folder) {
  const toml = readFileSync(join(root, "wrangler.toml"), "utf8")
    .replace(/^\[build\]\n(.+\n)+/m, "")
    .replace('main = "build', `main = "${root.replace(/[\\/]$/, "")}/build`);
  const path = join(folder, "wrangler.toml");
  writeFileSync(path, `${toml}\n[[send_email]]\nname = "EMAIL"\n`);
  return path;
}

/**
 * Each mail that was written, as `{ text, html }`. The simulation writes them where the harness
 * lets it write.
 */
export function writtenMail() {
  const mails = new Map();
  for (const [name, bytes] of Object.entries(writtenBytes(tmpdir()))) {
    const [, kind, id] = /email-(text|html)[\\/]([^\\/]+)\.\w+$/.exec(name) ?? [];
    if (kind) mails.set(id, { ...mails.get(id), [kind]: bytes.toString() });
  }
  return [...mails.values()].filter(({ text, html }) => text && html);
}

/**
 * A module around the Worker (workerd.mjs) whose mail service is the text of an object with `send`.
 */
export const withMailService = (service) => `
  import * as built from "./index.js";
  const EMAIL = ${service};
  export const { KeyObject, IndexObject } = built;
  export class TokenObject extends built.TokenObject {
    constructor(state, env) {
      super(state, { ...env, EMAIL });
    }
  }
  export default {
    fetch: (request, env, context) => built.default.fetch(request, { ...env, EMAIL }, context),
  };`;
