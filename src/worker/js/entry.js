// The entry points: the Worker and the classes of its Durable Objects. Each wraps its Rust side.
// Why this is JavaScript: a wasm instance that trapped in a panic can no longer respond. The
// wrappers outlive it, respond in its place and replace it (docs/decisions/panics.md).
import * as wasm from "waitpoint:wasm";
import { COMMAND_HEADER } from "./crossings.js";
import { endPolls, handlers, streams } from "./guard.js";
import module from "./waitpoint.wasm";

wasm.initSync({ module });

// Rejects each request or alarm in progress, by its key in Rust.
const underWay = new Map();
const REPLACED = new Error("the instance was replaced");
// Each panic leaks a part of the 1 MB stack, so after this many the instance is replaced at once.
const MOST_PANICS = 10;
let panics = 0;
// Changes with each panic, because the Rust side of an object may then be inconsistent.
let generation = 0;

/** Handles an exception of a poll: ends the request that it belonged to. All others continue. */
handlers.trapped = (error) => {
  const key = panicked();
  underWay.get(key)?.(error);
  underWay.delete(key);
  const isStream = streams.delete(key);
  if (isStream) key.abort(error).catch(() => {});
  // Aborting a stream wakes the poll that trapped, which would trap again. For an unknown key a
  // client may wait for ever. (Null is background work, which the alarm repeats.)
  if (isStream || key === undefined) replace();
  else renew();
};
handlers.idle = renew;

function panicked() {
  [panics, generation] = [panics + 1, generation + 1];
  try {
    return wasm.panicked();
  } catch {
    panics = MOST_PANICS; // The instance cannot be used at all.
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
  // The clients reconnect. A stream that cannot be aborted must not keep the others open.
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

/** The result of the call; rejects if the call panics. `key` identifies the call in Rust. */
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
 * Like `promised`, but repeats a call that another's panic ended and whose body is unread. `failed`
 * makes the result of a failure. It repeats in its own promise: requests must not share I/O.
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

    /** The object in Rust. After a panic a new one is made; only cached data is lost. */
    get rust() {
      if (this.#generation !== generation) {
        // The old one is not freed, because the panic may have left it borrowed.
        this.#rust?.__destroy_into_raw();
        this.#rust = new wasm[rustClass](...this.#given);
        this.#generation = generation;
      }
      return this.#rust;
    }

    fetch(request) {
      return promisedAgain(request, () => this.rust.fetch(request));
    }

    /** An alarm that panics is set again, because the platform retries it only six times. */
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
  /** Answers a command in a header synchronously: a promise would cost a tenth of a request. */
  fetch(request) {
    const command = request.headers.get(COMMAND_HEADER);
    return command === null ? super.fetch(request) : enter(() => this.rust.answer(command));
  }

  // A waiter that sends a message is disconnected. The platform answers pings and close frames.
  webSocketMessage(socket) {
    socket.close(1008, "a waiter has nothing to say");
  }
  webSocketClose() {}
}

export const [KeyObject, IndexObject] = [shell("KeyObject"), shell("IndexObject")];
