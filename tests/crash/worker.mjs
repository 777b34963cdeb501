// The Worker that is killed, and the requests to it, which get a response or break off.
import * as workerd from "../support/workerd.mjs";

/**
 * Milliseconds after which a request counts as hanging. A stream of events is alive as long as
 * pings come.
 */
const ANSWERED_WITHIN = 60_000;

export const pause = (millis) => new Promise((resolve) => setTimeout(resolve, Math.max(0, millis)));
/** Milliseconds since 1970, as the Worker counts them. */
export const now = () => Date.now();

export class KilledWorker {
  kills = 0;
  /** When what was acknowledged. `announced` are creations that somebody is told of. */
  acknowledged = { completions: [], cancels: [], extensions: [], votes: [], announced: [] };
  /** The number of acknowledgements that somebody waits for. */
  #awaited = { count: Infinity };
  /** The statuses that a client may get, and other problems. */
  expected = [200, 404];
  failures = [];
  counts = { requests: 0, unanswered: 0, unavailable: 0 };
  /** For each kill: the requests in flight, and what was acknowledged in the last 100 ms. */
  atKill = [];
  #inFlight = new Set();

  constructor() {
    // A key of its own, as another Worker may get the port of a dead one.
    this.key = `tr_dev_${crypto.randomUUID()}`;
  }

  /** `serve` starts it: by default workerd alone. */
  async start({ vars, ...target }, { serve = workerd.serve, ...options }) {
    this.server = await serve({ ...target, vars: { ...vars, SECRET_KEYS: this.key } }, options);
    this.up = Promise.resolve();
  }

  get #acknowledgements() {
    return Object.values(this.acknowledged).reduce((sum, { length }) => sum + length, 0);
  }

  acknowledge(what) {
    this.acknowledged[what].push(performance.now());
    if (this.#acknowledgements >= this.#awaited.count) this.#awaited.resolve();
  }

  /** Resolves when so much more is acknowledged. */
  untilAcknowledged(count) {
    this.#awaited = { count: this.#acknowledgements + count, ...Promise.withResolvers() };
    return this.#awaited.promise;
  }

  /** SIGKILL while requests are in flight, and a restart over what is on disk. */
  async kill() {
    while (this.#inFlight.size === 0) await pause(1);
    const at = performance.now();
    const fresh = Object.entries(this.acknowledged).map(([what, moments]) => [
      what,
      moments.filter((moment) => at - moment < 100).length,
    ]);
    this.atKill.push({ inFlight: this.#inFlight.size, fresh: Object.fromEntries(fresh) });
    this.kills += 1;
    await this.restart();
  }

  async restart() {
    const { promise, resolve } = Promise.withResolvers();
    this.up = promise;
    await this.server.restart();
    resolve();
  }

  /** The response, or undefined if there was none. Waits until the server runs. */
  async send(
    path,
    {
      body,
      bearer = this.key,
      headers = {},
      signal,
      expected = this.expected,
      redirect = "follow",
      receive = (answer) => answer.text(),
    } = {},
  ) {
    await this.up;
    this.counts.requests += 1;
    const [mark, began] = [Symbol(), now()];
    this.#inFlight.add(mark);
    const hangs = new AbortController();
    const timer = setTimeout(() => hangs.abort(), ANSWERED_WITHIN);
    const isAlive = () => timer.refresh();
    try {
      const answer = await fetch(this.server.url + path, {
        method: body === undefined ? "GET" : "POST",
        headers: {
          ...(bearer && { authorization: `Bearer ${bearer}` }),
          "content-type": "application/json",
          ...headers,
        },
        body,
        redirect,
        signal: signal ? AbortSignal.any([signal, hangs.signal]) : hangs.signal,
      });
      const { status } = answer;
      const text = await receive(answer, isAlive);
      const ended = now();
      // Another Worker has this port.
      if (status === 401) return undefined;
      if (!expected.includes(status))
        this.failures.push(`${status} ${path.slice(0, 60)} ${String(text).slice(0, 200)}`);
      if (status < 500) return { status, headers: answer.headers, text, began, ended };
      this.counts.unavailable += 1;
      await pause(100);
      return undefined;
    } catch {
      if (hangs.signal.aborted) {
        const failure = `no answer for ${ANSWERED_WITHIN / 1000} s: ${path.slice(0, 60)}`;
        this.failures.push(failure);
        // Also at once: whoever waits for this response may never end.
        console.error(failure);
      }
      this.counts.unanswered += 1;
      return undefined;
    } finally {
      clearTimeout(timer);
      this.#inFlight.delete(mark);
    }
  }

  /** Sends until there is a response. */
  async insist(...args) {
    for (;;) {
      const answer = await this.send(...args);
      if (answer) return answer;
    }
  }
}
