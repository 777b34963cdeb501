// The index as the inbox asks it: the order, the filters, how far a search goes, and by which of
// SQLite's indices.
import assert from "node:assert/strict";
import { test } from "node:test";
import { useWorker } from "../support/harness.mjs";

const worker = useWorker({ vars: { INBOX: "on" } });
const NOW = Date.now();
const HOUR = 3_600_000;
const NEVER = 253402300799999;

let months = 0;
/** A month of its own with these rows. */
async function month(rows) {
  const env = await worker.server.getWorker().getEnv();
  const name = `default/${2030 + months++}-01`;
  const call = async (command) => {
    const options = { method: "POST", body: JSON.stringify(command) };
    const answer = await env.INDEX.getByName(name).fetch("http://object/", options);
    assert.equal(answer.status, 200, await answer.clone().text());
    return answer.json();
  };
  for (let at = 0; at < rows.length; at += 1000) {
    await call({ put: rows.slice(at, at + 1000).map((one, index) => row(at + index, one)) });
  }
  const ask = (query, limit = 51) => call({ inbox: { query, now: NOW, limit } });
  return { call, ask, ids: async (query = "") => inOrder(await ask(query), query) };
}
/** The ids of what each range of the index has, in the order of the page. */
const inOrder = (ranges, query) => {
  const rows = ranges.flatMap(({ rows }) => rows);
  const end = ({ completed, timeout }) => completed ?? timeout ?? NEVER;
  rows.sort((one, other) => end(one) - end(other));
  const ids = rows.map(({ id }) => id);
  return query.includes("view") ? ids.reverse() : ids;
};

const row = (number, fields) => ({
  created: NOW - 10 * HOUR + number,
  id: `c${String(number).padStart(24, "0")}`,
  timeout: null,
  completed: null,
  tags: "[]",
  key: null,
  key_expires: null,
  title: "",
  ...fields,
});
const id = (name) => `c${name.padEnd(24, "0")}`;

test("what waits is in the order of its deadlines, what ended from the last", async () => {
  const { ids } = await month([
    { id: id("late"), timeout: NOW + 9 * HOUR },
    { id: id("never") },
    { id: id("soon"), timeout: NOW + HOUR },
    { id: id("defaultsoon"), timeout: NOW + 2 * HOUR, defaults: 1 },
    { id: id("out"), timeout: NOW - HOUR },
    { id: id("out2"), timeout: NOW - 2 * HOUR },
    { id: id("byDefault"), timeout: NOW - 3 * HOUR, defaults: 1 },
    { id: id("decided"), timeout: NOW + HOUR, completed: NOW - 2 * HOUR },
    { id: id("withdrawn"), completed: NOW - HOUR, cancelled: 1 },
    { id: id("forgotten"), timeout: NOW - 40 * 24 * HOUR },
  ]);
  const of = (...names) => names.map(id);
  assert.deepEqual(await ids(""), of("soon", "defaultsoon", "late", "never"));
  assert.deepEqual(await ids("due=1h"), of("soon"));
  assert.deepEqual(await ids("due=1d"), of("soon", "defaultsoon", "late"));
  assert.deepEqual(await ids("due=none"), of("never"));
  assert.deepEqual(await ids("view=timed-out"), of("out", "out2"));
  assert.deepEqual(await ids("view=decided"), of("decided", "byDefault"));
  assert.deepEqual(await ids("view=withdrawn"), of("withdrawn"));
});

