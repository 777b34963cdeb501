// What the platform calls: the Worker, and the classes of its Durable Objects, each a shell of its Rust.
// Why this is JavaScript: a panic traps, after which an instance cannot answer for itself. The shells outlive it, answer for
// it and replace it. worker-build's own shim answers a panic of the Worker, but one of an object hangs its request.
// `worker-build --panic-unwind` would do it too, but it needs a nightly Rust and 30 kB more of upload.
import module from "./waitpoint.wasm";
import * as wasm from "waitpoint:wasm";
import { COMMAND_HEADER } from "./crossings.js";
import { endPolls, handlers, streams } from "./guard.js";

wasm.initSync({ module });

// What ends each request and alarm that is under way, by what Rust knows it by; and what it ends with if its
// instance is replaced. When a client leaves, a platform may drop the request's promises without settling
// them. workerd settles them within the time limits of what is awaited, so no entry stays; elsewhere one would
// stay until the instance is replaced. `context.waitUntil` would prevent it, for a tenth of a request's CPU.
const underWay = new Map();
const REPLACED = new Error("the instance was replaced");
// More panics are not left behind, whatever is under way: each leaves a part of a stack of 1 MB.
const MOST_PANICS = 10;
let panics = 0;
// Changes with the instance and with each panic: what Rust held of an object by then may be half done.
let generation = 0;

// A stack that is full is no RuntimeError, and not every RangeError is one.
const isTrap = (error) => error instanceof WebAssembly.RuntimeError || /call stack/.test(error?.message);

/** A poll has ended with an exception. Ends the request that it belonged to; all else goes on. */
handlers.trapped = (error) => {
  const key = panicked();
  underWay.get(key)?.(error);
  underWay.delete(key);
  // What it rejects wakes the poll that trapped, which would trap again: the instance must go.
  if (streams.delete(key)) return key.abort(error).catch(() => {}), replace();
  // Null is work behind a request, which the alarm makes good. For what is unknown somebody may wait for ever.
  if (key === undefined) replace();
  else renew();
};
handlers.idle = renew;

function panicked() {
  [panics, generation] = [panics + 1, generation + 1];
  try { return wasm.panicked(); } catch { panics = MOST_PANICS; } // Not even that works any more.
}

function renew() {
  if (panics >= MOST_PANICS || (panics > 0 && underWay.size === 0 && wasm.tasks_behind() === 0)) replace();
}

function replace() {
  console.error("a panic; the instance is replaced");
  panics = 0;
  generation += 1;
  endPolls();
  wasm.__wbg_reset_state();
  for (const reject of underWay.values()) reject(REPLACED);
  underWay.clear();
  for (const stream of streams) {
    // Their clients connect again. One that cannot be aborted must not keep the others open.
    try { stream.abort(REPLACED).catch(() => {}); } catch {}
  }
  streams.clear();
}

function enter(call) {
  try {
    return call();
  } catch (error) {
    if (isTrap(error)) {
      panicked();
      renew();
    }
    throw error;
  }
}

/** What the call promises, or a rejection if that panics; Rust knows it by `key`. */
const promised = (key, call) =>
  new Promise((resolve, reject) => {
    const end = (settle) => (value) => {
      if (underWay.get(key) === reject) underWay.delete(key);
      if (panics > 0) renew();
      settle(value);
    };
    underWay.set(key, reject);
    try {
      enter(call).then(end(resolve), end(reject));
    } catch (error) {
      end(reject)(error);
    }
  });

/**
 * Likewise, from its beginning again if the panics of others end it, unless the body of its request is read; `failed` tells what
 * it comes to if it fails. It begins again in what follows its own promise, as the platform forbids I/O in what another request does.
 */
const promisedAgain = (key, call, failed = (why) => Promise.reject(why)) =>
  promised(key, call).catch((error) => (error === REPLACED && !key.bodyUsed ? promisedAgain(key, call, failed) : failed(error)));

function answerFailure(request, error) {
  console.error("a request failed", String(error));
  try {
    return enter(() => wasm.failure(request));
  } catch {
    return new Response("It is safe to try again", { status: 500, headers: { "retry-after": "1", "x-should-retry": "true" } });
  }
}

export default {
  fetch: (request, env, context) =>
    promisedAgain(request, () => wasm.fetch(request, env, context), (error) => answerFailure(request, error)),
};

const LATER_MS = 5 * 60_000;

/** `Rust` names the class that knows what to do. */
const shell = (Rust) =>
  class {
    #state;
    #env;
    #generation;
    #rust;
    constructor(state, env) {
      [this.#state, this.#env] = [state, env];
    }

    /** Rust's side of it, made anew after a panic: what is lost with the old is only what spares work. */
    get rust() {
      if (this.#generation !== generation) {
        // The earlier one is not freed, as the panic may have left it borrowed.
        this.#rust?.__destroy_into_raw();
        this.#rust = new wasm[Rust](this.#state, this.#env);
        this.#generation = generation;
      }
      return this.#rust;
    }

    fetch(request) {
      return promisedAgain(request, () => this.rust.fetch(request));
    }

    /** Does what an alarm is for, later if it panics: the platform would call six times and then never again. */
    alarm() {
      const { storage } = this.#state;
      return promisedAgain(this.#state, () => this.rust.alarm(), async (error) => {
        console.error("an alarm failed", String(error));
        const at = await storage.getAlarm();
        if (at === null || at > Date.now() + LATER_MS) await storage.setAlarm(Date.now() + LATER_MS);
      });
    }
  };

export class TokenObject extends shell("TokenObject") {
  /** A command that came in a header is answered at once: a promise and a poll would be a tenth of a request. */
  fetch(request) {
    const command = request.headers.get(COMMAND_HEADER);
    return command === null ? super.fetch(request) : enter(() => this.rust.answer(command));
  }

  // A waiter has nothing to say; the platform itself answers pings and closes.
  webSocketMessage(socket) { socket.close(1008, "a waiter has nothing to say"); }
  webSocketClose() {}
}

export const [KeyObject, IndexObject] = [shell("KeyObject"), shell("IndexObject")];
