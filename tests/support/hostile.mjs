// Bodies that somebody would send to make the Worker hold or do many times as much: each of 3 MB,
// the most that is taken.
const MOST = 3 * 1024 * 1024;

/**
 * A form of 786,430 names and no value; no two names are equal as far as there are names of three
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

/** Text that JSON writes as `\u0001`, six bytes for each. */
export const controls = Buffer.alloc(MOST, 1);

/** A form of what is not UTF-8: three bytes for each, where it is replaced. */
export const invalidForm = Buffer.concat([Buffer.from("comment="), Buffer.alloc(MOST - 8, 0xff)]);

/** An output that the page reads as an approval with a comment, which HTML writes as `&#60;`. */
export const markup = `{"status":"approved","comment":"${"<".repeat(3_000_000)}"}`;

export const nested = `{"data":${"[".repeat(1_500_000)}${"]".repeat(1_500_000)}}`;

export const escapes = `{"data":"${String.raw`\"`.repeat(1_500_000)}"}`;

/**
 * Small objects: as values each takes many times its text. Two of these differ in their last
 * number.
 */
export const objects = (last) => `[${'{"":0},'.repeat(340_000)}${last}]`;
