// `npm run unicode` generates src/domain/text/tables.rs: the tables of Unicode for `domain/text`.
//
// Properties, case and decompositions are JavaScript's own, in the Unicode version of this Node.
// Lookalikes are confusables.txt of UTS 39, from the crate unicode-security. The crates for all of
// Unicode would be several times as large as these tables, and every byte is uploaded.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { root } from "./lib/process.mjs";

const code = (char) => char.codePointAt(0);
const nfd = (text) => text.normalize("NFD");
const isAscii = (text) => /^[ -~]+$/.test(text);
const within = (spans) => (char) =>
  spans.some(([first, last]) => first <= code(char) && code(char) <= last);

/** Every character beyond ASCII except Hangul syllables, which are decomposed by arithmetic. */
const ALL = [];
for (let at = 0x80; at < 0x110000; at++) {
  if ((at < 0xac00 || at > 0xd7a3) && (at < 0xd800 || at > 0xdfff))
    ALL.push(String.fromCodePoint(at));
}

// Blanks that no property names: object replacement, number joiner, null notehead, Khitan filler.
const BLANK = /[\ufffc\u{1107f}\u{1d159}\u{16fe4}]/u;
// Format characters that have a glyph (Prepended_Concatenation_Mark).
const VISIBLE_FORMAT = /[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u{110bd}\u{110cd}]/u;
const isInvisible = (char) =>
  /[\p{Default_Ignorable_Code_Point}\p{Cf}\p{Noncharacter_Code_Point}]/u.test(char) &&
  !VISIBLE_FORMAT.test(char);

// Marks that strike a letter out or enclose it. `looks_alike` ignores them (`is_slight` in
// src/domain/text/look.rs), so the tables hold no letters with a stroke.
const OVERLAYS = /[\u0334-\u0338\u20d2\u20d3\u20d8-\u20da\u20e5\u20e6\u20ea\u20eb]|\p{Me}/gu;

/** Canonical decompositions by one step: into another character, or that and a mark. */
function decompositions() {
  // CJK compatibility ideographs would take 2 kB; `looks_alike` treats them as any ideograph.
  const chars = ALL.filter((char) => nfd(char) !== char && !/\p{Script=Han}/u.test(char));
  const whole = new Map(chars.map((char) => [nfd(char), char]));
  return new Map(
    chars.map((char) => {
      const parts = [...nfd(char)];
      if (parts.length > 2)
        parts.splice(0, parts.length - 1, whole.get(parts.slice(0, -1).join("")));
      return [char, parts];
    }),
  );
}

function lowerCases() {
  const pairs = ALL.map((char) => [char, char.toLowerCase()]);
  return new Map(pairs.filter(([char, lower]) => lower !== char && [...lower].length === 1));
}

