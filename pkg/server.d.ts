import type {
  Approval,
  ApproverLink,
  CallOptions,
  Outcome,
  RetrievedToken,
  TokenReference,
} from "./index.js";

export * from "./index.js";

/** What a token is made of. */
export interface CreateTokenOptions {
  /**
   * When it times out: a duration (`30s`, `10m`, `1h30m`, `2d`, `1w`) or a moment in the future.
   * Without one it waits for ever.
   */
  timeout?: string | Date;
  /** At most 10, each of at most 128 characters. */
  tags?: string | string[];
  /** The same key gives the same token. At most 2,048 characters. */
  idempotencyKey?: string;
  /** How long the key stands for the token: a duration as for `timeout`. */
  idempotencyKeyTTL?: string;
  /**
   * What the page at the token's `url` asks. Without one it asks for a plain decision. trigger.dev
   * ignores it.
   */
  approval?: Approval;
  /**
   * What is decided at the timeout instead of timing out: the token is then `COMPLETED` with this
   * output. Needs `timeout`. trigger.dev ignores it.
   */
  onTimeout?: { data?: unknown };
  /**
   * Who is told that the token waits, and reminded of it; at most 10. trigger.dev ignores it.
   */
  notify?: Notify[];
  /** When those in `notify` are reminded, while the token waits; at most 5. */
  reminders?: Reminder[];
  /** Who is told of the token's end, by a signed POST. trigger.dev ignores it. */
  webhook?: { url: string };
  /**
   * Which machines' POSTs to the token's `url` decide, and what they hear. trigger.dev ignores it.
   */
  callback?: Callback;
}

/**
 * Somebody who is told of a token, with a link to decide. `slack` and `teams` are the names of
 * channels in the server's `CHANNELS`; `locale` is the language of the mail.
 */
export type Notify =
  | { email: string; locale?: string }
  | { slack: string }
  | { teams: string }
  | { webhook: string };

/** A duration after the token's creation, or before its timeout, as for `timeout`. */
export type Reminder = { after: string } | { before: string };

/** How machines' POSTs to a token's `url` are taken. */
export interface Callback {
  /**
   * Only a body whose value at this JSON Pointer is listed decides. Others are ignored.
   */
  accept?: { pointer: string; in: (string | number | boolean | null)[] };
  /** The signature that a POST must have. The `url` itself then only shows the token. */
  verify?: CallbackVerify;
  /** What a machine hears: any 2xx, by default 200 and `{"success":true}`. */
  respond?: { status?: number; contentType?: string; body?: string };
}

/** `secret` is the name of a secret in the server's `CALLBACK_SECRETS`. */
export type CallbackVerify =
  | { scheme: "standard-webhooks" | "github" | "stripe" | "slack" | "twilio"; secret: string }
  | {
      scheme: "hmac-sha256";
      secret: string;
      header: string;
      encoding?: "hex" | "base64";
      prefix?: string;
    };

/** A token, and what completes it. Hand it to `completeToken` as it is. */
export interface CreatedToken {
  id: string;
  /** For people to open and machines to POST to. Holds a credential. */
  url: string;
  /**
   * The same in about 100 characters, for services that cut or refuse a long URL. Not from
   * trigger.dev.
   */
  shortUrl?: string;
  /** A link for each of the `approvers`: hand each theirs. */
  links?: ApproverLink[];
  /** Whether an idempotency key led to a token that was there before. */
  isCached: boolean;
  /** A short-lived JWT for a browser, with which it may complete and read this token alone. */
  publicAccessToken: string | undefined;
}

/**
 * Creates a token. `accessToken` (here or by `configure`) is a secret key: for back ends alone. A
 * timeout that cannot be read is refused before anything is sent. Retries make no second token.
 *
 * @throws {WaitpointError}
 */
export function createToken(
  token?: CreateTokenOptions,
  options?: CallOptions,
): Promise<CreatedToken>;

/** What `cancelToken` takes. */
export interface CancelOptions extends CallOptions {
  /** Why, for people to read. At most 500 characters. */
  reason?: string | undefined;
}

