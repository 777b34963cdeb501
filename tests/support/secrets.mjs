// Whether a secret stands in what was written: logs, and every file of a state folder.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The ways in which a secret may stand somewhere, by name. */
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
  // In a longer text it begins at any of three places of four digits; digits that neighbours share
  // are left out.
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

/** Which of these secrets (by name) stand in which of these places (bytes by name), and how. */
export function traces(places, secrets) {
  const ways = Object.entries(secrets).flatMap(([name, secret]) =>
    Object.entries(spellings(secret)).map(([way, text]) => ({ found: `${name}, ${way}`, text })),
  );
  return Object.entries(places).flatMap(([place, bytes]) =>
    ways.filter(({ text }) => bytes.includes(text)).map(({ found }) => `${found}, in ${place}`),
  );
}

/**
 * Every file below a folder as it lies there: databases, their journals, logs, whatever else was
 * written. What Node keeps of the programs that it compiled is left out.
 */
export function writtenBytes(folder) {
  const places = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name);
    if (!entry.isFile() || file.includes("node-compile-cache")) continue;
    try {
      places[relative(folder, file)] = readFileSync(file);
    } catch (error) {
      // A token that is forgotten takes its file with it.
      if (error.code !== "ENOENT") throw error;
    }
  }
  return places;
}

/**
 * The databases among them as rows, since the file breaks what is longer than its pages. Nobody may
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
