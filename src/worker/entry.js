// What the platform calls: the Worker, and the classes of its Durable Objects. Each is a shell of its Rust.
import { LINE, WAITER, alarmBy, bytes, farewell } from "./platform.js";
import { enter, generation, run, runAgain } from "./runtime.js";

export default {
  async fetch(request, env) {
    try {
      return await runAgain(() => {
        if (request.bodyUsed) throw new Error("the instance was replaced, and the body is read");
        return enter((wasm) => wasm.fetch(request, env));
      });
    } catch (error) {
      console.error("a request failed", String(error));
      return failure(request);
    }
  },
};

// What pages of other origins may call: `is_for_browsers` of route.rs.
const FOR_BROWSERS = /^\/api\/v1\/waitpoints\/tokens\/[^/]+(\/complete|\/wait)?$/;

/** The answer to a request whose Rust panicked; so it is made without it. Every request may be sent twice. */
function failure({ url, headers: asked }) {
  const sentence = "Something went wrong here; it is safe to try again";
  const isForPeople = asked.get("accept")?.includes("text/html");
  // Those that http.rs gives every answer among them.
  const headers = new Headers({
    "content-type": isForPeople ? "text/plain; charset=utf-8" : "application/json; charset=utf-8",
    "cache-control": "no-store",
    "retry-after": "1",
    "x-should-retry": "true",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow, noarchive, nosnippet",
    "strict-transport-security": "max-age=63072000",
  });
  const page = asked.get("origin");
  if (page && FOR_BROWSERS.test(new URL(url).pathname)) {
    headers.set("access-control-allow-origin", page);
    headers.set("access-control-expose-headers", "x-should-retry, retry-after");
    headers.set("vary", "Origin");
  }
  const body = isForPeople ? sentence : JSON.stringify({ error: sentence, code: "internal_error" });
  return new Response(body, { status: 500, headers });
}

// In milliseconds.
const LATER = 5 * 60_000;

/** `Rust` names the class that knows what to do. */
const object = (Rust) =>
  class {
    #state;
    #env;
    #born;
    #rust;

    constructor(state, env) {
      this.#state = state;
      this.#env = env;
    }

    /** Calls Rust's side of it, made anew after a panic: what is lost with the old is only what spares work. */
    call(name, ...args) {
      return enter((wasm) => {
        if (this.#born !== generation) {
          // The earlier one is not freed, as the panic may have left it borrowed.
          this.#rust?.__destroy_into_raw();
          this.#rust = new wasm[Rust](this.#state, this.#env);
          this.#born = generation;
        }
        return this.#rust[name](...args);
      });
    }

    /** Does what an alarm is for, later if it panics: the platform would call six times and then never again. */
    async wake() {
      try {
        await runAgain(() => this.call("alarm"));
      } catch (error) {
        console.error("an alarm failed", String(error));
        await alarmBy(this.#state, Date.now() + LATER);
      }
    }
  };

const NOTHING = new Uint8Array(0);

export class TokenObject extends object("TokenObject") {
  fetch(request) {
    const line = request.headers.get(LINE);
    if (line !== null) return this.call("answer", line, NOTHING);
    const waiter = request.headers.get(WAITER);
    if (waiter !== null) return run(this.call("admit", waiter));
    return bytes(request).then((body) => this.call("answer", "", body));
  }

  alarm() {
    return this.wake();
  }

  // A waiter has nothing to say; pings are answered by the platform.
  webSocketMessage() {}

  webSocketClose(socket) {
    farewell(socket);
  }

  webSocketError() {}
}

export class KeyObject extends object("KeyObject") {
  async fetch(request) {
    const command = await bytes(request);
    return runAgain(() => this.call("answer", command));
  }
}

export class IndexObject extends object("IndexObject") {
  async fetch(request) {
    const command = await bytes(request);
    return runAgain(() => this.call("answer", command));
  }

  alarm() {
    return this.wake();
  }
}
