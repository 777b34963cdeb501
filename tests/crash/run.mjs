// A run: what happens to each token, and what is owed at the end.
import { once } from "node:events";
import { TOKENS } from "./clients.mjs";
import { random } from "./random.mjs";
import { startRecipients } from "./recipients.mjs";
import { Token } from "./token.mjs";
import { Voters } from "./voters.mjs";
import { now, pause } from "./worker.mjs";

/** Requests of one kind that are in flight at a time, where nothing else limits them. */
const TOGETHER = 16;
const HOUR = 3_600_000;

/** Does `work` for each item, TOGETHER at a time. */
export async function each(items, work) {
  const left = items.values();
  await Promise.all(
    Array.from({ length: TOGETHER }, async () => {
      for (const item of left) await work(item);
    }),
  );
}

export class Run extends Voters {
  isOver = false;
  /** Resolves when no verification is under way. */
  verified = Promise.resolve();
  /** How many milliseconds after its timeout the webhook of an unattended token came. */
  lags = [];
  /** What happens only by alarms, each until it is over. */
  #unattended = new Set();
  #next = 0;

  constructor(seed, owedWithin) {
    super();
    Object.assign(this, { seed, owedWithin });
    Object.assign(this.counts, {
      waiters: 0,
      keys: 0,
      timeouts: 0,
      defaults: 0,
      webhooks: 0,
      quorums: 0,
      creations: 0,
      reminders: 0,
      told: 0,
      toldAgain: 0,
      strangers: 0,
    });
  }

  async open(target, options) {
    this.recipients = await startRecipients((id, event) => this.tell(id, event));
    const vars = { ...target.vars, ...this.recipients.settings };
    await this.start({ ...target, vars }, options);
  }

  async close() {
    // Whoever still asks, as something owed has not come, asks no more.
    this.up = new Promise(() => {});
    await this.server?.stop();
    this.recipients?.close();
  }

  /** One client, with one token after another, as the seed decides. */
  async play() {
    while (!this.isOver) {
      await this.verified;
      const chance = random(this.seed * 1_000_003 + ++this.#next);
      const token = new Token();
      const story = chance();
      if (story < 0.4) await this.#decided(token, chance);
      else if (story < 0.52) await this.#voted(token, chance);
      else if (story < 0.65) await this.#raced(token, chance);
      else if (story < 0.85) await this.#moved(token, chance);
      else if (story < 0.93) await this.#unattendedTimeout(token, chance);
      else await this.#unattendedNotice(token, chance);
    }
  }

  /** Some of the recipients, for `share` of the tokens. Returns their fields of create. */
  #somebody(token, chance, share) {
    const isOne = chance.hits(share);
    const those = ["own", "hook", "slack"].filter(() => chance.hits(0.5));
    token.recipients = isOne ? those : [];
    return this.recipients.fields(token.recipients);
  }

  /** Perhaps a default decision. Returns its field of create. */
  #perhapsDefault(token, chance) {
    if (chance.hits(0.6)) return {};
    const data = { default: this.#next };
    token.fallback = JSON.stringify(data);
    return { onTimeout: { data } };
  }

