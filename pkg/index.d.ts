import type { Approval, ApproverLink, Vote } from "./approval.js";

export type * from "./approval.js";

/**
 * Which token: its id (`waitpoint_…`), its `url`, or what `createToken` returned, of this package
 * or of `@trigger.dev/sdk`.
 */
export type TokenReference =
  | string
  | URL
  | {
      readonly id: string;
      readonly url?: string | undefined;
      readonly publicAccessToken?: string | undefined;
    };

/** What every call takes. */
export interface CallOptions {
  /**
   * The credential: the token's public access token (a short-lived JWT), or a secret key on a back
   * end. Default: the token's `publicAccessToken`, then the JWT in its `url`, then `configure`'s.
   * The last is never sent to an origin that only the token's `url` names; what is given here is.
   */
  accessToken?: string | undefined;
  /**
   * Origin and path prefix of the API. Default: the `url`'s, then `configure`'s, then
   * `https://api.trigger.dev`.
   */
  baseURL?: string | undefined;
  /** Aborting it ends the call with code `aborted`; a request on its way may still arrive. */
  signal?: AbortSignal | undefined;
  /** Limit of each attempt, in milliseconds. Default 15,000. */
  timeoutInMs?: number | undefined;
  /** When to try again; `false` for never. */
  retry?: RetryOptions | false | undefined;
  /**
   * Whether the request survives the closing of its tab. Default true; browsers do so for bodies up
   * to 64 KiB, so it has no effect on those of 20,000 characters and more.
   */
  keepalive?: boolean | undefined;
}

/**
 * Tried again are network failures, 408, 429 and 500 and above, unless the server says otherwise
 * (`x-should-retry`). A pause that it asks for (`Retry-After`, `x-ratelimit-reset`) is kept, up to
 * 60 seconds; a longer one ends the call. Otherwise the delay before attempt n + 1 is random
 * between 0 and `minTimeoutInMs * factor ** (n - 1)`. When a browser comes back online, the wait
 * ends.
 */
export interface RetryOptions {
  /** Attempts in all. Default 5. */
  maxAttempts?: number | undefined;
  /** Ceiling of the first delay, in milliseconds. Default 500. */
  minTimeoutInMs?: number | undefined;
  /** Highest ceiling, in milliseconds. Default 8,000. */
  maxTimeoutInMs?: number | undefined;
  /** Growth of the ceiling. Default 2. */
  factor?: number | undefined;
}

/**
 * What became of a completion. The first decision stands; whoever comes later is told so. After a
 * retry `already-completed` may speak of this call's own first attempt, whose answer was lost.
 */
export type Outcome = "completed" | "already-completed" | "timed-out" | "cancelled";

/**
 * Completes a token. Safe to repeat: the first decision stands.
 *
 * Where there is no WebAssembly, or none is allowed, it is a plain request that is repeated once;
 * every other call fails there with code `wasm_unavailable`.
 *
 * What a person would fill in on the page stands in `fields` of the data, beside what the choice
 * has: `{ status: "approved", fields: { amount: 12.5 }, comment: "fine" }`; data that is no object
 * stands in `data`. Where the approval says `validate: "all"`, fields that do not match its form
 * are refused with the code `invalid_fields`, and `details` tells each. A token with approvers is
 * decided by a secret key alone: any other credential is refused with `approvers_only`.
 *
 * @param data the output, anything that JSON can say; none if undefined
 * @returns `outcome` is undefined where the server does not say (trigger.dev)
 * @throws {WaitpointError}
 */
export function completeToken(
  token: TokenReference,
  data?: unknown,
  options?: CallOptions,
): Promise<{ success: true; outcome: Outcome | undefined }>;

/** A token as it stands. */
export interface RetrievedToken<Output = any> {
  id: string;
  /** Where a machine may POST its decision to. Holds a credential. */
  url: string;
  /** The same in about 100 characters. Only with a secret key, and not from trigger.dev. */
  shortUrl?: string;
  /** `TIMED_OUT` is also a token that was cancelled: `cancelledAt` tells. */
  status: "WAITING" | "COMPLETED" | "TIMED_OUT";
  /** What it was completed with. */
  output?: Output;
  /** Of code `timed_out` or `cancelled`, when it ended so. */
  error?: WaitpointError;
  createdAt: Date;
  /** When it was completed, timed out or was cancelled. */
  completedAt?: Date;
  timeoutAt?: Date;
  idempotencyKey?: string;
  idempotencyKeyExpiresAt?: Date;
  tags: string[];
  /** When it was cancelled. */
  cancelledAt?: Date;
  /** Why, if who cancelled it said so. */
  cancelReason?: string;
  /** How it was completed, where the server says; `timeout` is the default of `onTimeout`. */
  completedBy?: "api" | "callback" | "inbox" | "page" | "upstream" | "timeout";
  /** On whose behalf: the JWT's `act.sub`; of a decision by votes the id of the last approver. */
  completedBySubject?: string;
  /** The headers of the callback that completed it, as far as they say which event it was. */
  callback?: { headers: Record<string, string> };
  /** What the page asks, as it was created; `approvers` only with a secret key. */
  approval?: Approval;
  /** The links of its approvers. Only with a secret key. */
  links?: ApproverLink[];
  /** The votes of its approvers; until it ends only with a secret key. */
  votes?: Vote[];
  /** What happened to it, in order. Only with a secret key. */
  history?: HistoryEntry[];
  /** Who was or will be told of it, and what became of that. Only with a secret key. */
  deliveries?: Delivery[];
}

