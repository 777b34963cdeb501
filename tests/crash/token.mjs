import { History } from "./history.mjs";

/** A token, and what was told of it. */
export class Token extends History {
  id = undefined;
  /** Its public access token, and the path of its `url`. */
  jwt = undefined;
  link = undefined;

  /** In short, for a failure. */
  told() {
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
