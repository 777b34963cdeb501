// What all calls share: their arguments, their requests, and what comes back. Where a request goes
// and when it is sent again is decided in Rust (src/client/).
import { core } from "./wasm/core.js";

export class WaitpointError extends Error {
  constructor(message, { code, status, retryable = false, cause } = {}) {
    super(message, { cause });
    this.name = "WaitpointError";
    this.code = code;
    this.status = status;
    this.retryable = retryable;
  }
}

export const configured = { baseURL: "", accessToken: "" };

/** A mistake of the caller's: nothing was sent. */
export const refused = (message, cause) => new WaitpointError(message, { code: "invalid_argument", cause });

/** Throws unless a 2xx is what was asked for, and not a captive portal's page, say. */
export function check(fits) {
  if (fits) return;
  throw new WaitpointError("the answer is not a waitpoint server's; is the base URL right?", { code: "invalid_response" });
}

export const isText = (value) => typeof value === "string";

/** What every token that is told has; a page may make its URL a link. */
export const checkToken = (body) => check(isText(body?.id) && isText(body.url) && /^https?:/.test(body.url));

/** A wasm module's exports; the first call starts it. */
export function started(module = core) {
  try {
    return module();
  } catch (cause) {
    const message = "WebAssembly did not start; a Content-Security-Policy must allow script-src 'wasm-unsafe-eval'";
    throw new WaitpointError(message, { code: "wasm_unavailable", cause });
  }
}

// What Rust may be asked to do with a token (src/client/browser.rs).
export const RETRIEVE = 0;
export const COMPLETE = 1;
export const WAIT = 2;

/** Runs the task that `start` starts to its final answer; throws unless that is 2xx. */
export async function settle(start) {
  let task;
  try {
    task = start();
  } catch (error) {
    throw typeof error === "string" ? refused(error) : error;
  }
  try {
    let step = task.step();
    // Not `instanceof`: pages replace Promise.
    while (typeof step.then === "function") step = task.step(await step);
    if (step.error) throw step.error;
    if (step.status >= 200 && step.status < 300) return step;
    throw refusal(step);
  } finally {
    task.free();
  }
}

function refusal({ status, should, body }) {
  const message = body?.error?.message ?? body?.error;
  return new WaitpointError(isText(message) ? message : `the server answered ${status}`, {
    code: isText(body?.code) ? body.code : `http_${status}`,
    status,
    retryable: started().retryable(status, should),
  });
}

/** One call's requests, as src/client/task.rs wants them: the promises never reject. */
export class Wire {
  /** A `body` makes it a POST. */
  constructor(options, body, headers) {
    const { signal, timeoutInMs = 15_000, keepalive = true } = known("options", options, OPTIONS);
    if (signal && typeof signal.addEventListener !== "function") throw refused("signal is no AbortSignal");
    this.signal = signal;
    this.timeoutInMs = number("timeoutInMs", timeoutInMs);
    // Browsers carry 64 KiB at most past the end of a page, of all requests together.
    this.keepalive = keepalive && !!body && body.length < 20_000;
    this.body = body;
    this.headers = headers;
  }

  async send(url, bearer) {
    const { signal, body } = this;
    const controller = new AbortController();
    let error = ["network_error", "the server could not be reached"];
    const end = (...why) => {
      error = why;
      controller.abort();
    };
    const abort = () => end("aborted", "the call was aborted");
    const timer = setTimeout(end, this.timeoutInMs, "timeout", `no answer within ${this.timeoutInMs} ms`);
    signal?.addEventListener("abort", abort);
    if (signal?.aborted) abort();
    try {
      const response = await fetch(url, {
        method: body ? "POST" : "GET",
        headers: {
          ...this.headers,
          ...(body && { "content-type": "application/json" }),
          ...(bearer && { authorization: `Bearer ${bearer}` }),
        },
        // Without a bearer it is a callback, where what stands in {"data":…} is the whole body.
        body: bearer ? body : body?.slice(8, -1),
        keepalive: this.keepalive,
        signal: controller.signal,
      });
      const header = (name) => response.headers.get(name);
      return {
        status: response.status,
        should: { true: 1, false: 0 }[header("x-should-retry")] ?? NaN,
        pause: pause(header("retry-after"), response.status === 429 && header("x-ratelimit-reset")),
        header,
        body: parse(await response.text()),
      };
    } catch (cause) {
      const [code, message] = error;
      const aborted = code === "aborted";
      // It may have been the 64 KiB.
      this.keepalive = false;
      error = new WaitpointError(message, { code, retryable: !aborted, cause: aborted ? signal.reason : cause });
      return { status: aborted ? NaN : 0, should: NaN, pause: NaN, error };
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  sleep(millis) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        forget();
        resolve();
      };
      const timer = setTimeout(wake, this.signal?.aborted ? 0 : millis);
      const forget = this.upon(wake);
    });
  }

  /** Calls `wake` when the caller gives up and when a browser comes back online, until the result is called. */
  upon(wake) {
    const { signal } = this;
    const browser = globalThis.navigator?.onLine === undefined ? undefined : globalThis;
    signal?.addEventListener("abort", wake);
    browser?.addEventListener("online", wake);
    return () => {
      signal?.removeEventListener("abort", wake);
      browser?.removeEventListener("online", wake);
    };
  }
}

