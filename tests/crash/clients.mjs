// What clients ask for, one request at a time, and what they were told.
import { Token } from "./token.mjs";
import { KilledWorker, now, pause } from "./worker.mjs";

export const TOKENS = "/api/v1/waitpoints/tokens";

export class Clients extends KilledWorker {
  tokens = [];
  /** Tokens with events since they were last verified. */
  touched = new Set();
  #byId = new Map();
  /** What was told of tokens whose creation nobody was told of, or not yet. */
  #strange = new Map();

  /** Adds an event, which is verified after the next kill. */
  record(token, event) {
    token.add(event);
    this.touched.add(token);
  }

  /** Adds what a recipient was told. */
  tell(id, event) {
    const token = this.#byId.get(id) ?? this.#stranger(id);
    const { by, type, at } = event;
    const isKnown = (one) => one.by === by && one.type === type && one.at === at;
    this.counts.told += 1;
    if (token.events.some(isKnown)) this.counts.toldAgain += 1;
    token.add(event);
  }

  #stranger(id) {
    if (!this.#strange.has(id)) this.#strange.set(id, new Token());
    return this.#strange.get(id);
  }

  /** The ids of tokens that somebody was told of, but no client got the response to its create. */
  get strangers() {
    return [...this.#strange.keys()];
  }

  /**
   * Creates until there is a response, and once more if `again`. With `names` the request is named
   * by a header.
   */
  async create(token, { fields, request, names, again }) {
    const body = JSON.stringify(fields);
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

  /** Creates a token that times out so many milliseconds from now. */
  async createUntil(token, millis, fields) {
    for (let answer; answer?.status !== 200; ) {
      await this.up;
      const timeoutAt = now() + millis;
      const body = JSON.stringify({ timeout: new Date(timeoutAt).toISOString(), ...fields });
      // Without a response this starts over: a token that was made then has no client. On a slow
      // machine the time may be in the past already.
      answer = await this.send(TOKENS, { body, expected: [400, ...this.expected] });
      if (answer?.status === 200) {
        Object.assign(token, { timeoutAt, isExact: true });
        this.#created(token, answer, Symbol());
      }
    }
  }

  #created(token, { text, headers, began, ended }, request) {
    const { id, isCached, url, links = [] } = JSON.parse(text);
    if (!token.id) {
      this.tokens.push(token);
      // The server's port changes with each start.
      Object.assign(token, { id, link: new URL(url).pathname, jwt: headers.get("x-trigger-jwt") });
      token.links = links.map(({ url }) => new URL(url).pathname);
      for (const event of this.#strange.get(id)?.events ?? []) token.add(event);
      this.#strange.delete(id);
      this.#byId.set(id, token);
      if (token.recipients.length > 0) this.acknowledge("announced");
    }
    this.record(token, { kind: "created", id, isCached, request, began, ended });
  }

  async complete(token, { way, output, after, insists, repeats }) {
    await pause(after);
    // Where approvers decide, others may not.
    const isAllowed = !token.approvers || way === "secret";
    if (isAllowed) token.sent.add(output);
    const expected = isAllowed ? this.expected : [403, ...this.expected];
    // Or a machine at an approver's link.
    const link = { callback: token.link, approver: token.links[0] }[way];
    const body = link ? output : `{"data":${output}}`;
    const path = link ?? `${TOKENS}/${token.id}/complete`;
    const bearer = { secret: this.key, jwt: token.jwt }[way] ?? "";
    await this.#repeated(path, { body, bearer, expected, insists, repeats }, (answer) => {
      if (answer.status === 403) return;
      const outcome = answer.headers.get("waitpoint-outcome");
      if (outcome === "completed") this.acknowledge("completions");
      this.record(
        token,
        toEvent(answer, () => ({ kind: "decided", outcome, output, isAllowed })),
      );
    });
  }

