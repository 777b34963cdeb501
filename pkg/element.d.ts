import type { Outcome, WaitpointError } from "./index.js";

/**
 * `<waitpoint-approval token-url="…">`: asks a person what the token asks, its form included, and
 * completes it; where the token asks nothing, to approve or reject. Its attributes, slots, parts
 * and variables are listed in the README.
 */
export class WaitpointApproval extends HTMLElement {
  /** Also the attribute `state`. */
  readonly state: "idle" | "sending" | "done" | "decided" | "expired" | "withdrawn" | "failed";
  /**
   * Decides as the button does: `approve`, `reject`, or the label of one of the token's choices.
   * Resolves when the decision is made or has failed, or something must be filled in first.
   */
  decide(decision: "approve" | "reject" | (string & {})): Promise<void>;
}

declare global {
  interface HTMLElementTagNameMap {
    "waitpoint-approval": WaitpointApproval;
  }
  interface HTMLElementEventMap {
    "waitpoint-complete": CustomEvent<{
      outcome: Outcome | undefined;
      data: unknown;
      decision: "approve" | "reject" | (string & {});
    }>;
    "waitpoint-error": CustomEvent<{ error: WaitpointError }>;
  }
}
