// What the clients of a run do and what they were told.
import { once } from "node:events";
import { createServer } from "node:http";
import { random } from "./random.mjs";
import { Token } from "./token.mjs";
import { KilledWorker, now, pause } from "./worker.mjs";

const TOKENS = "/api/v1/waitpoints/tokens";
const SECRET = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
/** Requests of one kind that are in flight at a time, where nothing else limits them. */
const TOGETHER = 16;

/** Does `work` for each item, TOGETHER at a time. */
export async function each(items, work) {
  const left = items.values();
  await Promise.all(
    Array.from({ length: TOGETHER }, async () => {
      for (const item of left) await work(item);
    }),
  );
}

export class Run extends KilledWorker {
  tokens = [];
  isOver = false;
  /** Resolves when no verification is under way. */
  verified = Promise.resolve();
  /** The number of acknowledged completions that somebody waits for. */
  #awaited = { count: Infinity };
  /** How many milliseconds after its timeout the webhook of an unattended token came. */
  lags = [];
  /** Tokens with events since they were last verified. */
  #touched = new Set();
  /**
   * Tokens that nobody asks for. Each reports itself by its webhook, kept here by the token's id.
   */
  #unattended = [];
  #hooks = new Map();
  #next = 0;

  constructor(seed, owedWithin) {
    super();
    Object.assign(this, { seed, owedWithin });
    Object.assign(this.counts, { waiters: 0, keys: 0, timeouts: 0, webhooks: 0 });
  }

  async open(target, options) {
    this.receiver = createServer(async (request, response) => {
      const { data } = JSON.parse(Buffer.concat(await Array.fromAsync(request)));
      this.#hook(data.id).resolve({ at: now(), data });
      response.end();
    });
    await once(this.receiver.listen(0, "127.0.0.1"), "listening");
    await this.start({ ...target, vars: { ...target.vars, WEBHOOK_SECRET: SECRET } }, options);
  }

  async close() {
    await this.server.stop();
    this.receiver.closeAllConnections();
    this.receiver.close();
  }

  #hook(id) {
    if (!this.#hooks.has(id)) this.#hooks.set(id, Promise.withResolvers());
    return this.#hooks.get(id);
  }

  /** Resolves when so many more completions are acknowledged. */
  untilAcknowledged(count) {
    this.#awaited = { count: this.acknowledged.length + count, ...Promise.withResolvers() };
    return this.#awaited.promise;
  }

  /** Adds an event, which is verified after the next kill. */
  record(token, event) {
    token.add(event);
    this.#touched.add(token);
  }

