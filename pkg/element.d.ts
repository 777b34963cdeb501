import type { Outcome, WaitpointError } from "./index.js";

/**
 * `<waitpoint-approval token-url="…">`: asks a person to approve or reject, and completes the
 * token. Its attributes, slots, parts and variables are listed in the README.
 */
export class WaitpointApproval extends HTMLElement {
  /** Also the attribute `state`. */
  readonly state: "idle" | "sending" | "done" | "decided" | "expired" | "withdrawn" | "failed";
  /** Decides as the button does; resolves when the decision is made or has failed. */
  decide(decision: "approve" | "reject"): Promise<void>;
}

declare global {
  interface HTMLElementTagNameMap {
    "waitpoint-approval": WaitpointApproval;
  }
  interface HTMLElementEventMap {
    "waitpoint-complete": CustomEvent<{
      outcome: Outcome | undefined;
      data: unknown;
      decision: "approve" | "reject";
    }>;
    "waitpoint-error": CustomEvent<{ error: WaitpointError }>;
  }
}