test("filters hold by themselves and together", async () => {
  const { ids } = await month([
    { id: id("plain"), title: "Deploy the shop" },
    { id: id("tagged"), title: "Refund", tags: '["money","shop"]' },
    { id: id("failed"), title: "deploy it", failed: 2, tags: '["shop"]' },
    { id: id("greek"), title: "ΈΓΚΡΙΣΗ", folded: "έγκριση" },
    { id: id("young"), title: "Deploy now", created: NOW - HOUR / 2 },
  ]);
  const of = (...names) => names.map(id).sort();
  const sorted = async (query) => (await ids(query)).sort();
  assert.deepEqual(await sorted("text=DEPLOY"), of("plain", "failed", "young"));
  assert.deepEqual(await sorted("text=%CE%AD%CE%93%CE%BA"), of("greek"));
  assert.deepEqual(await sorted("text=taGG"), [], "ids are compared as they are");
  assert.deepEqual(await sorted("text=waitpoint_ctagg"), of("tagged"));
  assert.deepEqual(await sorted("tag=shop"), of("tagged", "failed"));
  assert.deepEqual(await sorted("tag=sho"), []);
  assert.deepEqual(await sorted("failed=1"), of("failed"));
  assert.deepEqual(await sorted("age=1h&text=deploy"), of("plain", "failed"));
  assert.deepEqual(await sorted("age=1h&text=deploy&tag=shop&failed=1"), of("failed"));
  assert.deepEqual(await sorted("text=%25"), [], "a percent sign stands for itself");
  assert.deepEqual(await sorted("text=%27%20OR%201%3D1"), []);
});

test("pages meet each of many rows that end at the same time once", async () => {
  const { ask } = await month(
    Array.from({ length: 300 }, (_, at) => ({ timeout: at < 200 ? NOW + HOUR : null })),
  );
  const seen = [];
  for (let after = ""; ; ) {
    const [{ rows }] = await ask(after && `after=${after}`);
    if (rows.length === 0) break;
    seen.push(...rows.map(({ id }) => id));
    const last = rows.at(-1);
    after = `${last.timeout ?? NEVER}_${last.created}_${last.id}`;
  }
  assert.equal(seen.length, 300);
  assert.equal(new Set(seen).size, 300);
});

test("a search has a limit, says how far it came, and goes on there", async () => {
  const rows = Array.from({ length: 60_000 }, (_, at) => ({
    timeout: NOW + HOUR + at,
    title: at === 55_000 ? "The needle" : "Hay",
  }));
  const { ask } = await month(rows);
  const [first] = await ask("text=needle");
  assert.deepEqual(first.rows, []);
  assert.match(first.searched_to, new RegExp(`^${NOW + HOUR + 49_999}_`));
  const [second] = await ask(`text=needle&after=${first.searched_to}`);
  assert.deepEqual(
    second.rows.map(({ title }) => title),
    ["The needle"],
  );
  assert.equal(second.searched_to, null);
  const [full] = await ask("text=hay");
  assert.equal(full.rows.length, 51);
  assert.equal(full.searched_to, null, "a full page needs no search beyond it");
});

test("a view without filters is no search, whatever else has ended", async () => {
  const timedOut = (_, at) => ({ timeout: NOW - HOUR + at, title: "Late" });
  const { ids } = await month([
    { id: id("decided"), completed: NOW - 2 * HOUR },
    { id: id("default"), timeout: NOW - 3 * HOUR, defaults: 1 },
    ...Array.from({ length: 52_000 }, timedOut),
  ]);
  assert.deepEqual(await ids("view=decided"), [id("decided"), id("default")]);
});

test("of rows that come late, twice and from an older build, the newest values stay", async () => {
  const { call, ask } = await month([{ timeout: NOW + HOUR, title: undefined }]);
  const put = (fields) => call({ put: [row(0, { timeout: NOW + HOUR, ...fields })] });
  const stored = async (query = "") => (await ask(query))[0].rows[0];
  assert.equal((await stored()).title, null, "what an earlier build wrote has no title");
  await put({ title: "Hay", extensions: 2, timeout: NOW + 3 * HOUR });
  assert.deepEqual(pick(await stored()), ["Hay", 2, NOW + 3 * HOUR, null]);
  // Late, from before the extension, but with news of a delivery.
  await put({ title: "Hay", extensions: 1, timeout: NOW + 2 * HOUR, failed: 1 });
  assert.deepEqual(pick(await stored()), ["Hay", 2, NOW + 3 * HOUR, 1]);
  await put({ title: undefined, completed: NOW });
  await put({ title: "Hay", extensions: 3, failed: 3 });
  const decided = await stored("view=decided");
  assert.deepEqual([decided.completed, decided.failed, decided.title], [NOW, 3, "Hay"]);
  assert.equal(await stored(), undefined);
});
const pick = ({ title, extensions, timeout, failed }) => [title, extensions, timeout, failed];
