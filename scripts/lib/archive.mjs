// Programs that are downloaded as an archive and run only if its SHA-256 is known here.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The SHA-256 of wasm-bindgen's archives, by version and target: the text of the .sha256sum beside
 * each at https://github.com/wasm-bindgen/wasm-bindgen/releases. A version without an entry is
 * built from crates.io.
 */
export const CHECKSUMS = {
  "0.2.130": {},
};

const MAX_BYTES = 100_000_000;

/**
 * Unpacks programs of a .tar.gz into a folder if its SHA-256 is as expected. Returns the
 * reason if that failed, otherwise undefined. `inside` is the folder in the archive, `scratch` a
 * folder for temporary files.
 */
export async function unpackVerified(url, { sha256, inside, programs, scratch, into }) {
  if (!/^[0-9a-f]{64}$/.test(sha256 ?? "")) return "archive.mjs has no checksum of it";
  const archive = join(scratch, `${inside}.tar.gz`);
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(60_000) });
    if (!response.ok) return `the download answered ${response.status}`;
    const parts = [];
    let size = 0;
    for await (const part of response.body) {
      size += part.length;
      if (size > MAX_BYTES) return `it is larger than ${MAX_BYTES} bytes`;
      parts.push(part);
    }
    const bytes = Buffer.concat(parts);
    const found = createHash("sha256").update(bytes).digest("hex");
    if (found !== sha256) return `its SHA-256 is ${found} instead of ${sha256}`;
    mkdirSync(into, { recursive: true });
    mkdirSync(scratch, { recursive: true });
    writeFileSync(archive, bytes);
    if (spawnSync("tar", ["xzf", archive, "-C", scratch]).status !== 0)
      return "tar could not unpack it";
    for (const program of programs) renameSync(join(scratch, inside, program), join(into, program));
    return undefined;
  } catch (error) {
    return `it could not be downloaded (${error.cause?.code ?? error.message})`;
  } finally {
    rmSync(archive, { force: true });
    rmSync(join(scratch, inside), { recursive: true, force: true });
  }
}