  async cancel(token, { reason, after, insists, repeats }) {
    await pause(after);
    token.sent.add(reason);
    const path = `${TOKENS}/${token.id}/cancel`;
    const body = JSON.stringify({ reason });
    await this.#repeated(path, { body, insists, repeats }, (answer) => {
      const outcome = answer.headers.get("waitpoint-outcome");
      if (outcome === "cancelled") this.acknowledge("cancels");
      this.record(
        token,
        toEvent(answer, () => ({ kind: "cancelled", outcome })),
      );
    });
  }

  /** An approver opens the page and votes: a browser (`html`), or a script that has read it. */
  async vote(token, { approver, choice, comment, html, after, insists, repeats }) {
    await pause(after);
    const path = token.links[approver];
    const page = await this.insist(path, { bearer: "", headers: { accept: "text/html" } });
    this.record(token, { ...opened(page), began: page.began, ended: page.ended });
    const nonce = /name="waitpoint_nonce" value="([^"]*)"/.exec(page.text)?.[1];
    if (!nonce) return;
    const options = {
      body: new URLSearchParams({ waitpoint_nonce: nonce, choice, comment }).toString(),
      bearer: "",
      headers: {
        "content-type": "application/x-www-form-urlencoded",
        accept: html ? "text/html" : "application/json",
      },
      redirect: "manual",
      expected: [html ? 303 : 200, 404, 409, 410, ...this.expected.slice(2)],
    };
    const vote = { kind: "voted", approver, choice, comment };
    for (let answers = 0; answers <= repeats; ) {
      const began = now();
      const answer = await this.send(path, options);
      if (!answer) {
        this.record(token, { ...vote, outcome: undefined, began, ended: now() });
        if (insists) continue;
        return;
      }
      answers += 1;
      const { status, ended } = answer;
      const isCounted = status === 200 || status === 303;
      if (isCounted) this.acknowledge("votes");
      const event = isCounted ? { ...vote, outcome: "voted" } : opened(answer);
      this.record(token, { ...event, began: answer.began, ended });
    }
  }

  async #repeated(path, { body, bearer, expected, insists, repeats }, receive) {
    for (let answers = 0; answers <= repeats; ) {
      const answer = await this.send(path, { body, bearer, expected });
      if (!answer) {
        if (insists) continue;
        return;
      }
      answers += 1;
      receive(answer);
    }
  }

  /** Moves the timeout to so many milliseconds from now; again, if there was no response. */
  async extend(token, { millis, after, insists }) {
    await pause(after);
    let answer;
    do {
      await this.up;
      const [began, to] = [now(), now() + millis];
      const body = JSON.stringify({ timeout: new Date(to).toISOString() });
      const expected = [400, 409, ...this.expected];
      answer = await this.send(`${TOKENS}/${token.id}/extend`, { body, expected });
      const ended = now();
      // The time had passed when it came.
      if (answer?.status === 400) continue;
      const how = answer?.status === 409 && /has ended \(([\w-]+)\)/.exec(answer.text)[1];
      const outcome = answer ? how || "extended" : undefined;
      if (answer?.status === 404) this.record(token, { kind: "missing", began, ended });
      else this.record(token, { kind: "extended", outcome, to, began, ended });
      if (answer?.status !== 200) continue;
      this.acknowledge("extensions");
      this.record(
        token,
        toEvent(answer, ({ text }) => shown(token, JSON.parse(text))),
      );
    } while (!answer && insists);
  }

  /** Reads a token. Returns the event. */
  async read(token) {
    const answer = await this.insist(`${TOKENS}/${token.id}`);
    const event = toEvent(answer, ({ text }) => {
      const body = JSON.parse(text);
      for (const { status, event, target } of body.deliveries ?? []) {
        if (status === "failed") this.failures.push(`${token.id}: ${event} to ${target} failed`);
      }
      return { ...shown(token, body), votes: body.votes ?? [] };
    });
    token.add(event);
    return event;
  }

  /** Waits for the end, over as many connections as it takes. */
  async wait(token, way, signal) {
    const path = `${TOKENS}/${token.id}/wait`;
    const isEnd = ({ kind, status }) => kind === "missing" || (status && status !== "WAITING");
    for (
      let last = {};
      !isEnd(last);
      last = token.events.findLast((event) => event.by === signal) ?? {}
    ) {
      if (signal.aborted) return void this.failures.push(`${token.id}: a waiter was not notified`);
      const record = (event) => this.record(token, { ...event, by: signal });
      if (way === "poll") {
        const answer = await this.send(path, { headers: { prefer: "wait=10" }, signal });
        if (answer) record(toEvent(answer, ({ text }) => shown(token, JSON.parse(text))));
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
            const event = data && shown(token, JSON.parse(data));
            // `WAITING` may have been read when the request began; an end is sent when it happens.
            if (event)
              record({ ...event, began: event.status === "WAITING" ? began : now(), ended: now() });
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
}

/** The event of a response. */
function toEvent(answer, event) {
  const { began, ended } = answer;
  return { ...(answer.status === 200 ? event(answer) : { kind: "missing" }), began, ended };
}

/** What a page tells of a token. */
function opened({ status, headers }) {
  if (status === 404) return { kind: "missing" };
  const how = headers.get("waitpoint-status");
  const ended = { COMPLETED: "already-completed", TIMED_OUT: "timed-out" }[how];
  const outcome = headers.get("waitpoint-outcome") ?? ended;
  return { kind: "opened", status: ended ? undefined : how, outcome };
}

function shown(token, body) {
  const { status, output, cancelledAt, cancelReason, completedAt, timeoutAt } = body;
  return {
    kind: "shown",
    status: cancelledAt ? "CANCELLED" : status,
    output: cancelledAt ? cancelReason : output,
    at: completedAt && Date.parse(completedAt),
    timeoutAt: token.isExact ? Date.parse(timeoutAt) : undefined,
  };
}
