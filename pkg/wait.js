// `waitForToken`: by socket where there is one, else by long poll, else by asking again and again. What a
// wait rests on is a `Line`; when to pick it up again is decided in Rust, as for any request.
import { RETRIEVE, WAIT, Wire, given, parse, read, retries, settle, started } from "./call.js";

// Retries without end (src/client/retry.rs): what was reached once will be reached again.
const PATIENCE = [2 ** 32 - 1, 500, 10_000, 2];
const LOST = 100;

// Seconds that a server holds a long poll.
const HELD = 25;
// Silence, in milliseconds, after which a socket is asked whether it lives.
const SILENCE = 30_000;

// What a subprotocol may be made of; some keys are not.
const PROTOCOL = /^[\w!#$%&'*+.^`|~-]+$/;

const isOver = (body) => ["COMPLETED", "TIMED_OUT"].includes(body?.status);

export async function waitForToken(token, options) {
  const target = given(token, options);
  const ask = async (action, wire, retry) => {
    const { body } = await settle(() => started().start(action, target, wire, ...retry));
    read(body);
    return body;
  };
  const first = await ask(RETRIEVE, new Wire(options), retries(options?.retry));
  if (isOver(first)) return read(first);
  const end = await ask(WAIT, new Line(options, true), PATIENCE).catch((error) => {
    if (error.status !== 404 || error.code === "token_not_found") throw error;
    // trigger.dev's, where nobody can wait.
    return ask(RETRIEVE, new Line(options, false), PATIENCE);
  });
  // A socket's has no credential.
  return read({ ...end, url: first.url });
}

/** Sends what asks for the end of a token; an answer of 2xx is that end. */
class Line extends Wire {
  constructor(options, waits) {
    super(options, undefined, waits ? { prefer: `wait=${HELD}` } : {});
    this.waits = waits;
    this.sockets = waits && typeof WebSocket === "function";
    this.patience = this.timeoutInMs;
    if (waits) this.timeoutInMs = Math.min(this.timeoutInMs + HELD * 1000, 2 ** 31 - 1);
  }

  async send(url, bearer) {
    if (this.sockets && !this.signal?.aborted) {
      const heard = await this.listen(url, bearer);
      if (heard) {
        this.heard = true;
        return { status: isOver(heard) ? 200 : LOST, should: NaN, pause: NaN, body: heard };
      }
    }
    // Also when a socket was refused, which does not tell why.
    const asked = Date.now();
    const answer = await super.send(url, bearer);
    if (answer.status >= 200 && answer.status < 300 && !isOver(answer.body)) {
      // It is reached by requests alone: there is a proxy between, or a policy.
      this.sockets &&= this.heard;
      // Whoever does not hold the request is asked ever more seldom.
      answer.status = this.waits && Date.now() - asked > 1000 ? LOST : 0;
    }
    return answer;
  }

  /** What a socket said last before it ended; undefined if it said nothing, or there is none. */
  listen(url, bearer) {
    return new Promise((resolve) => {
      let heard, socket, timer, tcp;
      const end = () => {
        clearTimeout(timer);
        forget();
        socket?.removeEventListener("message", hear);
        socket?.close();
        tcp?.unref();
        resolve(heard);
      };
      const hear = ({ data }) => {
        heard = parse(data) ?? heard;
        if (isOver(heard)) return end();
        clearTimeout(timer);
        timer = setTimeout(() => {
          socket.send("ping");
          timer = setTimeout(end, this.patience);
        }, SILENCE);
      };
      const forget = this.upon(end);
      try {
        if (!PROTOCOL.test(bearer)) return end();
        const protocols = ["waitpoint.v1", `bearer.${bearer}`];
        const dispatcher = seen((connection) => (tcp = connection));
        socket = new WebSocket(url.replace("http", "ws"), dispatcher ? { protocols, dispatcher } : protocols);
      } catch {
        // A page of HTTPS and a server of HTTP.
        return end();
      }
      timer = setTimeout(end, this.patience);
      socket.addEventListener("message", hear);
      socket.addEventListener("close", end);
      // Node tells of a refused handshake by this alone.
      socket.addEventListener("error", end);
    });
  }
}

/**
 * Node's sockets keep their process until the other side has closed too, for minutes if the connection is dead; so their
 * connections are needed, which only what carries a request sees. Undefined anywhere else.
 */
function seen(see) {
  const node = globalThis[Symbol.for("undici.globalDispatcher.1")];
  return node?.dispatch && {
    dispatch(request, handler) {
      for (const name of ["onUpgrade", "onRequestUpgrade"]) {
        const upgrade = handler[name];
        if (upgrade) handler[name] = (...args) => (see(args.at(-1)), upgrade.apply(handler, args));
      }
      return node.dispatch(request, handler);
    },
  };
}
