// listTokens of the packed package against a stub. The Worker's lists have their own tests.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import { KEY } from "../support/harness.mjs";
import { installed } from "../support/package.mjs";

const { folder } = installed();
const { listTokens } = await import(
  pathToFileURL(join(folder, "node_modules/waitpoint/server.js"))
);

const item = (n) => ({
  ...{
    id: `waitpoint_c${n}`,
    url: "https://x/",
    status: "WAITING",
    tags: ["a"],
    createdAt: "2026-01-02T03:04:05.678Z",
  },
  ...(n === 1 && { timeoutAt: "2026-01-03T00:00:00.000Z" }),
});
/** Two tokens a page. The cursor is the page's number. */
const PAGES = [1, 3, 5].map((n, at) => ({
  data: n === 5 ? [item(5)] : [item(n), item(n + 1)],
  pagination: { ...(at > 0 && { previous: `${at - 1}` }), ...(at < 2 && { next: `${at + 1}` }) },
}));

let pages = PAGES;
let asked = [];
const options = { accessToken: KEY, baseURL: "" };
const server = createServer(({ url, headers }, response) => {
  const query = Object.fromEntries(new URL(url, "http://x").searchParams);
  asked.push(query);
  if (headers.authorization !== `Bearer ${KEY}`)
    return response.writeHead(401).end(`{"error":"Invalid API key"}`);
  response.end(JSON.stringify(pages[query["page[after]"] ?? query["page[before]"] ?? 0]));
});
before(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  options.baseURL = `http://127.0.0.1:${server.address().port}`;
});
beforeEach(() => {
  asked = [];
  pages = PAGES;
});
after(() => server.close());

const ids = (tokens) => tokens.map(({ id }) => Number(id.slice("waitpoint_c".length)));

test("iterating goes from page to page with the same filters, and stops when asked", async () => {
  const createdAt = { from: new Date(1_000), to: 2_000 };
  const filters = {
    status: ["WAITING", "COMPLETED"],
    tags: ["a", "b"],
    idempotencyKey: "k&=",
    createdAt,
    limit: 2,
  };
  assert.deepEqual(ids(await Array.fromAsync(listTokens(filters, options))), [1, 2, 3, 4, 5]);
  const query = {
    "page[size]": "2",
    "filter[status]": "WAITING,COMPLETED",
    "filter[idempotencyKey]": "k&=",
    "filter[tags]": "a,b",
    "filter[createdAt][from]": "1000",
    "filter[createdAt][to]": "2000",
  };
  assert.deepEqual(asked, [
    query,
    { ...query, "page[after]": "1" },
    { ...query, "page[after]": "2" },
  ]);
  asked = [];
  for await (const { id } of listTokens({ tags: "a", createdAt: { period: "1d" } }, options))
    if (id === "waitpoint_c2") break;
  assert.deepEqual(asked, [{ "filter[tags]": "a", "filter[createdAt][period]": "1d" }]);
});

test("a page tells its tokens, and leads to those beside it", async () => {
  const page = await listTokens({ before: "1" }, options);
  assert.deepEqual(page.data[1], { ...item(4), createdAt: new Date(item(4).createdAt) });
  assert.deepEqual(
    [page.pagination, page.hasNextPage(), page.hasPreviousPage()],
    [{ previous: "0", next: "2" }, true, true],
  );
  const first = await page.getPreviousPage();
  assert.equal(first.data[0].timeoutAt.getUTCDate(), 3);
  assert.throws(() => first.getPreviousPage(), {
    name: "WaitpointError",
    code: "invalid_argument",
  });
  assert.deepEqual(ids(await Array.fromAsync(page.getNextPage())), [5]);
  assert.deepEqual(asked, [
    { "page[before]": "1" },
    { "page[before]": "0" },
    { "page[after]": "2" },
  ]);
  const pages = await Array.fromAsync(first.iterPages(), ({ data }) => ids(data));
  assert.deepEqual(pages, [[1, 2], [3, 4], [5]]);
});

test("behind empty pages the list goes on", async () => {
  const [first, , last] = PAGES;
  const empty = (at) => ({ data: [], pagination: { previous: `${at - 1}`, next: `${at + 1}` } });
  pages = [first, empty(1), empty(2), { ...last, pagination: { previous: "2" } }];
  assert.deepEqual(ids(await Array.fromAsync(listTokens({}, options))), [1, 2, 5]);
  const page = await (await listTokens({}, options)).getNextPage();
  assert.deepEqual([page.data, page.hasNextPage(), page.hasPreviousPage()], [[], true, true]);
  // One may also be the last.
  pages = [first, { data: [], pagination: { previous: "0" } }];
  assert.deepEqual(ids(await Array.fromAsync(listTokens({}, options))), [1, 2]);
});

test("what cannot be asked is refused, and a refusal rejects", async () => {
  for (const filters of [
    { state: "WAITING" },
    { status: "waiting" },
    { status: ["WAITING", 1] },
    { tags: ["a,b"] },
    { tags: 5 },
    { limit: 0 },
    { limit: 101 },
    { limit: 2.5 },
    { createdAt: "1d" },
    { createdAt: { since: 1 } },
    { createdAt: { from: new Date(NaN) } },
    { createdAt: { to: "2026-01-01" } },
    { after: 5 },
  ]) {
    await assert.rejects(
      listTokens(filters, options),
      { code: "invalid_argument" },
      JSON.stringify(filters),
    );
  }
  await assert.rejects(listTokens({}, { ...options, accessToken: "" }), {
    code: "invalid_argument",
  });
  assert.deepEqual(asked, []);
  await assert.rejects(listTokens({}, { ...options, accessToken: "nobody" }), {
    code: "http_401",
    status: 401,
  });
  await assert.rejects(listTokens({ after: "9" }, options), { code: "invalid_response" });
});
