// The entry `waitpoint/server`: all of `waitpoint`, and what needs a secret key.
import { STATUSES, Wire, check, checkToken, given, isText, json, known, line, read, refused, retries, settle, started } from "./call.js";
import { core } from "./wasm/server.js";

export * from "./index.js";

export async function createToken(fields, options) {
  known("fields", fields, FIELDS);
  if (fields?.timeout instanceof Date && isNaN(fields.timeout)) throw refused("timeout is an invalid Date");
  const text = json(fields ?? {});
  // Sent again, it must not become a second token.
  const wire = new Wire(options, text, { "x-trigger-request-idempotency-key": crypto.randomUUID() });
  const { body, header } = await settle(() =>
    started(core).create(text, Date.now(), given("", options), wire, ...retries(options?.retry)),
  );
  checkToken(body);
  check(typeof body.isCached === "boolean");
  return { ...body, publicAccessToken: header("x-trigger-jwt") ?? undefined };
}

const FIELDS = ["timeout", "tags", "idempotencyKey", "idempotencyKeyTTL", "approval", "webhook"];

export function listTokens(filters, options) {
  const page = load(filters, options);
  // Without `await` too: `for await (const token of listTokens())`.
  page[Symbol.asyncIterator] = async function* () {
    yield* await page;
  };
  return page;
}

async function load(filters, options) {
  const text = `?${query(filters)}`;
  const wire = new Wire(options);
  const { body } = await settle(() => started(core).list(text, given("", options), wire, ...retries(options?.retry)));
  const { next, previous } = body?.pagination ?? {};
  check(Array.isArray(body?.data) && isText(next ?? "") && isText(previous ?? ""));
  // Else to go from page to page would never end.
  check(!next || next !== filters?.after);
  return new TokenPage(body, (cursor) => listTokens({ ...filters, after: undefined, before: undefined, ...cursor }, options));
}

class TokenPage {
  /** Lists what lies beyond a cursor. */
  #turn;

  constructor({ data, pagination }, turn) {
    this.data = data.map(read);
    this.pagination = { ...pagination };
    this.#turn = turn;
  }

  hasNextPage() {
    return !!this.pagination.next;
  }

  hasPreviousPage() {
    return !!this.pagination.previous;
  }

  getNextPage() {
    if (!this.hasNextPage()) throw refused("there is no next page");
    return this.#turn({ after: this.pagination.next });
  }

  getPreviousPage() {
    if (!this.hasPreviousPage()) throw refused("there is no previous page");
    return this.#turn({ before: this.pagination.previous });
  }

  async *iterPages() {
    let page = this;
    yield page;
    while (page.hasNextPage()) yield (page = await page.getNextPage());
  }

  async *[Symbol.asyncIterator]() {
    for await (const { data } of this.iterPages()) yield* data;
  }
}

const FILTERS = ["status", "tags", "idempotencyKey", "createdAt", "limit", "after", "before"];

/** The query of these filters. */
function query(filters) {
  const { status, tags, idempotencyKey, createdAt, limit, after, before } = known("filters", filters, FILTERS);
  const { period, from, to } = known("createdAt", createdAt, ["period", "from", "to"]);
  const wrong = [status ?? []].flat().find((status) => !STATUSES.includes(status));
  if (wrong !== undefined) throw refused(`status ${wrong} is none of ${STATUSES.join(", ")}`);
  const values = {
    "page[size]": limit === undefined ? "" : size(limit),
    "page[after]": line("after", after),
    "page[before]": line("before", before),
    "filter[status]": list("status", status),
    "filter[idempotencyKey]": line("idempotencyKey", idempotencyKey),
    "filter[tags]": list("tags", tags),
    "filter[createdAt][period]": line("createdAt.period", period),
    "filter[createdAt][from]": moment("createdAt.from", from),
    "filter[createdAt][to]": moment("createdAt.to", to),
  };
  return new URLSearchParams(Object.entries(values).filter(([, value]) => value !== ""));
}

/** As it goes over the wire: with a comma in between. No list is no filter, an empty one a mistake. */
function list(name, values) {
  if (values === undefined) return "";
  const texts = [values].flat().map((value) => line(name, value));
  if (texts.length === 0) throw refused(`${name} is empty, and so nothing fits; leave it out for all`);
  if (texts.some((text) => text.includes(","))) throw refused(`${name} cannot be asked for with a comma in it`);
  return texts.join();
}

function size(limit) {
  if (Number.isInteger(limit) && limit >= 1 && limit <= 100) return limit;
  throw refused(`limit is ${limit}, not a whole number from 1 to 100`);
}

/** Milliseconds since the epoch. */
function moment(name, value) {
  if (value === undefined) return "";
  const millis = value instanceof Date ? value.getTime() : value;
  if (Number.isInteger(millis) && millis >= 0) return millis;
  throw refused(`${name} is neither a Date since 1970 nor a whole number of milliseconds`);
}