/**
 * Withdraws a token: it ends, and nobody needs to decide any more. `accessToken` (here or by
 * `configure`) is a secret key; the credential of the token itself does not suffice and is not
 * used. Safe to repeat: a token that has ended stays as it is. Not at trigger.dev.
 *
 * @returns `outcome` is how the token ended, which may have been before
 * @throws {WaitpointError} of code `not_supported_upstream` for a token that lives at another API
 */
export function cancelToken(
  token: TokenReference,
  options?: CancelOptions,
): Promise<{ success: true; outcome: Exclude<Outcome, "completed"> | undefined }>;

/** What `extendToken` takes. */
export interface ExtendOptions extends CallOptions {
  /** When it times out now, as for `createToken`: a duration from now, or a future moment. */
  timeout: string | Date;
}

/** A token, and what completes it until its new timeout. */
export interface ExtendedToken<Output = any> extends RetrievedToken<Output> {
  /** As `createToken` returns it. */
  publicAccessToken: string | undefined;
}

/**
 * Moves the timeout of a token that waits: later, or earlier. `accessToken` as for `cancelToken`.
 * `url`, `shortUrl` and `publicAccessToken` are new and live as long as the token now does; older
 * ones expire when they would have. Not at trigger.dev.
 *
 * @throws {WaitpointError} of code `token_ended` if it waits no more, and `not_supported_upstream`
 * for a token that lives at another API
 */
export function extendToken<Output = any>(
  token: TokenReference,
  options: ExtendOptions,
): Promise<ExtendedToken<Output>>;

/** Which tokens to list. A token must fit all that is given. */
export interface ListTokensFilters {
  /** Any of these. Cancelled ones are among `TIMED_OUT`. */
  status?: RetrievedToken["status"] | RetrievedToken["status"][] | undefined;
  /** Any of these; without commas. */
  tags?: string | string[] | undefined;
  idempotencyKey?: string | undefined;
  /**
   * Created within a period that ends now (`30m`, `12h`, `7d`), or between two moments, both
   * included. A number is milliseconds since 1970.
   */
  createdAt?: { period: string } | { from?: Date | number; to?: Date | number } | undefined;
  /** Tokens of a page, from 1 to 100. Default 25. It is no limit of how many are listed. */
  limit?: number | undefined;
  /** Begin after this cursor: the `pagination.next` of a page. */
  after?: string | undefined;
  /** The page before this cursor: the `pagination.previous` of a page. */
  before?: string | undefined;
}

/** A token in a list: all but its output. */
export type ListedToken = Pick<
  RetrievedToken,
  | "id"
  | "url"
  | "status"
  | "createdAt"
  | "completedAt"
  | "timeoutAt"
  | "cancelledAt"
  | "idempotencyKey"
  | "idempotencyKeyExpiresAt"
  | "tags"
>;

/**
 * A page of a list, newest first. To iterate over it goes on to the pages after it. A page of
 * filtered tokens may be short or empty though more follow: `hasNextPage` says.
 */
export interface TokenPage extends AsyncIterable<ListedToken> {
  readonly data: ListedToken[];
  /** The cursors, for `after` and `before`; absent where the list ends. */
  readonly pagination: { readonly next?: string; readonly previous?: string };
  hasNextPage(): boolean;
  hasPreviousPage(): boolean;
  /** @throws {WaitpointError} if there is none */
  getNextPage(): TokenList;
  /** @throws {WaitpointError} if there is none */
  getPreviousPage(): TokenList;
  /** This page and those after it. */
  iterPages(): AsyncIterable<TokenPage>;
}

/** `await` it for the first page, or `for await` it for every token. */
export type TokenList = Promise<TokenPage> & AsyncIterable<ListedToken>;

/**
 * Lists tokens, newest first. `accessToken` (here or by `configure`) is a secret key. A page is
 * asked for when it is needed: who stops iterating asks for no more.
 *
 * ```js
 * const filters = { status: "WAITING", tags: "deploy" };
 * for await (const token of listTokens(filters)) console.log(token.id);
 * ```
 *
 * @throws {WaitpointError}
 */
export function listTokens(filters?: ListTokensFilters, options?: CallOptions): TokenList;
