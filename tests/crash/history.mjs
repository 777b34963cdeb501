// What clients were told of one token, and which of it cannot all be true. It knows neither the
// Worker nor HTTP.

/** The end of the token that an event reports, or undefined. */
function end({ kind, status, outcome, output }) {
  if (kind === "decided") {
    if (outcome === "completed") return { status: "COMPLETED", output };
    return { status: outcome === "timed-out" ? "TIMED_OUT" : "COMPLETED" };
  }
  return status === "COMPLETED" || status === "TIMED_OUT" ? { status, output } : undefined;
}

/** Whether both ends may be true. Not every event reports the output. */
const agree = (one, other) =>
  one.status === other.status &&
  (one.output === undefined || other.output === undefined || one.output === other.output);

/**
 * Each event has the times at which its request `began` and its response `ended`, in whole
 * milliseconds, and its `kind` is one of
 * - `created`: `id`, `isCached`, and the `request` that a client sent, once or again;
 * - `decided`: the response to a completion with `output`; `outcome` is the header's value;
 * - `shown`: the token as it was read or pushed: `status` and `output`;
 * - `missing`: 404.
 */
export class History {
  events = [];
  /** The outputs that were sent. */
  sent = new Set();
  /** When the token times out, on the clock of `began` and `ended`. */
  timeoutAt = Infinity;

  add(event) {
    this.events.push(event);
  }

  /** The acknowledged completions. There is one at most if all is well. */
  get acknowledged() {
    return this.events.filter(({ outcome }) => outcome === "completed");
  }

  /**
   * What is wrong:
   * - `lost`: after an acknowledged completion the token had not ended, or had ended otherwise;
   * - `doubled`: two completions were acknowledged;
   * - `contradictory`: reports changed, or cannot be true;
   * - `vanished`: a token whose creation was acknowledged did not exist;
   * - `split`: one request led to different tokens, or two creations were told to be the first.
   */
  faults() {
    const { events, acknowledged } = this;
    const faults = new Set();
    if (acknowledged.length > 1) faults.add("doubled");
    for (const told of events) {
      const first = end(told);
      if (!first) continue;
      const isAcknowledged = acknowledged.includes(told);
      for (const other of events) {
        if (other.kind === "created" || (isAcknowledged && acknowledged.includes(other))) continue;
        const isLater = other.began > told.ended;
        const second = end(other);
        if (second ? !agree(first, second) : isLater)
          faults.add(isAcknowledged && isLater ? "lost" : "contradictory");
      }
    }
    for (const event of events) {
      const isLate =
        (event.status === "WAITING" || event.outcome === "completed") &&
        event.began >= this.timeoutAt;
      const isEarly = end(event)?.status === "TIMED_OUT" && event.ended < this.timeoutAt;
      const isInvented = event.status === "COMPLETED" && !this.sent.has(event.output);
      if (isLate || isEarly || isInvented) faults.add("contradictory");
    }
    const created = events.filter(({ kind }) => kind === "created");
    const isGone = ({ kind, began }) =>
      kind === "missing" && created.some(({ ended }) => ended < began);
    if (events.some(isGone)) faults.add("vanished");
    const ids = new Set(created.map(({ id }) => id));
    const first = new Set(
      created.filter(({ isCached }) => !isCached).map(({ request }) => request),
    );
    if (ids.size > 1 || first.size > 1) faults.add("split");
    return [...faults];
  }
}
