// What a month of tokens costs, from what one token takes.

/**
 * Cloudflare's prices of the paid plan on this day: what is included, and dollars for each further
 * `per`.
 */
export const PRICES_OF = "2026-11-17";
const BASE = 5;
const MONTHS = [1e6, 100e6];

/** What is billed: how much of it one token takes is `of(token)`. */
const PRICES = [
  {
    what: "Worker requests",
    of: (token) => token["Worker requests"],
    included: 10e6,
    per: 1e6,
    price: 0.3,
  },
  {
    what: "Worker CPU",
    of: (token) => token["Worker CPU, ms"],
    included: 30e6,
    per: 1e6,
    price: 0.02,
    unit: "ms",
  },
  {
    what: "requests to objects",
    of: (token) => token["requests to objects"] + token["alarms that ring, billed as requests"],
    included: 1e6,
    per: 1e6,
    price: 0.15,
  },
  {
    what: "objects active",
    of: (token) => (token["objects active, ms"] * 0.128) / 1000,
    included: 400e3,
    per: 1e6,
    price: 12.5,
    unit: "GB-s",
  },
  {
    what: "rows written",
    of: (token) => token["rows written"],
    included: 50e6,
    per: 1e6,
    price: 1,
  },
  {
    what: "rows read",
    of: (token) => token["rows read"],
    included: 25e9,
    per: 1e6,
    price: 0.001,
  },
  {
    what: "stored for a month",
    of: (token) =>
      (token["stored, bytes: its object"] + token["stored, bytes: its row in the index"]) / 1e9,
    included: 5,
    per: 1,
    price: 0.2,
    unit: "GB",
  },
];

export const n = (value, digits = 2) =>
  value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });

const large = (value) =>
  value >= 1e6 ? `${n(value / 1e6)} M` : value >= 1e3 ? `${n(value / 1e3)} k` : n(value);

/** A table, of which the first column is text. */
export const table = (head, rows, left = 1) => {
  const line = head.map((_, at) => (at < left ? "---" : "--:"));
  return [head, line, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
};

const perUnit = ({ per, unit = "" }) => {
  if (per === 1) return `a ${unit}`;
  return unit ? `a million ${unit}` : "a million";
};

export const priceTable = () =>
  table(
    ["", "included", "price"],
    PRICES.map((line) => [
      line.what,
      `${large(line.included)} ${line.unit ?? ""}`.trim(),
      `$${line.price} ${perUnit(line)}`,
    ]),
  );

/** The months of tokens that each take this. */
export function monthTable(token) {
  const bills = MONTHS.map((tokens) =>
    PRICES.map(({ of, included, per, price, unit = "" }) => {
      const used = tokens * of(token);
      const dollars = (Math.max(0, used - included) / per) * price;
      return { used: `${large(used)} ${unit}`.trim(), dollars };
    }),
  );
  const inAll = (lines) => BASE + lines.reduce((sum, { dollars }) => sum + dollars, 0);
  return table(
    ["a month", ...MONTHS.flatMap((tokens) => [`${tokens / 1e6} M tokens`, "$"])],
    [
      ...PRICES.map(({ what }, at) => [
        what,
        ...bills.flatMap((lines) => [lines[at].used, n(lines[at].dollars)]),
      ]),
      ["base fee", ...bills.flatMap(() => ["", n(BASE)])],
      ["**in all**", ...bills.flatMap((lines) => ["", `**${n(inAll(lines))}**`])],
    ],
  );
}
