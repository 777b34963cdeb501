import { History } from "./history.mjs";

/** A token and its history. */
export class Token extends History {
  id = undefined;
  /** Its public access token, and the path of its `url`. */
  jwt = undefined;
  link = undefined;

  /** A short description for a failure. */
  describe() {
    const events = this.events.map(({ kind, status, outcome, began, ended }) => ({
      kind,
      status,
      outcome,
      began,
      ended,
    }));
    return JSON.stringify({ timeoutAt: this.timeoutAt, events });
  }
}
