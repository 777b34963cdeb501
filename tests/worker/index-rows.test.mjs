// What a list shows of a token that is cancelled, extended or decided by its timeout, and rows that
// come late, twice or from an older build.
import assert from "node:assert/strict";
import { test } from "node:test";
import { TOKENS, until, useWorker } from "../support/harness.mjs";

const worker = useWorker();
const shortRetention = useWorker({ vars: { RETENTION: "2s" } });
const HOUR = 3_600_000;
const STATUSES = ["WAITING", "COMPLETED", "TIMED_OUT"];

const list = async (query, { api } = worker) =>
  (await (await api(`${TOKENS}?${new URLSearchParams({ "page[size]": 100, ...query })}`)).json())
    .data;
const tagged = (tag, status, from) =>
  list({ "filter[tags]": tag, ...(status && { "filter[status]": status }) }, from);
const statuses = async (tag) =>
  Object.fromEntries(
    await Promise.all(STATUSES.map(async (one) => [one, (await tagged(tag, one)).length])),
  );
const act = async (id, action, body, { api } = worker) => {
  const answer = await api(`${TOKENS}/${id}/${action}`, { body });
  assert.equal(answer.status, 200, await answer.text());
};

/** Sends rows to this month's object, as tokens' objects do. */
async function put(rows, { server } = worker) {
  const env = await server.getWorker().getEnv();
  const month = `default/${new Date(rows[0].created).toISOString().slice(0, 7)}`;
  const body = JSON.stringify({ put: rows });
  const answer = await env.INDEX.getByName(month).fetch("http://object/", { method: "POST", body });
  assert.equal(answer.status, 200, await answer.text());
}

/** A row as a build before `signed` sends it, and whatever else it says. */
const row = (tag, id, fields) => ({
  created: Date.now(),
  id,
  timeout: null,
  completed: null,
  tags: JSON.stringify([tag]),
  key: null,
  key_expires: null,
  ...fields,
});

test("an extended token is listed with its new timeout", async () => {
  const tag = crypto.randomUUID();
  const { id } = await worker.create({ tags: [tag], timeout: "1s" });
  await act(id, "extend", { timeout: "1h" });
  const { timeoutAt } = await worker.retrieve(id);
  const isNew = ([item]) => item?.timeoutAt === timeoutAt;
  await until(() => tagged(tag), isNew);
  await act(id, "extend", { timeout: "1s" });
  const [item] = await until(
    () => tagged(tag, "TIMED_OUT"),
    ({ length }) => length === 1,
  );
  assert.ok(item.timeoutAt < timeoutAt);
  assert.equal(item.completedAt, item.timeoutAt);
});

test("a cancelled token is listed as timed out, and when it was cancelled", async () => {
  const tag = crypto.randomUUID();
  const { id } = await worker.create({
    tags: [tag],
    timeout: "1h",
    onTimeout: { data: "default" },
  });
  await act(id, "cancel", { reason: "not needed" });
  const { cancelledAt, timeoutAt } = await worker.retrieve(id);
  const [item] = await until(
    () => tagged(tag, "TIMED_OUT"),
    ({ length }) => length === 1,
  );
  assert.deepEqual(
    [item.status, item.cancelledAt, item.completedAt, item.timeoutAt],
    ["TIMED_OUT", cancelledAt, cancelledAt, timeoutAt],
  );
  assert.deepEqual(await statuses(tag), { WAITING: 0, COMPLETED: 0, TIMED_OUT: 1 });
});

test("a token with a default decision is listed as completed from its timeout on", async () => {
  const tag = crypto.randomUUID();
  const { id } = await worker.create({ tags: [tag], timeout: "1s", onTimeout: { data: 1 } });
  await until(
    () => tagged(tag, "WAITING"),
    ({ length }) => length === 1,
  );
  const seen = [];
  const [item] = await until(
    async () => {
      const items = await tagged(tag);
      seen.push(items[0].status);
      return items;
    },
    ([{ status }]) => status !== "WAITING",
  );
  assert.deepEqual([item.status, item.completedAt], ["COMPLETED", item.timeoutAt]);
  assert.ok(!seen.includes("TIMED_OUT"));
  assert.deepEqual(await statuses(tag), { WAITING: 0, COMPLETED: 1, TIMED_OUT: 0 });
  assert.equal((await worker.retrieve(id)).completedAt, item.completedAt);
});