  /** One client, with one token after another, as the seed decides. */
  async play() {
    while (!this.isOver) {
      await this.verified;
      const chance = random(this.seed * 1_000_003 + ++this.#next);
      const token = new Token();
      const story = chance();
      if (story < 0.7) await this.#decided(token, chance);
      else if (story < 0.9) await this.#raced(token, chance);
      else await this.#unattendedTimeout(token, chance);
    }
  }

  /** Several clients decide on a token that does not time out. */
  async #decided(token, chance) {
    const isKeyed = chance.hits(0.3);
    if (isKeyed) this.counts.keys += 1;
    const fields = {
      timeout: chance.hits(0.5) ? "1h" : undefined,
      idempotencyKey: isKeyed ? `key ${this.#next}` : undefined,
    };
    const body = JSON.stringify(fields);
    const creators = isKeyed ? 1 + chance.below(3) : 1;
    await Promise.all(
      Array.from({ length: creators }, (_, creator) => {
        const names = isKeyed ? chance.hits(0.5) : chance.hits(0.4);
        const request = `${this.seed}-${this.#next}-${creator}`;
        return this.#create(token, {
          body,
          request,
          names,
          again: chance.hits(0.2) && (names || isKeyed),
        });
      }),
    );
    await this.#race(token, chance, () => chance.in(0, 60));
  }

  /** Decisions come at about the time of the timeout. */
  async #raced(token, chance) {
    const millis = 300 + chance.below(1_200);
    await this.#createUntil(token, millis);
    await this.#race(token, chance, () => token.timeoutAt - now() + chance.in(-60, 20));
  }

  /** Nobody decides or reads, so that only the alarm can end the token and send its webhook. */
  async #unattendedTimeout(token, chance) {
    const { port } = this.receiver.address();
    await this.#createUntil(token, 300 + chance.below(2_700), {
      webhook: { url: `http://127.0.0.1:${port}/` },
    });
    // It must not be read before its webhook has come.
    this.#touched.delete(token);
    const told = this.#hook(token.id).promise.then(({ at, data }) => {
      this.lags.push(at - token.timeoutAt);
      this.counts.webhooks += 1;
      this.record(token, {
        kind: "shown",
        began: at,
        ended: at,
        status: data.status,
        output: data.output,
      });
    });
    this.#unattended.push(told);
  }

  /** Creates a token that times out so many milliseconds from now. */
  async #createUntil(token, millis, fields) {
    for (let answer; answer?.status !== 200; ) {
      await this.up;
      const timeoutAt = now() + millis;
      const body = JSON.stringify({ timeout: new Date(timeoutAt).toISOString(), ...fields });
      // Without a response this starts over: a token that was made then has no client. On a slow
      // machine the time may be in the past already.
      answer = await this.send(TOKENS, { body, expected: [400, ...this.expected] });
      if (answer?.status === 200) this.#created(token, answer, Symbol(), timeoutAt);
    }
  }

  /**
   * Creates until there is a response, and once more if `again`. With `names` the request is named
   * by a header.
   */
  async #create(token, { body, request, names, again }) {
    const headers = names ? { "x-trigger-request-idempotency-key": request } : {};
    for (let times = again ? 2 : 1; times > 0; times--) {
      // Only a named request can be told twice that it created the token.
      this.#created(
        token,
        await this.insist(TOKENS, { body, headers }),
        names ? request : Symbol(),
      );
    }
  }

  #created(token, { text, headers, began, ended }, request, timeoutAt = Infinity) {
    const { id, isCached, url } = JSON.parse(text);
    if (!token.id) {
      this.tokens.push(token);
      // The server's port changes with each start.
      Object.assign(token, {
        id,
        link: new URL(url).pathname,
        timeoutAt,
        jwt: headers.get("x-trigger-jwt"),
      });
    }
    this.record(token, { kind: "created", id, isCached, request, began, ended });
  }

  /** Runs completers, readers and waiters until all of them know how the token ended. */
  async #race(token, chance, when) {
    const completers = 1 + chance.below(3);
    const waits = chance.hits(0.15) ? chance.of(["poll", "events"]) : undefined;
    const plans = Array.from({ length: completers }, (_, by) => ({
      way: chance.of(["secret", "jwt", "callback"]),
      output: JSON.stringify({
        by,
        of: token.id,
        ...(chance.hits(0.005) && { big: "é".repeat(1_000_000 + by) }),
      }),
      after: when(),
      // The first one always insists on a response.
      insists: by === 0 || chance.hits(0.7),
      repeats: chance.hits(0.2) ? 1 + chance.below(2) : 0,
    }));
    const patience = new AbortController();
    const waiting = waits && this.#wait(token, waits, patience.signal);
    await Promise.all([
      ...plans.map((plan) => this.#complete(token, plan)),
      ...Array.from({ length: chance.below(2) }, async () => {
        await pause(when());
        await this.read(token);
      }),
    ]);
    await this.read(token);
    const { status } = token.events.at(-1);
    if (status === "TIMED_OUT") this.counts.timeouts += 1;
    // The first completer has its response, so the token must have ended.
    if (status === "WAITING") this.failures.push(`${token.id} waits for ever`);
    const timer = setTimeout(() => patience.abort(), this.owedWithin);
    await waiting;
    clearTimeout(timer);
  }

  async #complete(token, { way, output, after, insists, repeats }) {
    await pause(after);
    token.sent.add(output);
    const body = way === "callback" ? output : `{"data":${output}}`;
    const path = way === "callback" ? token.link : `${TOKENS}/${token.id}/complete`;
    const bearer = { secret: this.key, jwt: token.jwt, callback: "" }[way];
    for (let answers = 0; answers <= repeats; ) {
      const answer = await this.send(path, { body, bearer });
      if (!answer) {
        if (insists) continue;
        return;
      }
      answers += 1;
      const decided = ({ headers }) => ({
        kind: "decided",
        outcome: headers.get("waitpoint-outcome"),
        output,
      });
      this.record(token, this.#toEvent(answer, decided));
    }
  }

  async read(token) {
    const answer = await this.insist(`${TOKENS}/${token.id}`);
    token.add(this.#toEvent(answer, ({ text }) => this.#shown(JSON.parse(text))));
  }

  #shown({ status, output }) {
    return { kind: "shown", status, output };
  }

  /** Turns a response into an event. */
  #toEvent(answer, event) {
    const { began, ended } = answer;
    const told = answer.status === 200 ? event(answer) : { kind: "missing" };
    if (told.outcome === "completed") this.acknowledged.push(performance.now());
    if (this.acknowledged.length >= this.#awaited.count) this.#awaited.resolve();
    return { ...told, began, ended };
  }

  /** Waits for the end, over as many connections as it takes. */
  async #wait(token, way, signal) {
    const path = `${TOKENS}/${token.id}/wait`;
    const isEnd = ({ kind, status }) =>
      kind === "missing" || status === "COMPLETED" || status === "TIMED_OUT";
    for (
      let last = {};
      !isEnd(last);
      last = token.events.findLast((event) => event.by === signal) ?? {}
    ) {
      if (signal.aborted) return void this.failures.push(`${token.id}: a waiter was not notified`);
      const record = (event) => this.record(token, { ...event, by: signal });
      if (way === "poll") {
        const answer = await this.send(path, { headers: { prefer: "wait=10" }, signal });
        if (answer) record(this.#toEvent(answer, ({ text }) => this.#shown(JSON.parse(text))));
        continue;
      }
      const began = now();
      const receive = async (answer, isAlive) => {
        let text = "";
        for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
          isAlive();
          text += chunk;
          for (let at = text.indexOf("\n\n"); at >= 0; at = text.indexOf("\n\n")) {
            const data = /^data: (.*)$/m.exec(text.slice(0, at))?.[1];
            text = text.slice(at + 2);
            const shown = data && this.#shown(JSON.parse(data));
            // `WAITING` may have been read when the request began; an end is sent when it happens.
            if (shown)
              record({ ...shown, began: shown.status === "WAITING" ? began : now(), ended: now() });
          }
        }
      };
      const answer = await this.send(path, {
        headers: { accept: "text/event-stream" },
        signal,
        receive,
      });
      if (answer?.status === 404)
        record({ kind: "missing", began: answer.began, ended: answer.ended });
    }
    this.counts.waiters += 1;
  }

  /**
   * Reads the tokens with new events, and some of the others. No client starts a new token
   * meanwhile.
   */
  async verify(chance) {
    const { promise, resolve } = Promise.withResolvers();
    this.verified = promise;
    const some = Array.from({ length: Math.min(5, this.tokens.length) }, () =>
      chance.of(this.tokens),
    );
    const chosen = new Set([...this.#touched, ...some.filter((token) => !this.#isUnread(token))]);
    this.#touched.clear();
    await each(chosen, (token) => this.read(token));
    resolve();
  }

  /** Whether the token may not be read yet, as its webhook has not come. */
  #isUnread(token) {
    return token.timeoutAt < Infinity && !token.events.some(({ status }) => status);
  }

  /**
   * Waits for everything that is owed: the webhooks of timeouts, and a list that shows each token.
   */
  async settle() {
    const limit = AbortSignal.timeout(this.owedWithin);
    const over = once(limit, "abort").then(() => "over");
    if ((await Promise.race([Promise.all(this.#unattended), over])) === "over") {
      this.failures.push(
        `${this.#unattended.length - this.lags.length} timeouts were never reported`,
      );
    }
    for (;;) {
      const missing = await this.#unlisted();
      if (missing.length === 0) return;
      // A row that a crash kept from the index is sent with the next request for its token, with
      // another token's row, or by its alarm, which this does not wait for.
      await this.insist(TOKENS, { body: "{}" });
      await each(missing, (token) => this.read(token));
      if (limit.aborted) {
        for (const token of missing)
          this.failures.push(`${token.id} is not listed as it is: ${token.describe()}`);
        return;
      }
      await pause(500);
    }
  }

  /** Tokens that the list does not show as they ended. */
  async #unlisted() {
    const rows = new Map();
    for (let after = ""; after !== undefined; ) {
      const { data, pagination } = JSON.parse(
        (await this.insist(`${TOKENS}?page[size]=100${after}`)).text,
      );
      for (const { id, status } of data) rows.set(id, status);
      after = pagination.next && `&page[after]=${encodeURIComponent(pagination.next)}`;
    }
    const status = (token) => token.events.findLast(({ status }) => status)?.status ?? "TIMED_OUT";
    return this.tokens.filter((token) => rows.get(token.id) !== status(token));
  }

  report(seconds) {
    const faults = {};
    for (const token of this.tokens) {
      for (const fault of token.faults()) {
        faults[fault] ??= [];
        faults[fault].push(token);
      }
    }
    const { kills, counts, failures, atKill, lags } = this;
    const acknowledged = this.acknowledged.length;
    return {
      seed: this.seed,
      seconds,
      kills,
      acknowledged,
      tokens: this.tokens.length,
      counts,
      failures,
      atKill,
      lags,
      faults,
    };
  }
}
