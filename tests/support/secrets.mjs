// Searches what was written, logs and every file of a state folder, for secrets.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The spellings in which a secret may be written, by name. */
export function spellings(secret) {
  const bytes = Buffer.from(secret);
  const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  const ways = {
    plain: bytes,
    "16 bits a character": Buffer.from(secret, "utf16le"),
    hexadecimal: Buffer.from(bytes.toString("hex")),
    "hexadecimal, upper case": Buffer.from(bytes.toString("hex").toUpperCase()),
    "URL-encoded": Buffer.from(encodeURIComponent(secret)),
    "each byte URL-encoded": Buffer.from(percent),
  };
  // In a longer text base64 may begin at any of three offsets. Digits that depend on neighbouring
  // bytes are left out.
  for (const before of [0, 1, 2]) {
    const digits = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replaceAll("=", "");
    const own = digits.slice(
      Math.ceil((before * 8) / 6),
      Math.floor(((before + bytes.length) * 8) / 6),
    );
    ways[`base64 at ${before}`] = Buffer.from(own);
    ways[`base64url at ${before}`] = Buffer.from(own.replaceAll("+", "-").replaceAll("/", "_"));
  }
  return ways;
}

/** Which of these secrets (by name) are in which of these places (bytes by name), and how. */
export function traces(places, secrets) {
  const ways = Object.entries(secrets).flatMap(([name, secret]) =>
    Object.entries(spellings(secret)).map(([way, text]) => ({ found: `${name}, ${way}`, text })),
  );
  return Object.entries(places).flatMap(([place, bytes]) =>
    ways.filter(({ text }) => bytes.includes(text)).map(({ found }) => `${found}, in ${place}`),
  );
}

/**
 * Every file in a folder as it is on disk: databases, their journals, logs and anything else,
 * except Node's compile cache.
 */
export function writtenBytes(folder) {
  const places = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile() || file.includes("node-compile-cache")) continue;
    try {
      places[relative(folder, file)] = readFileSync(file);
    } catch (error) {
      // A token's file is deleted when the token is purged.
      if (error.code !== "ENOENT") throw error;
    }
  }
  return places;
}

/**
 * The rows of the databases among them, as the file splits what is longer than a page. Nobody may
 * be writing.
 */
export function writtenRows(folder) {
  const places = {};
  for (const name of Object.keys(writtenBytes(folder)).filter((name) => name.endsWith(".sqlite"))) {
    const database = new DatabaseSync(join(folder, name));
    for (const { name: table } of database
      .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
      .all()) {
      const rows = database.prepare(`SELECT * FROM "${table}"`);
      rows.setReadBigInts(true);
      const cells = rows.all().flatMap(Object.values);
      places[`${name}, ${table}`] = Buffer.concat(
        cells.map((cell) => Buffer.from(cell instanceof Uint8Array ? cell : `${cell}\n`)),
      );
    }
    database.close();
  }
  return places;
}
