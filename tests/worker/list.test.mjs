// Lists: every filter, every page, in both directions, and an index that catches up with the
// tokens.
import assert from "node:assert/strict";
import { test } from "node:test";
import { OTHER_KEY, sign, TOKENS, until, useWorker } from "../support/harness.mjs";

const worker = useWorker();
const shortRetention = useWorker({ vars: { RETENTION: "2s" } });

const list = async (query = {}, options) => {
  const answer = await worker.api(`${TOKENS}?${new URLSearchParams(query)}`, options);
  const body = await answer.json();
  return { ...body, status: answer.status };
};
const ids = ({ data }) => data.map(({ id }) => id);

/** All tokens with a tag, once the index has as many. */
const listed = (tag, count, query = {}) =>
  until(
    () => list({ "filter[tags]": tag, "page[size]": 100, ...query }),
    ({ data }) => data.length === count,
  );

test("a token is listed as it is created, and as it ends; items hold no output", async () => {
  const idempotencyKey = crypto.randomUUID();
  const made = await worker.create({
    tags: ["z-one", "a-one"],
    timeout: "1h",
    idempotencyKey,
    idempotencyKeyTTL: "1d",
  });
  const { data, pagination } = await listed("z-one", 1);
  const { createdAt, timeoutAt, idempotencyKeyExpiresAt } = await worker.retrieve(made.id);
  assert.deepEqual(pagination, {});
  assert.deepEqual(data, [
    {
      id: made.id,
      url: made.url,
      status: "WAITING",
      timeoutAt,
      completedAfter: timeoutAt,
      idempotencyKey,
      idempotencyKeyExpiresAt,
      tags: ["a-one", "z-one"],
      createdAt,
    },
  ]);
  assert.equal((await fetch(data[0].url, { method: "POST", body: "1" })).status, 200);
  const { completedAt } = await worker.retrieve(made.id);
  const [item] = (await listed("a-one", 1, { "filter[status]": "COMPLETED" })).data;
  assert.deepEqual(
    [item.status, item.completedAt, item.output],
    ["COMPLETED", completedAt, undefined],
  );
});

test("filters: status, tags, key, time; several statuses are exactly those", async () => {
  const tag = crypto.randomUUID();
  const make = (fields) => worker.create({ ...fields, tags: [tag, ...(fields.tags ?? [])] });
  const waiting = await make({ tags: ["x", "it's, quoted", 'sa"id'], idempotencyKey: `k-${tag}` });
  const done = await make({ tags: ["y"] });
  const late = await make({ timeout: "1s" });
  await worker.complete(done.id, 1);
  await until(
    () => list({ "filter[tags]": tag, "filter[status]": "COMPLETED" }),
    ({ data }) => data.length === 1,
  );
  await until(
    () => list({ "filter[tags]": tag, "filter[status]": "TIMED_OUT" }),
    ({ data }) => data.length === 1,
  );
  const all = [late.id, done.id, waiting.id];
  const { createdAt } = await worker.retrieve(done.id);
  const at = Date.parse(createdAt);
  for (const [query, expected] of [
    [{}, all],
    [{ "filter[status]": "" }, all],
    [{ "filter[status]": "WAITING" }, [waiting.id]],
    [{ "filter[status]": "WAITING,TIMED_OUT" }, [late.id, waiting.id]],
    [{ "filter[status]": "COMPLETED,TIMED_OUT" }, [late.id, done.id]],
    [{ "filter[status]": "WAITING,COMPLETED,TIMED_OUT" }, all],
    [{ "filter[tags]": "x,y" }, [done.id, waiting.id]],
    [{ "filter[tags]": `nothing,${tag}` }, all],
    [{ "filter[tags]": "nothing" }, []],
    [{ "filter[tags]": "it's" }, []],
    [{ "filter[tags]": 'sa"id' }, [waiting.id]],
    [{ "filter[tags]": "id" }, []],
    [{ "filter[tags]": "id,y" }, [done.id]],
    [{ "filter[idempotencyKey]": `k-${tag}` }, [waiting.id]],
    [{ "filter[idempotencyKey]": "' OR 1=1 --" }, []],
    [{ "filter[createdAt][period]": "1h" }, all],
    [
      { "filter[createdAt][from]": at, "filter[createdAt][to]": at },
      all.filter((id) => id === done.id),
    ],
    [{ "filter[createdAt][from]": new Date(at).toISOString() }, [late.id, done.id]],
    [{ "filter[createdAt][to]": 0 }, []],
    [{ "filter[createdAt][from]": "2999-01-01" }, []],
    [{ "page[size]": 2 }, [late.id, done.id]],
  ]) {
    const found = ids(await list({ "filter[tags]": tag, ...query })).filter((id) =>
      all.includes(id),
    );
    // Tokens of the same millisecond are all there.
    const wanted =
      "filter[createdAt][from]" in query && expected.length
        ? found.filter((id) => expected.includes(id))
        : found;
    assert.deepEqual(wanted, expected, JSON.stringify(query));
  }
});

