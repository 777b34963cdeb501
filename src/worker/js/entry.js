// What the platform calls: the Worker and the classes of its Durable Objects, each a shell of its
// Rust. Why this is JavaScript: a panic traps, and a wasm instance that trapped cannot answer for
// itself. The shells outlive it, answer for it and replace it (docs/decisions/panics.md).
import * as wasm from "waitpoint:wasm";
import { COMMAND_HEADER } from "./crossings.js";
import { endPolls, handlers, streams } from "./guard.js";
import module from "./waitpoint.wasm";

wasm.initSync({ module });

// What rejects each request and alarm under way, by the key that Rust has for it.
const underWay = new Map();
const REPLACED = new Error("the instance was replaced");
// Each panic leaves a part of a stack of 1 MB, so after so many the instance is replaced at once.
const MOST_PANICS = 10;
let panics = 0;
// Changes with each panic: what Rust held of an object by then may be half done.
let generation = 0;

/** A poll has ended with an exception. Ends the request that it belonged to; all others go on. */
handlers.trapped = (error) => {
  const key = panicked();
  underWay.get(key)?.(error);
  underWay.delete(key);
  const isStream = streams.delete(key);
  if (isStream) key.abort(error).catch(() => {});
  // Aborting a stream wakes the poll that trapped, which would trap again. And for an unknown key
  // somebody may wait for ever. (Null is work behind a request, which the alarm repeats.)
  if (isStream || key === undefined) replace();
  else renew();
};
handlers.idle = renew;

function panicked() {
  [panics, generation] = [panics + 1, generation + 1];
  try {
    return wasm.panicked();
  } catch {
    panics = MOST_PANICS; // Not even that works any more.
  }
}

function renew() {
  const isIdle = () => panics > 0 && underWay.size === 0 && wasm.tasks_behind() === 0;
  if (panics >= MOST_PANICS || isIdle()) replace();
}

function replace() {
  console.error("a panic; the instance is replaced");
  panics = 0;
  generation += 1;
  endPolls();
  wasm.__wbg_reset_state();
  for (const reject of underWay.values()) reject(REPLACED);
  underWay.clear();
  // Their clients reconnect. One that cannot be aborted must not keep the others open.
  for (const stream of streams) (async () => stream.abort(REPLACED))().catch(() => {});
  streams.clear();
}

function enter(call) {
  try {
    return call();
  } catch (error) {
    // A full stack is not a RuntimeError, and not every RangeError is a full stack.
    if (error instanceof WebAssembly.RuntimeError || /call stack/.test(error?.message)) {
      panicked();
      renew();
    }
    throw error;
  }
}

/** What the call promises, or a rejection if it panics. Rust knows the call by `key`. */
const promised = (key, call) =>
  new Promise((resolve, reject) => {
    const end = (settle) => (value) => {
      if (underWay.get(key) === reject) underWay.delete(key);
      if (panics > 0) renew();
      settle(value);
    };
    const called = enter(call);
    underWay.set(key, reject);
    called.then(end(resolve), end(reject));
  });

/**
 * Likewise, but repeated if the panics of others end it, unless its request's body is read;
 * `failed` makes a failure's result. Behind its own promise: no request does I/O for another.
 */
const promisedAgain = (key, call, failed = (error) => Promise.reject(error)) =>
  promised(key, call).catch((error) =>
    error === REPLACED && !key.bodyUsed ? promisedAgain(key, call, failed) : failed(error),
  );

const failure = (request) => (error) => {
  console.error("a request failed", String(error));
  try {
    return enter(() => wasm.failure(request));
  } catch {
    const headers = { "retry-after": "1", "x-should-retry": "true" };
    return new Response("It is safe to try again", { status: 500, headers });
  }
};

export default {
  fetch(request, env, context) {
    return promisedAgain(request, () => wasm.fetch(request, env, context), failure(request));
  },
};

const shell = (rustClass) =>
  class {
    #given;
    #generation;
    #rust;
    constructor(...given) {
      this.#given = given;
    }

    /** The object in Rust. It is made anew after a panic, which loses only what spares work. */
    get rust() {
      if (this.#generation !== generation) {
        // The earlier one is not freed, as the panic may have left it borrowed.
        this.#rust?.__destroy_into_raw();
        this.#rust = new wasm[rustClass](...this.#given);
        this.#generation = generation;
      }
      return this.#rust;
    }

    fetch(request) {
      return promisedAgain(request, () => this.rust.fetch(request));
    }

    /** If it panics it comes again later: the platform would try six times and then never again. */
    alarm() {
      const [state] = this.#given;
      const failed = async (error) => {
        console.error("an alarm failed", String(error));
        const [at, later] = [await state.storage.getAlarm(), Date.now() + 300_000];
        if (at === null || at > later) await state.storage.setAlarm(later);
      };
      return promisedAgain(state, () => this.rust.alarm(), failed);
    }
  };

export class TokenObject extends shell("TokenObject") {
  /** A command in a header is answered at once: a promise and a poll are a tenth of a request. */
  fetch(request) {
    const command = request.headers.get(COMMAND_HEADER);
    return command === null ? super.fetch(request) : enter(() => this.rust.answer(command));
  }

  // A waiter has nothing to say; the platform itself answers pings and closes.
  webSocketMessage(socket) {
    socket.close(1008, "a waiter has nothing to say");
  }
  webSocketClose() {}
}

export const [KeyObject, IndexObject] = [shell("KeyObject"), shell("IndexObject")];
