// What clients and receivers were told of one token, and which of it cannot all be true. It knows
// neither the Worker nor HTTP.

/** The shortest time between two reminders, and how long an attempt to tell may take. */
const REMINDER_GAP = 60_000;
const TOLD_WITHIN = 10_000;

/** How a token ended, by the outcome of a request or the name of an event. */
const ENDS = {
  completed: "COMPLETED",
  "already-completed": "COMPLETED",
  "timed-out": "TIMED_OUT",
  timed_out: "TIMED_OUT",
  cancelled: "CANCELLED",
};
/** What a voter said. */
const said = ({ choice, comment }) => JSON.stringify([choice, comment]);

const STATUSES = new Set(Object.values(ENDS));

/** The end of the token that an event reports, or undefined. */
function end({ kind, status, outcome, type, output }) {
  if (kind === "told") return ENDS[type] && { status: ENDS[type], output };
  if (kind === "decided" && outcome === "completed") return { status: "COMPLETED", output };
  if (ENDS[outcome]) return { status: ENDS[outcome] };
  return STATUSES.has(status) ? { status, output } : undefined;
}

/** Whether both ends may be true. Not every event reports the output. */
const agree = (one, other) =>
  one.status === other.status &&
  (one.output === undefined || other.output === undefined || one.output === other.output);

const isCompletion = ({ kind, outcome }) => kind === "decided" && outcome === "completed";
const isCancel = ({ kind, outcome }) => kind === "cancelled" && outcome === "cancelled";
const isMove = ({ kind, outcome }) => kind === "extended" && outcome === "extended";
/** Whether it moved the timeout, or may have. */
const mayMove = ({ kind, outcome }) =>
  kind === "extended" && (outcome === undefined || outcome === "extended");
/** Whether an event may be of a waiting token and of one that has ended. */
const isOfAnyTime = ({ kind, outcome, type }) =>
  kind === "created" ||
  kind === "voted" ||
  (kind === "extended" && outcome === undefined) ||
  (kind === "told" && !ENDS[type]);

/**
 * Each event has the times at which its request `began` and its response `ended`, in whole
 * milliseconds, and its `kind` is one of
 * - `created`: `id`, `isCached`, and the `request` that a client sent, once or again;
 * - `decided`: the response to a completion with `output`; `outcome` is the header's value, and
 *   `isAllowed` tells whether it was one that may decide;
 * - `voted`: a request of an `approver` (by index) for a `choice` (by index) with a `comment`. Its
 *   `outcome` is `voted`, or undefined if there was no response: then it may have counted;
 * - `opened`: a page of a token that waits (`status`), or the `outcome` by which it has ended;
 * - `cancelled`: the response to a cancel, with its `outcome`;
 * - `extended`: a request to move the timeout `to` a time. Its `outcome` is `extended`, or how the
 *   token had ended, or undefined if there was no response: then it may have been moved;
 * - `shown`: the token as it was read or pushed: `status`, and `output` or a cancel's reason. Some
 *   have `at`, when it ended, `timeoutAt`, which is Infinity for none, and the `votes` that count;
 * - `told`: what a recipient received: `by` whom, `type` (`created`, `reminder`, `extended` or an
 *   end), and for webhooks `message`, its id, and `at`, the time of the event;
 * - `missing`: 404.
 */
export class History {
  events = [];
  /** The outputs that were sent, and the reasons of cancels. */
  sent = new Set();
  /** When the token times out unless that is moved, on the clock of `began` and `ended`. */
  timeoutAt = Infinity;
  /** The output of the default decision. */
  fallback = undefined;
  /** Who must be told: `own` of every event, others of the creation and by reminders. */
  recipients = [];
  hasReminders = false;
  /** The ids of those who decide by votes, how many must agree, and on what. */
  approvers = undefined;
  required = 1;
  choices = [];
  /** Whether a reminder must have come. */
  owesReminder = false;

  add(event) {
    this.events.push(event);
  }

  /** The acknowledged completions. There is one at most if all is well. */
  get acknowledged() {
    return this.events.filter(isCompletion);
  }