  /** Several clients decide on a token that does not time out. */
  async #decided(token, chance) {
    const isKeyed = chance.hits(0.3);
    if (isKeyed) this.counts.keys += 1;
    const fields = {
      timeout: chance.hits(0.5) ? "1h" : undefined,
      idempotencyKey: isKeyed ? `key ${this.#next}` : undefined,
      ...this.#somebody(token, chance, 0.4),
    };
    const creators = isKeyed ? 1 + chance.below(3) : 1;
    await Promise.all(
      Array.from({ length: creators }, (_, creator) => {
        const names = isKeyed ? chance.hits(0.5) : chance.hits(0.4);
        const request = `${this.seed}-${this.#next}-${creator}`;
        return this.create(token, {
          fields,
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
    const fields = {
      ...this.#perhapsDefault(token, chance),
      ...this.#somebody(token, chance, 0.3),
    };
    await this.createUntil(token, millis, fields);
    await this.#race(token, chance, () => token.timeoutAt - now() + chance.in(-60, 20));
  }

  /** Its owner moves the timeout and perhaps cancels it, while others decide. */
  async #moved(token, chance) {
    const fields = {
      ...this.#perhapsDefault(token, chance),
      ...this.#somebody(token, chance, 0.7),
    };
    const isReminded = fields.notify.length > 0 && chance.hits(0.3);
    if (isReminded) fields.reminders = [{ after: "1s" }];
    token.hasReminders = isReminded;
    await this.createUntil(token, chance.hits(0.7) ? HOUR : 2_000 + chance.below(500), fields);
    // A reminder is due at about the time of the end.
    const when = isReminded ? () => chance.in(850, 1_050) : () => chance.in(0, 80);
    const extensions = Array.from({ length: chance.below(3) }, () =>
      this.extend(token, {
        millis: chance.hits(0.7) ? HOUR + chance.below(HOUR) : 500 + chance.below(1_000),
        after: chance.in(0, 60),
        insists: chance.hits(0.7),
      }),
    );
    const cancels = Array.from({ length: chance.below(3) }, (_, by) =>
      this.cancel(token, {
        reason: `reason ${by} of ${token.id}`,
        after: when(),
        insists: chance.hits(0.7),
        repeats: chance.hits(0.2) ? 1 : 0,
      }),
    );
    await Promise.all([...extensions, ...cancels, this.#race(token, chance, when)]);
  }

  /** Approvers decide. */
  async #voted(token, chance) {
    const fields = {
      ...this.#perhapsDefault(token, chance),
      ...this.#somebody(token, chance, 0.3),
    };
    await this.poll(token, chance, { fields, number: this.#next });
  }

  /** Nobody decides or reads, so that only the alarm can end the token and send its webhook. */
  async #unattendedTimeout(token, chance) {
    const millis = 300 + chance.below(2_700);
    const fields = {
      ...this.#perhapsDefault(token, chance),
      ...this.#somebody(token, chance, 0.5),
    };
    token.recipients = [...new Set([...token.recipients, "own"])];
    token.hasReminders = millis > 1_500 && fields.notify.length > 0;
    if (token.hasReminders) fields.reminders = [{ before: "1s" }];
    Object.assign(fields, this.recipients.fields(token.recipients));
    token.isUnread = true;
    await this.createUntil(token, millis, fields);
    // It must not be read before its webhook has come.
    this.touched.delete(token);
    this.#expect(token, "timed_out", "completed").then(({ began, type }) => {
      this.lags.push(began - token.timeoutAt);
      this.counts.webhooks += 1;
      if (type === "completed") this.counts.defaults += 1;
      token.isUnread = false;
      this.touched.add(token);
    });
  }

  /** Nobody decides or reads before a recipient was told, of the creation or by a reminder. */
  async #unattendedNotice(token, chance) {
    token.recipients = [chance.of(["hook", "slack"])];
    token.isUnread = true;
    // Due after about one second, or after the timeout has been moved to such a time.
    const reminders = [[], [{ after: "1s" }], [{ before: "3599s" }], [{ before: "600s" }]];
    const fields = { reminders: chance.of(reminders), ...this.recipients.fields(token.recipients) };
    const [reminder] = fields.reminders;
    token.hasReminders = token.owesReminder = reminder !== undefined;
    await this.createUntil(token, HOUR, fields);
    this.touched.delete(token);
    const told = this.#expect(token, reminder ? "reminder" : "created");
    if (reminder?.before === "600s")
      await this.extend(token, { millis: 601_000 + chance.below(500), after: 0, insists: true });
    const isOver = told.then(async () => {
      this.counts[reminder ? "reminders" : "creations"] += 1;
      token.isUnread = false;
      await this.#race(token, chance, () => chance.in(0, 60));
    });
    this.#leave(isOver);
  }

  /** Resolves when a recipient is told one of these. */
  #expect(token, ...types) {
    const isIt = ({ kind, type }) => kind === "told" && types.includes(type);
    return this.#leave(Promise.resolve(token.events.find(isIt) ?? token.next(isIt)));
  }

  #leave(work) {
    this.#unattended.add(work);
    work.then(() => this.#unattended.delete(work));
    return work;
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
    const waiting = waits && this.wait(token, waits, patience.signal);
    await Promise.all([
      ...plans.map((plan) => this.complete(token, plan)),
      ...Array.from({ length: chance.below(2) }, async () => {
        await pause(when());
        await this.read(token);
      }),
    ]);
    const { status, output } = await this.read(token);
    if (status === "TIMED_OUT") this.counts.timeouts += 1;
    if (token.fallback && output === token.fallback) this.counts.defaults += 1;
    // The first completer has its response, so the token must have ended.
    if (status === "WAITING") this.failures.push(`${token.id} waits for ever`);
    const timer = setTimeout(() => patience.abort(), this.owedWithin);
    await waiting;
    clearTimeout(timer);
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
    const chosen = [...new Set([...this.touched, ...some])].filter(({ isUnread }) => !isUnread);
    this.touched.clear();
    await each(chosen, (token) => this.read(token));
    resolve();
  }

  /**
   * Waits for everything that is owed: what alarms do, what recipients are told, and a list that
   * shows each token.
   */
  async settle() {
    const limit = AbortSignal.timeout(this.owedWithin);
    const over = once(limit, "abort");
    while (this.#unattended.size > 0 && !limit.aborted)
      await Promise.race([Promise.all(this.#unattended), over]);
    if (this.#unattended.size > 0)
      this.failures.push(`${this.#unattended.size} timeouts and notices were never told`);
    // Who was not told is a fault in the report.
    for (const token of this.tokens)
      while (token.owed().length > 0 && !limit.aborted) await pause(50);
    // Whatever else was missing, the list has its time.
    const listed = AbortSignal.timeout(this.owedWithin);
    for (;;) {
      const missing = await this.#unlisted();
      if (missing.length === 0) return;
      // A row that a crash kept from the index is sent with the next request for its token, with
      // another token's row, or by its alarm, which this does not wait for.
      await this.insist(TOKENS, { body: "{}" });
      await each(missing, (token) => this.read(token));
      if (listed.aborted) {
        for (const token of missing)
          this.failures.push(`${token.id} is not listed as it is: ${token.describe()}`);
        return;
      }
      await pause(500);
    }
  }

  /** Tokens that the list does not show as they are. */
  async #unlisted() {
    const rows = new Map();
    for (let after = ""; after !== undefined; ) {
      const { data, pagination } = JSON.parse(
        (await this.insist(`${TOKENS}?page[size]=100${after}`)).text,
      );
      for (const row of data) rows.set(row.id, row);
      after = pagination.next && `&page[after]=${encodeURIComponent(pagination.next)}`;
    }
    const isListed = (token) => {
      const row = rows.get(token.id);
      const last = token.events.findLast(({ status }) => status);
      const status = row?.cancelledAt ? "CANCELLED" : row?.status;
      const isSameTime = !last?.timeoutAt || Date.parse(row?.timeoutAt) === last.timeoutAt;
      return (
        isSameTime && status === (last?.status ?? (token.fallback ? "COMPLETED" : "TIMED_OUT"))
      );
    };
    return this.tokens.filter((token) => !isListed(token));
  }

  /** Recipients were told of these tokens, so they exist, though nobody was told their creation. */
  async readStrangers() {
    await each(this.strangers, async (id) => {
      this.counts.strangers += 1;
      const { status } = await this.insist(`${TOKENS}/${id}`);
      if (status !== 200)
        this.failures.push(`${id}: recipients were told of it, but it is ${status}`);
    });
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
    const acknowledged = Object.fromEntries(
      Object.entries(this.acknowledged).map(([what, { length }]) => [what, length]),
    );
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