/** What a call is given, as Rust reads it: a line each, empty if absent. */
export function given(token, options) {
  const of = { ...options };
  if (of.baseURL) checkBaseURL(of.baseURL);
  return [
    line("token", token?.url ?? token?.id ?? token?.href ?? token),
    line("accessToken", of.accessToken ?? token?.publicAccessToken),
    line("baseURL", of.baseURL),
    configured.accessToken,
    configured.baseURL,
  ].join("\n");
}

export function checkBaseURL(text) {
  try {
    const { protocol, origin, pathname, href } = new URL(text);
    // Neither user, password, query nor fragment.
    if (/^https?:/.test(protocol) && href === origin + pathname) return;
  } catch {}
  throw refused("baseURL is no http(s) URL of an origin and perhaps a path");
}

/** Milliseconds to wait: `Retry-After` is seconds or a date, the reset a Unix time in ms. */
function pause(after, reset) {
  if (after) return after >= 0 ? after * 1000 : Date.parse(after) - Date.now();
  return reset ? reset - Date.now() : NaN;
}

const OPTIONS = ["accessToken", "baseURL", "signal", "timeoutInMs", "retry", "keepalive"];

/** The same object, if it has no other fields: a misspelt one would be missed in silence. */
export function known(what, value, names) {
  value ??= {};
  if (Object(value) !== value) throw refused(`${what} is no object`);
  for (const name in value) if (!names.includes(name)) throw refused(`${what} has no ${name}; there is ${names.join(", ")}`);
  return value;
}

/** Attempts, first delay, longest delay, factor. */
export function retries(retry) {
  const usual = { maxAttempts: 5, minTimeoutInMs: 500, maxTimeoutInMs: 8_000, factor: 2 };
  const given = known("retry", retry === false ? { maxAttempts: 1 } : retry, Object.keys(usual));
  return Object.entries(usual).map(([name, value]) => number(`retry.${name}`, given[name] ?? value));
}

function number(name, value) {
  if (typeof value === "number" && value >= 1 && value < 2 ** 31) return value;
  throw refused(`${name} is ${value}, not a number from 1 to 2147483647`);
}

/** Empty if it is absent. */
export function line(name, value = "") {
  if (typeof value === "string" && !value.includes("\n")) return value;
  throw refused(`${name} is no text, or not of one line`);
}

/** JSON text; refuses what would become `{}` or nothing, such as a promise, a FormData or a function. */
export function json(fields) {
  const { data } = fields;
  let text;
  try {
    text = JSON.stringify(fields);
  } catch (cause) {
    throw refused("data cannot be written as JSON", cause);
  }
  const plain = [Object.prototype, null].includes(Object.getPrototypeOf(Object(data)));
  if (data === undefined || (text !== "{}" && (text !== '{"data":{}}' || plain))) return text;
  throw refused(`data is ${Object.prototype.toString.call(data)}, of which JSON holds nothing`);
}

export const STATUSES = ["WAITING", "COMPLETED", "TIMED_OUT"];

/** What of a token is text where it is there, and of that the times. What a server adds stays as it is. */
const TEXTS = /^(output(Type)?|completedBy(Subject)?|idempotencyKey|(created|completed|timeout|idempotencyKeyExpires)A(t|fter))$/;

/** A token as people want it: dates are dates, the output is what it was completed with. */
export function read(body) {
  checkToken(body);
  const { output, outputType, outputIsError = false, ...token } = body;
  check(token.createdAt && STATUSES.includes(token.status) && Array.isArray(token.tags) && token.tags.every(isText));
  check([true, false].includes(outputIsError));
  for (const name in body) {
    const text = body[name];
    if (text === null || !TEXTS.test(name)) continue;
    check(isText(text));
    if (/A(t|fter)$/.test(name)) check((token[name] = new Date(text)) > 0);
  }
  if (outputIsError) {
    const message = parse(output)?.message;
    token.error = new WaitpointError(isText(message) ? message : "the token timed out", { code: "timed_out" });
  } else if (output !== undefined) {
    token.output = /json/.test(outputType) ? parse(output) : output;
    if (/super/.test(outputType)) token.output = Object(token.output).json;
    check(token.output !== undefined);
  }
  return token;
}

/** Undefined for what is no JSON. */
export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {}
}