  /**
   * What is wrong:
   * - `lost`: after an acknowledged completion or cancel the token had not ended, or had ended
   *   otherwise; or after an acknowledged extension it had an earlier timeout; or an acknowledged
   *   vote does not count, and no later one of its approver either;
   * - `doubled`: two completions were acknowledged;
   * - `contradictory`: reports changed, or cannot be true;
   * - `vanished`: a token whose creation was acknowledged did not exist;
   * - `split`: one request led to different tokens, or two creations were told to be the first;
   * - `untold`: see `owed`;
   * - `mistold`: a recipient was told what was not to be told, or of one event by two messages.
   */
  faults() {
    const { events, acknowledged } = this;
    const faults = new Set();
    if (acknowledged.length > 1) faults.add("doubled");
    for (const told of events) {
      const first = end(told);
      if (!first) continue;
      const isPromise = isCompletion(told) || isCancel(told);
      for (const other of events) {
        if (isOfAnyTime(other) || (isCompletion(told) && isCompletion(other))) continue;
        const isLater = other.began > told.ended;
        const second = end(other);
        if (second ? !agree(first, second) : isLater)
          faults.add(isPromise && isLater ? "lost" : "contradictory");
      }
    }
    for (const event of events) {
      if (this.#isImpossible(event)) faults.add("contradictory");
      const fault = this.#timeoutFault(event);
      if (fault) faults.add(fault);
      if (event.votes && this.approvers) for (const one of this.#voteFaults(event)) faults.add(one);
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
    if (this.owed().length > 0) faults.add("untold");
    if (this.#isMistold()) faults.add("mistold");
    return [...faults];
  }

  /** Who has not heard yet of what was acknowledged or has ended. */
  owed() {
    const { events, recipients } = this;
    const told = events.filter(({ kind }) => kind === "told");
    const owed = [];
    const expect = (by, what, isIt) => {
      if (!told.some((one) => one.by === by && isIt(one))) owed.push(`${by}: ${what}`);
    };
    for (const by of recipients) {
      if (events.some(({ kind }) => kind === "created"))
        expect(by, "created", ({ type }) => type === "created");
      if (this.owesReminder) expect(by, "reminder", ({ type }) => type === "reminder");
    }
    if (recipients.includes("own")) {
      // A later extension may be told instead, or an earlier one to the same timeout.
      for (const { to } of events.filter(isMove)) {
        if (to === this.timeoutAt) continue;
        const same = events.filter((one) => mayMove(one) && one.to === to);
        const first = Math.min(...same.map(({ began }) => began));
        expect("own", "extended", ({ type, at }) => type === "extended" && at >= first);
      }
      if (events.some(end)) expect("own", "end", end);
    }
    return owed;
  }

  /** The timeouts that it may have had between these times, and whether each was overtaken. */
  #timeouts(began, ended) {
    const moves = this.events.filter(mayMove);
    const isOvertaken = (one) =>
      moves.some((other) => isMove(other) && other.began > one.ended && other.ended < began);
    const first = { began: -Infinity, ended: -Infinity, to: this.timeoutAt };
    return [first, ...moves]
      .filter((one) => one.began <= ended)
      .map((one) => ({
        move: one,
        to: one.to,
        // Never set to the past: the request may be slower than the timeout it asks for.
        latest: Math.max(one.to, one.ended + 1),
        isOvertaken: isOvertaken(one),
      }));
  }

  #isImpossible(event) {
    const { status, outcome, output, began, ended } = event;
    const told = end(event);
    const timeouts = this.#timeouts(began, ended).filter(
      ({ isOvertaken, move }) => !isOvertaken && move !== event,
    );
    const latest = Math.max(...timeouts.map(({ latest }) => latest));
    const isAnswered = status === "WAITING" || isCompletion(event) || isMove(event);
    const isLate = isAnswered && began >= latest;
    const isByTimeout =
      told?.status === "TIMED_OUT" || (output !== undefined && output === this.fallback);
    const isEarly = isByTimeout && ended < Math.min(...timeouts.map(({ to }) => to));
    const isOverdue = told && !isByTimeout && event.at >= event.timeoutAt;
    const isWithoutDefault = told?.status === "TIMED_OUT" && this.fallback !== undefined;
    const hasText = told?.status === "COMPLETED" || told?.status === "CANCELLED";
    const isInvented =
      hasText && outcome === undefined && !this.sent.has(output) && output !== this.fallback;
    const isStranger = this.approvers && isCompletion(event) && !event.isAllowed;
    return isLate || isEarly || isOverdue || isWithoutDefault || isInvented || isStranger;
  }

  /** What is wrong with the timeout that an event shows. */
  #timeoutFault({ kind, timeoutAt, began, ended }) {
    if (kind !== "shown" || timeoutAt === undefined) return undefined;
    const same = this.#timeouts(began, ended).filter(
      ({ to, latest }) => to <= timeoutAt && timeoutAt <= latest,
    );
    if (same.length === 0) return "contradictory";
    return same.every(({ isOvertaken }) => isOvertaken) ? "lost" : undefined;
  }

  /** What is wrong with the votes that an event shows, and with the end that they brought. */
  #voteFaults({ votes, status, output, began, ended }) {
    const faults = [];
    const brought = this.choices.find((one) => one.output === output && status === "COMPLETED");
    const isSure = (vote) => vote.outcome === "voted" && vote.ended < began;
    for (const [index, approver] of this.approvers.entries()) {
      const all = this.events.filter((one) => one.kind === "voted" && one.approver === index);
      const counted = votes.filter((one) => one.approver === approver);
      if (counted.length > 1) faults.push("contradictory");
      const [one] = counted;
      if (!one) {
        if (all.some(isSure)) faults.push("lost");
        continue;
      }
      const choice = this.choices.findIndex(({ label }) => label === one.choice);
      const what = said({ choice, comment: one.comment ?? "" });
      const when = Date.parse(one.at);
      // What it may have been.
      const same = all.filter(
        (vote) => said(vote) === what && vote.began <= when && when <= vote.ended,
      );
      const isOvertaken = (vote) =>
        all.some((other) => isSure(other) && said(other) !== what && other.began > vote.ended);
      if (same.length === 0 || same.every(({ began }) => began > ended))
        faults.push("contradictory");
      else if (same.every(isOvertaken)) faults.push("lost");
    }
    if (votes.some((one) => !this.approvers.includes(one.approver))) faults.push("contradictory");
    const isEnough = ({ label, isVeto }) => {
      const count = votes.filter((one) => one.choice === label).length;
      return count >= (isVeto ? 1 : this.required);
    };
    const enough = this.choices.filter(isEnough);
    if (enough.length > 1 || enough[0] !== brought) faults.push("contradictory");
    return faults;
  }

  #isMistold() {
    const { events, recipients } = this;
    const told = events.filter(({ kind }) => kind === "told");
    const isKnown = ({ by, type }) =>
      recipients.includes(by) &&
      (by === "own" || type === "created" || type === "reminder") &&
      (type !== "reminder" || this.hasReminders);
    const hooks = told.filter(({ message }) => message !== undefined);
    const distinct = (of, key) => new Set(of.map(key)).size;
    const what = ({ type, at }) => `${type} ${at}`;
    const message = ({ message }) => message;
    const once = (is) => distinct(hooks.filter(is), what) <= 1;
    const reminders = told.filter(({ type }) => type === "reminder");
    const due = [...new Set(reminders.filter(message).map(({ at }) => at))].sort((a, b) => a - b);
    const ends = events.filter(end);
    const isLate = ({ at, began }) =>
      at > began || ends.some(({ ended }) => ended < at || ended + TOLD_WITHIN < began);
    const isMoved = ({ at }) =>
      events.filter(mayMove).some(({ began, ended }) => began <= at && at <= ended);
    return !(
      told.every(isKnown) &&
      // A message is of one event, and an event has one message.
      distinct(hooks, message) === distinct(hooks, what) &&
      distinct(hooks, message) === distinct(hooks, (one) => `${message(one)} ${what(one)}`) &&
      once(({ type }) => type === "created") &&
      once(end) &&
      !reminders.some(isLate) &&
      due.every((at, index) => index === 0 || at - due[index - 1] >= REMINDER_GAP) &&
      told.filter(({ type }) => type === "extended").every(isMoved)
    );
  }
}