test("pages forwards and backwards are the same pages", async () => {
  const tag = crypto.randomUUID();
  for (let n = 0; n < 10; n++)
    await Promise.all(Array.from({ length: 11 }, () => worker.create({ tags: [tag] })));
  const all = { "filter[tags]": tag, "page[size]": 100 };
  const beyond = async ({ pagination: { next } }) =>
    next ? list({ ...all, "page[after]": next }) : { data: [] };
  await until(
    async () => beyond(await list(all)),
    ({ data }) => data.length === 10,
  );
  const pages = [];
  for (let after; ; ) {
    const page = await list({
      "filter[tags]": tag,
      "page[size]": 25,
      ...(after && { "page[after]": after }),
    });
    pages.push(page);
    after = page.pagination.next;
    if (!after) break;
  }
  assert.deepEqual(
    pages.map(({ data }) => data.length),
    [25, 25, 25, 25, 10],
  );
  assert.equal(new Set(pages.flatMap(ids)).size, 110);
  const created = pages.flatMap(({ data }) => data.map(({ createdAt }) => createdAt));
  assert.deepEqual(created, created.toSorted().reverse());
  assert.equal(pages[0].pagination.previous, undefined);
  for (let at = pages.length - 1; at > 0; at--) {
    const back = await list({
      "filter[tags]": tag,
      "page[size]": 25,
      "page[before]": pages[at].pagination.previous,
    });
    assert.deepEqual(ids(back), ids(pages[at - 1]));
    assert.equal(back.pagination.next !== undefined, true);
    assert.equal(back.pagination.previous !== undefined, at - 1 > 0);
  }
});

test("an environment lists its own, to the holders of its secret keys alone", async () => {
  const tag = crypto.randomUUID();
  const { publicAccessToken } = await worker.create({ tags: [tag] });
  const other = await worker.create({ tags: [tag] }, { key: OTHER_KEY });
  await listed(tag, 1);
  const theirs = await until(
    () => list({ "filter[tags]": tag }, { key: OTHER_KEY }),
    ({ data }) => data.length > 0,
  );
  assert.deepEqual(ids(theirs), [other.id]);
  for (const key of ["", "nobody", publicAccessToken, sign(["read:waitpoints", "admin"])]) {
    assert.equal((await list({}, { key })).status, 401);
  }
});

test("what cannot be read of a query is told, all of it", async () => {
  const { status, error, code, details } = await list({
    "page[size]": "0",
    "filter[status]": "FOO,WAITING,BAR",
    "filter[createdAt][from]": "tomorrow",
    "filter[createdAt][period]": "soon",
    "page[after]": "nowhere",
  });
  assert.deepEqual([status, code], [400, "invalid_query"]);
  assert.match(error, /^Query Error; page\[size\]: "0" is not a valid page size/);
  assert.deepEqual(details.map(({ path }) => path[0]).sort(), [
    "filter[createdAt][from]",
    "filter[createdAt][period]",
    "filter[status]",
    "page[after]",
    "page[size]",
  ]);
  assert.ok(
    details.some(({ message }) =>
      message.startsWith("Invalid status values: FOO, BAR. Use WAITING"),
    ),
  );
  for (const size of ["", "101", "abc", "10.5", "-1"])
    assert.equal((await list({ "page[size]": size })).status, 400);
  const tags = (count) => Array.from({ length: count }, (_, n) => `t${n}`).join(",");
  assert.equal((await list({ "filter[tags]": tags(20) })).status, 200);
  const many = await list({ "filter[tags]": tags(3_500) });
  assert.match(many.error, /filter\[tags\]: 3500 tags are too many\. Use at most 20/);
  const strange = "?page[size]=5&page%5Bsize%5D=7&&=&%zz&filter[tags]=%00&unknown=1";
  assert.equal((await worker.api(TOKENS + strange)).status, 200);
  assert.equal((await worker.api(TOKENS, { method: "HEAD" })).status, 200);
});

test("a token that is forgotten is not listed, and its row goes", async () => {
  const query = async (options) =>
    (await (await shortRetention.api(`${TOKENS}?page[size]=100`, options)).json()).data ?? [];
  const made = await shortRetention.create();
  await until(query, (data) => data.length === 1);
  await shortRetention.complete(made.id, 1);
  await until(query, (data) => data.length === 0);
  // The month's object deletes the row, and itself after the last row.
  const env = await shortRetention.server.getWorker().getEnv();
  const directory = env.INDEX.getByName("default");
  const months = async () =>
    (await directory.fetch("http://object/", { method: "POST", body: '"months"' })).json();
  await until(months, ({ length }) => length === 0);
  const next = await shortRetention.create();
  assert.deepEqual(
    (await until(query, (data) => data.length > 0)).map(({ id }) => id),
    [next.id],
  );
});
