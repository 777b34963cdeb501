import { History } from "./history.mjs";

/** A token and its history. */
export class Token extends History {
  id = undefined;
  /** Its public access token, and the path of its `url`. */
  jwt = undefined;
  link = undefined;
  /** The paths of its approvers' links. */
  links = [];
  /** Whether `timeoutAt` is to the millisecond what was asked for. */
  isExact = false;
  #awaited = [];

  add(event) {
    super.add(event);
    for (const one of this.#awaited.filter(({ isIt }) => isIt(event))) one.resolve(event);
    this.#awaited = this.#awaited.filter(({ isIt }) => !isIt(event));
  }

  /** The first event of this kind from now on. */
  next(isIt) {
    return new Promise((resolve) => this.#awaited.push({ isIt, resolve }));
  }

  /** A short description for a failure. */
  describe() {
    const events = this.events.map(({ output, ...event }) => event);
    return JSON.stringify({ timeoutAt: this.timeoutAt, owed: this.owed(), events });
  }
}
