// How far a page of a list searches: many tokens in the index, and few that fit the filter.
import assert from "node:assert/strict";
import { test } from "node:test";
import { COUNTING } from "../support/counting.mjs";
import { TOKENS } from "../support/harness.mjs";
import { KEY, serve, waitpoint } from "../support/workerd.mjs";

const FEBRUARY = Date.UTC(2020, 1);
/** The token with this number, the newest first: 20,000 of February, the others of January. */
const row = (number) => ({
  created: FEBRUARY + 19_999 - number,
  id: `c${String(number).padStart(24, "0")}`,
  timeout: null,
  completed: null,
  tags: JSON.stringify([number === 55_000 ? "needle" : "hay"]),
  key: number === 58_000 ? "key" : null,
  key_expires: null,
});
const cursor = (number) => `${row(number).created}_${row(number).id}`;
const publicId = (number) => `waitpoint_${row(number).id}`;

/** A Worker with so many tokens in its index. */
async function serveMany(t, count, wrap) {
  const server = await serve(waitpoint({}, wrap));
  t.after(() => server.stop());
  const month = async (name, command) => {
    const options = { method: "POST", body: JSON.stringify(command) };
    const answer = await fetch(`${server.url}/index/default/${name}`, options);
    assert.equal(answer.status, 200, await answer.clone().text());
    return answer.json();
  };
  for (const [name, from, to] of [
    ["2020-02", 0, Math.min(count, 20_000)],
    ["2020-01", 20_000, count],
  ])
    for (let at = from; at < to; at += 1_000)
      await month(name, { put: Array.from({ length: 1_000 }, (_, index) => row(at + index)) });
  const list = async (query) => {
    const url = `${server.url}${TOKENS}?${new URLSearchParams(query)}`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${KEY}` } });
    assert.equal(answer.status, 200);
    const { data, pagination } = await answer.json();
    return { ids: data.map(({ id }) => id), ...pagination };
  };
  const rowsRead = async () => (await (await fetch(`${server.url}/counts`)).json()).index.read;
  return { list, month, rowsRead };
}

test("a page looks at 50,000 rows, and the next goes on there, in both directions", async (t) => {
  const { list, month, rowsRead } = await serveMany(t, 60_000, COUNTING);
  const needle = { "filter[tags]": "needle" };
  for (const [query, expected, mostRead] of [
    [needle, { ids: [], next: cursor(49_999) }, 150_010],
    // The cursor of the page before is behind 20,000 rows of one month and 30,000 of the other.
    [
      { ...needle, "page[after]": cursor(49_999) },
      { ids: [publicId(55_000)], previous: cursor(55_000) },
      40_000,
    ],
    [
      { ...needle, "page[before]": cursor(55_000) },
      { ids: [], next: cursor(5_000), previous: cursor(5_000) },
      150_010,
    ],
    [{ ...needle, "page[before]": cursor(5_000) }, { ids: [], next: "253402300799999_z" }, 20_000],
    [
      { ...needle, "page[after]": "253402300799999_z" },
      { ids: [], next: cursor(49_999), previous: cursor(49_999) },
      150_010,
    ],
    [{ ...needle, "page[after]": cursor(55_000) }, { ids: [], previous: "0_0" }, 20_000],
    [
      { ...needle, "page[before]": "0_0" },
      { ids: [publicId(55_000)], next: cursor(55_000), previous: cursor(10_000) },
      150_010,
    ],
    [{ "filter[status]": "TIMED_OUT" }, { ids: [], next: cursor(49_999) }, 150_010],
    [
      { "filter[tags]": "hay", "page[size]": 2 },
      { ids: [publicId(0), publicId(1)], next: cursor(1) },
      50,
    ],
    [{ "page[after]": cursor(59_998) }, { ids: [publicId(59_999)], previous: cursor(59_999) }, 50],
    [{ "filter[idempotencyKey]": "key" }, { ids: [publicId(58_000)] }, 50],
    [{ "filter[idempotencyKey]": "key", "filter[tags]": "no" }, { ids: [] }, 50],
    [
      { ...needle, "filter[createdAt][to]": FEBRUARY - 1, "page[size]": 1 },
      { ids: [publicId(55_000)] },
      120_010,
    ],
  ]) {
    const before = await rowsRead();
    assert.deepEqual(await list(query), expected, JSON.stringify(query));
    const read = (await rowsRead()) - before;
    assert.ok(read <= mostRead, `${JSON.stringify(query)}: ${read} rows read`);
  }
  // A Worker of an older build cannot go on, so it gets all rows that match, by themselves.
  const query = "filter[tags]=needle&page[before]=0_0";
  for (const name of ["2020-01", "2020-02"]) {
    const rows = await month(name, { rows: { query, now: Date.now(), limit: 26 } });
    const expected = name === "2020-01" ? [row(55_000).id] : [];
    assert.deepEqual(
      rows.map(({ id }) => id),
      expected,
    );
  }
});

/** Objects of the index as an older build has them: they know no limit of a search. */
const OLDER_OBJECTS = `
import * as built from "./index.js";
export * from "./index.js";
export default {
  fetch(request, env, context) {
    const [, name] = /^\\/index\\/(.+)/.exec(new URL(request.url).pathname) ?? [];
    if (name) return env.INDEX.getByName(name).fetch(request);
    return built.default.fetch(request, env, context);
  },
};
export class IndexObject extends built.IndexObject {
  fetch(request) {
    const name = "waitpoint-secret-command";
    const command = request.headers.get(name);
    if (!command?.includes("max_searched")) return super.fetch(request);
    const { rows } = JSON.parse(command);
    delete rows.max_searched;
    return super.fetch(new Request(request, { headers: { [name]: JSON.stringify({ rows }) } }));
  }
}`;

test("an object of an older build, which answers with rows alone, is understood", async (t) => {
  const { list } = await serveMany(t, 22_000, OLDER_OBJECTS);
  const ids = Array.from({ length: 4 }, (_, index) => publicId(19_998 + index));
  assert.deepEqual(await list({ "page[after]": cursor(19_997), "page[size]": 4 }), {
    ids,
    next: cursor(20_001),
    previous: cursor(19_998),
  });
  assert.deepEqual(await list({ "filter[tags]": "needle" }), { ids: [] });
});