/** Who is told of a token. */
export type Recipient =
  | { email: string }
  | { slack: string }
  | { teams: string }
  | { webhook: string };

/** Something that happened to a token. */
export interface HistoryEntry {
  type:
    | "created"
    | "notified"
    | "reminded"
    | "extended"
    | "voted"
    | "callback_ignored"
    | "completed"
    | "timed_out"
    | "cancelled";
  at: Date;
  /** Who was notified or reminded. */
  to?: Recipient;
  /** What the timeout was moved to. */
  timeoutAt?: Date;
  /** How it was completed, as `completedBy`; who voted, by their id. */
  by?: string;
  /** On whose behalf it was completed. */
  subject?: string;
  /** Why it was cancelled. */
  reason?: string;
}

/** A message about a token: a webhook, or a notice to a recipient. */
export interface Delivery {
  event:
    | "waitpoint.created"
    | "waitpoint.reminder"
    | "waitpoint.extended"
    | "waitpoint.completed"
    | "waitpoint.timed_out"
    | "waitpoint.cancelled";
  /** The environment's webhook, the token's own, the API at which it lives, or a recipient. */
  target: "environment" | "token" | "upstream" | "email" | "slack" | "teams" | "webhook";
  /** The address of a mail, or the name of a channel. */
  to?: string;
  /** Where a webhook goes. */
  url?: string;
  status: "pending" | "delivered" | "failed";
  attempts: number;
  nextAttemptAt?: Date;
  lastAttemptAt?: Date;
  /** The HTTP status of the last attempt, if there was an answer. */
  lastStatus?: number;
  /** Why the last attempt failed, if there was none. */
  lastError?: string;
  /** What differs at the API at which the token lives. */
  difference?: string;
}

/**
 * Reads a token. Needs the scope to read it, or a secret key.
 *
 * @throws {WaitpointError}
 */
export function retrieveToken<Output = any>(
  token: TokenReference,
  options?: CallOptions,
): Promise<RetrievedToken<Output>>;

/**
 * Waits until a token is finished: completed, timed out or cancelled, as `status` and `error.code`
 * tell. Needs the scope to read it, or a secret key. For as long as it takes, however often
 * its timeout is moved; `signal` ends it, so `AbortSignal.timeout(…)` is its limit.
 *
 * The token is read first, like any: what the server refuses, or that it cannot be reached,
 * rejects. From then on a lost connection is no failure: it is picked up again with growing pauses,
 * for ever. What rejects is a refusal, such as of a credential that has expired meanwhile.
 *
 * It listens by WebSocket where there is one (browsers, Node 22 and newer, Workers, Deno, Bun),
 * else or where none can be opened by long poll. Where nobody can wait (trigger.dev) the token is
 * read every few seconds.
 *
 * @param options `timeoutInMs` limits each attempt to connect, `retry` counts for the first reading
 * alone
 * @returns the token as `retrieveToken` would read it; `error` is set if it timed out or was
 * cancelled
 * @throws {WaitpointError} of code `aborted` if `signal` was aborted
 */
export function waitForToken<Output = any>(
  token: TokenReference,
  options?: CallOptions,
): Promise<RetrievedToken<Output>>;

/** What a public access token says of itself. */
export interface DecodedToken {
  /** The token it is for, if it is for one. */
  id: string | undefined;
  environment: string;
  scopes: string[];
  expiresAt: Date;
  /** On whose behalf it speaks (`act.sub`). */
  subject: string | undefined;
}

/**
 * Reads a public access token, or the one in a token's `url`. **Nothing is verified**: anybody can
 * write such a text. For what to show, never for what to allow.
 *
 * @throws {WaitpointError} of code `invalid_argument` if there is none; of code `wasm_unavailable`
 * and `retryable` while Chromium 110 to 115 compiles the WebAssembly, which the first call of any
 * begins
 */
export function decodeToken(token: TokenReference): DecodedToken;

/** Sets what calls use that say nothing themselves; what is not named stays. */
export function configure(options: {
  baseURL?: string | undefined;
  accessToken?: string | undefined;
}): void;

/** Everything that this package throws or rejects with. */
export class WaitpointError extends Error {
  readonly name: "WaitpointError";
  /**
   * What to branch on: `invalid_argument` (nothing was sent), `network_error`, `timeout`,
   * `aborted`, `invalid_response`, `wasm_unavailable` (the message says why: there is none, a
   * Content-Security-Policy forbids it, or it is still being compiled, which `retryable` tells), or
   * the server's own, such as `public_token_expired` or `token_not_found`; `http_<status>` if it
   * gave none.
   */
  readonly code: string;
  /** The HTTP status, if the server answered. */
  readonly status: number | undefined;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /**
   * What is wrong with which value, if the server said so: of `invalid_fields` each with a
   * `pointer` (RFC 6901) into the output, such as `/fields/amount`.
   */
  readonly details: readonly { readonly message: string; readonly pointer?: string }[] | undefined;
}
