// The entry `waitpoint/server`: all of `waitpoint`, and the calls that need a secret key.
import { makeError } from "./shared.js";
import { loadWasm } from "./start.js";
import { core } from "./wasm/server.js";

export * from "./index.js";

export const createToken = (...args) => loadWasm(core, "createToken", args);
export const cancelToken = (...args) => loadWasm(core, "cancelToken", args);
export const extendToken = (...args) => loadWasm(core, "extendToken", args);

export function listTokens(filters, options) {
  const turn = (to, cursor) => {
    if (!cursor) throw makeError(`There is no page ${to} this one.`, "invalid_argument");
    return listTokens({ ...filters, after: undefined, before: undefined, [to]: cursor }, options);
  };
  const page = loadWasm(core, "listTokens", [filters, options]).then((p) => new TokenPage(p, turn));
  // Without `await` too: `for await (const token of listTokens())`.
  page[Symbol.asyncIterator] = TokenPage.prototype[Symbol.asyncIterator];
  return page;
}

class TokenPage {
  /** Lists the tokens after or before a cursor. */
  #turn;

  constructor(page, turn) {
    Object.assign(this, page);
    this.#turn = turn;
  }

  hasNextPage() {
    // No page follows an empty one, whatever the server says.
    return this.data.length > 0 && !!this.pagination.next;
  }

  hasPreviousPage() {
    return !!this.pagination.previous;
  }

  getNextPage() {
    return this.#turn("after", this.pagination.next);
  }

  getPreviousPage() {
    return this.#turn("before", this.pagination.previous);
  }

  async *iterPages() {
    for (let page = this; page; page = page.hasNextPage() && (await page.getNextPage())) yield page;
  }

  /** Of a page, or of the promise of one. */
  async *[Symbol.asyncIterator]() {
    for await (const { data } of (await this).iterPages()) yield* data;
  }
}
