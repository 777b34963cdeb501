import type { CallOptions } from "./index.js";

export * from "./index.js";

/** What a token is made of. */
export interface CreateTokenOptions {
  /**
   * When it times out: a duration (`30s`, `10m`, `1h30m`, `2d`, `1w`) or a moment in the future. Without
   * one it waits for ever.
   */
  timeout?: string | Date;
  /** At most 10, each of at most 128 characters. */
  tags?: string | string[];
  /** The same key gives the same token. At most 2,048 characters. With trigger.dev; a Waitpoint Worker answers 501 as yet. */
  idempotencyKey?: string;
  /** How long the key stands for the token: a duration as for `timeout`. */
  idempotencyKeyTTL?: string;
}

/** A token, and what completes it. Hand it to `completeToken` as it is. */
export interface CreatedToken {
  id: string;
  /** For people to open and machines to POST to. Holds a credential. */
  url: string;
  /** Whether an idempotency key led to a token that was there before. */
  isCached: boolean;
  /** A short-lived JWT for a browser, with which it may complete and read this token alone. */
  publicAccessToken: string | undefined;
}

/**
 * Creates a token. `accessToken` (here or by `configure`) is a secret key: for back ends alone. A timeout that
 * cannot be read is refused before anything is sent. Retries make no second token.
 *
 * @throws {WaitpointError}
 */
export function createToken(token?: CreateTokenOptions, options?: CallOptions): Promise<CreatedToken>;
