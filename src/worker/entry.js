// What the platform calls: the Worker, and the classes of its Durable Objects. Each is a shell of its Rust.
import { LINE, WAITER, farewell } from "./platform.js";
import { enter, generation, run } from "./runtime.js";

export default {
  async fetch(request, env) {
    try {
      return await run(enter((wasm) => wasm.fetch(request, env)));
    } catch (error) {
      console.error("a request failed", String(error));
      const body = '{"error":"Something went wrong here; it is safe to try again","code":"internal_error"}';
      return new Response(body, { status: 500, headers: { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" } });
    }
  },
};

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

    /** Calls Rust's side of it, made anew for a new instance: what is lost with the old is only what spares work. */
    call(name, ...args) {
      return enter((wasm) => {
        if (this.#born !== generation) {
          this.#rust = new wasm[Rust](this.#state, this.#env);
          this.#born = generation;
        }
        return this.#rust[name](...args);
      });
    }
  };

const body = async (request) => new Uint8Array(await request.arrayBuffer());

const NOTHING = new Uint8Array(0);

export class TokenObject extends object("TokenObject") {
  fetch(request) {
    const line = request.headers.get(LINE);
    if (line !== null) return this.call("answer", line, NOTHING);
    const waiter = request.headers.get(WAITER);
    if (waiter !== null) return run(this.call("admit", waiter));
    return body(request).then((body) => this.call("answer", "", body));
  }

  alarm() {
    return run(this.call("alarm"));
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
    return run(this.call("answer", await body(request)));
  }
}

export class IndexObject extends object("IndexObject") {
  async fetch(request) {
    return run(this.call("answer", await body(request)));
  }

  alarm() {
    return run(this.call("alarm"));
  }
}
