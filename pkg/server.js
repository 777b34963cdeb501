// The entry `waitpoint/server`: all of `waitpoint`, and the calls that need a secret key.
import { makeError } from "./shared.js";
import { loadWasm } from "./start.js";
import { core } from "./wasm/server.js";

export * from "./index.js";

/** The most empty pages in a row: our Worker looks at 50 million tokens for them. */
const MAX_EMPTY = 1_000;

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
    return !!this.pagination.next;
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
    // A server looks at a limited number of tokens for a page, so an empty one is no end. But if
    // they went on for ever, who iterates over tokens could never stop.
    let empty = 0;
    for (let page = this; page; page = page.hasNextPage() && (await page.getNextPage())) {
      empty = page.data.length > 0 ? 0 : empty + 1;
      if (empty > MAX_EMPTY)
        throw makeError(`The list has ${empty} empty pages in a row.`, "invalid_response");
      yield page;
    }
  }

  /** Of a page, or of the promise of one. */
  async *[Symbol.asyncIterator]() {
    for await (const { data } of (await this).iterPages()) yield* data;
  }
}