/** The confusables of UTS 39: each character with what it looks like. */
function confusables() {
  const metadata = JSON.parse(
    execFileSync("cargo", ["metadata", "--locked", "--format-version=1"], {
      cwd: root,
      maxBuffer: 1 << 26,
    }),
  );
  const { manifest_path, version } = metadata.packages.find(
    ({ name }) => name === "unicode-security",
  );
  const source = readFileSync(join(dirname(manifest_path), "src", "tables.rs"), "utf8");
  const unicode = /UNICODE_VERSION: .* = \((\d+), (\d+)/.exec(source).slice(1).join(".");
  const [, table] =
    /const CONFUSABLES: &'static \[\(char, &'static \[char\]\)\] = &\[([^;]*)\];/.exec(source);
  const chars = (text) =>
    [...text.matchAll(/\\u\{([0-9a-f]+)\}/g)].map(([, hex]) =>
      String.fromCodePoint(parseInt(hex, 16)),
    );
  const rows = [...table.matchAll(/\(('[^']*'),\s*&\[([^\]]*)\]\)/g)];
  if (rows.length < 6_000) throw new Error("unicode-security's table has another form");
  return {
    version,
    unicode,
    alike: new Map(rows.map(([, from, to]) => [chars(from)[0], chars(to).join("")])),
  };
}

// Lookalikes beyond ASCII that are worth their bytes: the alphabets that a font has beside Latin,
// Arabic, kana.
const ALPHABETS = within([
  [0x80, 0x7ff],
  [0x10a0, 0x10ff],
  [0x1c80, 0x1c8f],
  [0x1d00, 0x1d2b],
  [0x1e00, 0x1fff],
  [0x2c00, 0x2dff],
  [0x3000, 0x30ff],
  [0xa640, 0xa69f],
  [0xa720, 0xa7ff],
  [0xab30, 0xabbf],
  [0xfb50, 0xfdff],
  [0xfe70, 0xfeff],
  [0xff00, 0xffef],
]);
// Framed ASCII (circles, squares) is not worth its bytes.
const FRAMED = within([
  [0x2469, 0x24b5],
  [0x3200, 0x33ff],
  [0x1f100, 0x1f12f],
  [0x1f700, 0x1f77f],
  [0x1df00, 0x1dfff],
]);
// `m²` and `m2` do not look the same.
const RAISED = /[²³¹⁰-₎]/u;
// Hangul's letters do not look like the parts of syllables that they decompose to.
const HANGUL = /\p{Script=Hangul}/u;
const LAM_ALEF = within([[0xfef5, 0xfefc]]);

/** What characters look like, where their decomposition does not say it already. */
function lookalikes(alike) {
  const look = (char) => {
    const parts = RAISED.test(char) ? char : char.normalize("NFKD");
    // `m` and not `rn`: the module does that for all of ASCII.
    const viaAscii = [...parts].map((part) => alike.get(part) ?? part).join("");
    if (isAscii(parts) && (alike.get(char) ?? viaAscii) === viaAscii) return parts;
    return (
      alike.get(char) ??
      [...parts].map((part) => (code(part) < 0x80 ? part : (alike.get(part) ?? part))).join("")
    );
  };
  const found = new Map();
  for (const char of ALL) {
    if (nfd(char) !== char || isInvisible(char)) continue;
    const to = nfd(look(char)).replace(OVERLAYS, "");
    const single = [...to].length === 1;
    const isWanted = isAscii(to)
      ? single || !FRAMED(char)
      : (single && ALPHABETS(char) && !HANGUL.test(char)) || LAM_ALEF(char);
    if (to !== char && to !== "" && isWanted) found.set(char, to);
  }
  return found;
}

/** A number as bytes of seven bits, low ones first. All but the last have the eighth bit set. */
function number(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return [...bytes, value];
}
/** Likewise, of a number that may be negative. */
const signed = (value) => number(value < 0 ? -2 * value - 1 : 2 * value);

/** The characters of a property as alternating counts: so many without it, so many with it. */
function spans(has) {
  const bytes = [];
  let at = 0;
  let inside = false;
  for (let next = 0; next <= 0x110000; next++) {
    const isSurrogate = next >= 0xd800 && next <= 0xdfff;
    const now = next < 0x110000 && !isSurrogate && has(String.fromCodePoint(next));
    if (now === inside) continue;
    bytes.push(...number(next - at));
    [at, inside] = [next, now];
  }
  return bytes;
}

/**
 * A mapping as four columns:
 * - gaps: how far each run starts behind the end of the last one;
 * - kinds: 0 is one character; 4n+1 are n in a row, 4n+2 every second of n, 4n+3 n with the same
 *   target, 4n one character with a target of n;
 * - ascii: each character of the first target if it is ASCII, else 0;
 * - others: for each such 0 the distance from the source.
 */
function mapping(map) {
  const [gaps, kinds, ascii, others] = [[], [], [], []];
  const keys = [...map.keys()].sort((a, b) => code(a) - code(b));
  let at = 0;
  for (let index = 0; index < keys.length; ) {
    const first = code(keys[index]);
    const target = [...map.get(keys[index])].map(code);
    let run = { kind: target.length === 1 ? 0 : 4 * target.length, count: 1, last: first };
    for (const [kind, step, rises] of target.length === 1
      ? [
          [1, 1, 1],
          [2, 2, 2],
          [3, 1, 0],
        ]
      : []) {
      let count = 1;
      const follows = () => {
        const key = keys[index + count];
        const from = first + count * step;
        return (
          key &&
          code(key) === from &&
          map.get(key) === String.fromCodePoint(target[0] + count * rises)
        );
      };
      while (follows()) count++;
      if (count > run.count)
        run = { kind: 4 * count + kind, count, last: first + (count - 1) * step };
    }
    gaps.push(...number(first - at));
    kinds.push(...number(run.kind));
    for (const char of target) {
      ascii.push(char < 0x80 ? char : 0);
      if (char >= 0x80) others.push(...signed(char - first));
    }
    at = run.last;
    index += run.count;
  }
  return { gaps, kinds, ascii, others };
}

/**
 * Decompositions as columns: how far each character is from the last, its base from the last base,
 * and the position of its mark in the list of marks (0 is none). Small letters whose capitals
 * decompose likewise are left out.
 */
function composed(map, lower) {
  const lowered = (char) => (code(char) < 0x80 ? char.toLowerCase() : (lower.get(char) ?? char));
  const implied = new Map();
  for (const [char, [base, mark]] of map)
    if (mark && lower.has(char)) implied.set(lower.get(char), [lowered(base), mark]);
  const marks = [...new Set([...map.values()].flatMap(([, mark]) => mark ?? []))];
  const columns = {
    gaps: [],
    bases: [],
    marks: [],
    list: marks.flatMap((mark) => number(code(mark))),
  };
  let [at, last] = [0, 0];
  for (const [char, [base, mark]] of map) {
    const by = implied.get(char)?.join("");
    if (by === [base, mark].join("")) continue;
    columns.gaps.push(...number(code(char) - at));
    columns.bases.push(...signed(code(base) - last));
    columns.marks.push(marks.indexOf(mark) + 1);
    [at, last] = [code(char), code(base)];
  }
  const wrong = [...implied].filter(
    ([char, [base, mark]]) => map.get(char)?.join("") !== base + mark,
  );
  if (wrong.length) throw new Error(`small letters that decompose otherwise: ${wrong}`);
  return columns;
}

function literal(bytes) {
  const lines = ["", ""];
  for (const byte of bytes) {
    const char = String.fromCharCode(byte);
    const text = /[!#-[\]-~]/.test(char) ? char : `\\x${byte.toString(16).padStart(2, "0")}`;
    if (lines.at(-1).length + text.length > 100) lines.push("");
    lines[lines.length - 1] += text;
  }
  return `b"${lines.join("\\\n    ")}"`;
}

const { version, unicode, alike } = confusables();
const lower = lowerCases();
const columns = (of, names) => names.map((name) => `    ${name}: ${literal(of[name])},\n`).join("");
const constant = (doc, name, type, value) =>
  `/// ${doc}\npub(super) static ${name}: ${type} = ${value};\n`;
const table = (doc, name, of) =>
  constant(
    doc,
    name,
    "Mapping",
    `Mapping {\n${columns(mapping(of), ["gaps", "kinds", "ascii", "others"])}}`,
  );
const parts = composed(decompositions(), lower);
const file = [
  "// Made by `node scripts/unicode.mjs`, which says what the columns are.",
  `// Unicode ${process.versions.unicode} as Node ${process.version} has it; ` +
    `confusables.txt ${unicode} as the crate unicode-security ${version} has it.`,
  "// Copyright © 1991-2026 Unicode, Inc. See LICENSE-UNICODE.",
  "use super::columns::{Composed, Mapping};\n",
  constant("Combining marks (M).", "MARKS", "&[u8]", literal(spans((char) => /\p{M}/u.test(char)))),
  constant(
    "What shows nothing: Default_Ignorable_Code_Point, Cf without a glyph, noncharacters, " +
      "some blanks.",
    "INVISIBLE",
    "&[u8]",
    literal(spans((char) => isInvisible(char) || BLANK.test(char))),
  ),
  constant(
    "Extended_Pictographic.",
    "PICTOGRAPHS",
    "&[u8]",
    literal(spans((char) => /\p{ExtPict}/u.test(char))),
  ),
  constant(
    "Canonical decompositions by one step, without Hangul syllables and ideographs.",
    "COMPOSED",
    "Composed",
    `Composed {\n${columns(parts, ["gaps", "bases", "marks", "list"])}}`,
  ),
  table("Capital letters beyond ASCII to small ones.", "LOWER", lower),
  table("Characters beyond ASCII to what they look like.", "LOOKS", lookalikes(alike)),
].join("\n");
writeFileSync(join(root, "src/domain/text/tables.rs"), file);
const packed = gzipSync(Buffer.from(bytesOf(file), "latin1"), { level: 9 });
console.log(`src/domain/text/tables.rs: ${packed.length} bytes of gzip`);

/** The bytes of all literals. */
function bytesOf(rust) {
  const texts = [...rust.matchAll(/b"([^"]*)"/g)].map(([, text]) => text.replace(/\\\n\s*/g, ""));
  return texts.join("").replace(/\\x(..)/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}