test("a filter finds the status that an item shows, whatever is known of the token", async () => {
  const tag = crypto.randomUUID();
  const now = Date.now();
  const rows = [];
  for (const timeout of [null, now - 1_000, now + HOUR])
    for (const completed of [null, now - 2_000])
      for (const cancelled of [null, 1])
        for (const defaults of [null, 1])
          for (const extensions of [null, 3])
            rows.push(
              row(tag, `f${rows.length}`, { timeout, completed, cancelled, defaults, extensions }),
            );
  await put(rows);
  const all = await tagged(tag);
  assert.equal(all.length, rows.length);
  for (let set = 1; set < 8; set++) {
    const wanted = STATUSES.filter((_, n) => set & (1 << n));
    assert.deepEqual(
      await tagged(tag, wanted.join(",")),
      all.filter(({ status }) => wanted.includes(status)),
      wanted,
    );
  }
  assert.deepEqual(
    new Set(all.map(({ status }) => status)),
    new Set(STATUSES),
    "each status is there",
  );
});

test("rows in any order, repeated, alone or together: the newest that came is shown", async () => {
  const now = Date.now();
  // From the oldest on. What an older build sends does not tell of extensions.
  const ends = {
    cancelled: { timeout: now + HOUR, extensions: 10, completed: now - 9, cancelled: 1 },
    completed: { timeout: now + HOUR, completed: now - 7 },
    timedOut: { timeout: now - 5, extensions: 10 },
  };
  for (const [end, last] of Object.entries(ends)) {
    const history = [
      { timeout: now + 2 * HOUR, defaults: 1 },
      { timeout: now + 3 * HOUR, defaults: 1, extensions: 2 },
      { timeout: now + HOUR, defaults: 1, extensions: 9 },
      { ...last, defaults: end === "timedOut" ? 1 : null },
    ];
    const orders = [];
    for (let n = 0; n < 4 ** 4; n++) orders.push([n & 3, (n >> 2) & 3, (n >> 4) & 3, (n >> 6) & 3]);
    for (const isTogether of [false, true]) {
      const tag = crypto.randomUUID();
      const rounds = [0, 1, 2, 3].map((round) =>
        orders.map((order) =>
          row(tag, `${end}${Number(isTogether)}${order.join("")}`, {
            created: now,
            ...history[order[round]],
          }),
        ),
      );
      if (isTogether) await put(rounds.flat());
      else for (const rows of rounds) await put(rows);
      const items = [];
      for (let after = {}, length = 100; length === 100; ) {
        const page = await list({ "filter[tags]": tag, ...after });
        length = page.length;
        items.push(...page);
        const id = page.at(-1)?.id.replace("waitpoint_", "");
        after = { "page[after]": `${now}_${id}` };
      }
      assert.equal(items.length, orders.length);
      const iso = (millis) => millis && new Date(millis).toISOString();
      for (const { id, status, timeoutAt, completedAt, cancelledAt } of items) {
        const newest = history[Math.max(...id.slice(-4))];
        const ended = newest.completed ?? (newest.timeout < now ? newest.timeout : undefined);
        const expected = newest.cancelled ? "TIMED_OUT" : ended ? "COMPLETED" : "WAITING";
        assert.deepEqual(
          [status, timeoutAt, completedAt, cancelledAt],
          [
            expected,
            iso(newest.timeout),
            iso(ended),
            newest.cancelled ? iso(newest.completed) : undefined,
          ],
          id,
        );
      }
    }
  }
});

test("an extended token is forgotten by its new timeout, later or earlier", async () => {
  const tag = crypto.randomUUID();
  const now = Date.now();
  const find = () => tagged(tag, "", shortRetention);
  const send = (id, fields) => put([row(tag, id, { created: now, ...fields })], shortRetention);
  // This one is past its retention when its row comes: it is not added, but an older row gives way.
  await send("earlier", { timeout: now + HOUR });
  assert.equal((await find()).length, 1);
  await send("earlier", { timeout: now - 10_000, extensions: 1 });
  assert.deepEqual(await find(), []);
  await send("new", { timeout: now - 10_000, extensions: 1 });
  assert.deepEqual(await find(), []);

  const later = await shortRetention.create({ tags: [tag], timeout: "1s" });
  const sooner = await shortRetention.create({ tags: [tag], timeout: "1h" });
  await act(later.id, "extend", { timeout: "1h" }, shortRetention);
  await act(sooner.id, "extend", { timeout: "1s" }, shortRetention);
  const isExtended = ({ timeoutAt }) => Date.parse(timeoutAt) > now + HOUR / 2;
  const isAlone = ([item, ...more]) => item?.id === later.id && isExtended(item) && !more.length;
  const items = await until(find, isAlone);
  // The first timeout and its retention are over, and the month was purged more than once.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  assert.deepEqual(await find(), items);
  await act(later.id, "cancel", {}, shortRetention);
  await until(find, ({ length }) => length === 0);
});
