// Bodies that want the Worker to hold or do a multiple of their size. Each has 3 MB, the limit.
import { gzipSync } from "node:zlib";

const MOST = 3 * 1024 * 1024;

/**
 * A form of 786,430 names without values. As many of them differ as there are names of three
 * characters.
 */
export const manyNames = (() => {
  const characters = Array.from({ length: 94 }, (_, n) => String.fromCharCode(33 + n)).filter(
    (one) => !"%&+=".includes(one),
  );
  const names = characters.flatMap((a) =>
    characters.flatMap((b) => characters.map((c) => `${a}${b}${c}`)),
  );
  return Array.from({ length: 786_430 }, (_, n) => names[n % names.length]).join("&");
})();

/** Text that JSON writes as `\u0001`, six bytes for each of its own. */
export const controls = Buffer.alloc(MOST, 1);

/** A form that is not UTF-8. Replacing its bytes would take three for each. */
export const invalidForm = Buffer.concat([Buffer.from("comment="), Buffer.alloc(MOST - 8, 0xff)]);

/** An output that the page shows as an approval with a comment. HTML writes `<` as `&#60;`. */
export const markup = `{"status":"approved","comment":"${"<".repeat(3_000_000)}"}`;

export const nested = `{"data":${"[".repeat(1_500_000)}${"]".repeat(1_500_000)}}`;

export const escapes = `{"data":"${String.raw`\"`.repeat(1_500_000)}"}`;

/**
 * Small objects, which take many times their text as parsed values. `last` makes two of them
 * differ.
 */
export const objects = (last) => `[${'{"":0},'.repeat(340_000)}${last}]`;

/**
 * So many MB of zeros as gzip, which takes a thousandth of that: members of 16 MB, one after
 * another.
 */
export const bombOf = (megabytes) => {
  const member = gzipSync(Buffer.alloc(16 * 1024 * 1024), { level: 9 });
  return Buffer.concat(Array.from({ length: Math.ceil(megabytes / 16) }, () => member));
};

/** A multipart form with the boundary `b` of 3 MB in so many parts, of which one is a file. */
export const partsOf = (count) => {
  const parts = Array.from({ length: count }, (_, n) => {
    const file = n === 0 ? '; filename="f.bin"\r\nContent-Type: application/octet-stream' : "";
    return `--b\r\nContent-Disposition: form-data; name="field${n}"${file}\r\n\r\n`;
  });
  const end = "--b--\r\n";
  const framing = parts.join("").length + 2 * count + end.length;
  const value = "x".repeat(Math.floor((MOST - framing) / count));
  return Buffer.from(`${parts.map((head) => `${head}${value}\r\n`).join("")}${end}`);
};
