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

/** A 2xx that is not what was asked for, such as a captive portal's page. */
export const unreadable = () =>
  new WaitpointError("the answer is not a waitpoint server's; is the base URL right?", { code: "invalid_response" });

/** A wasm module's exports; the first call starts it. */
export function started(module = core) {
  try {
    return module();
  } catch (cause) {
    const message = "WebAssembly is blocked; the Content-Security-Policy must allow script-src 'wasm-unsafe-eval'";
    throw new WaitpointError(message, { code: "wasm_unavailable", cause });
  }
}

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
    while (step instanceof Promise) step = task.step(await step);
    if (step.error) throw step.error;
    if (step.status >= 200 && step.status < 300) return step;
    throw refusal(step);
  } finally {
    task.free();
  }
}

function refusal({ status, should, body }) {
  const message = body?.error?.message ?? body?.error;
  return new WaitpointError(typeof message === "string" ? message : `the server answered ${status}`, {
    code: body?.code ?? `http_${status}`,
    status,
    retryable: started().retryable(status, should),
  });
}

/** One call's requests, as src/client/task.rs wants them: the promises never reject. */
export class Wire {
  /** A `body` makes it a POST. */
  constructor({ signal, timeoutInMs = 15_000, keepalive = true } = {}, body, headers) {
    if (signal && typeof signal.aborted !== "boolean") throw refused("signal is no AbortSignal");
    this.signal = signal;
    this.timeoutInMs = number("timeoutInMs", timeoutInMs);
    // Browsers carry 64 KiB at most past the end of a page.
    this.keepalive = keepalive && !!body && body.length < 20_000;
    this.body = body;
    this.headers = headers;
  }

  async send(url, bearer) {
    const { signal, body, keepalive } = this;
    const limit = AbortSignal.timeout(this.timeoutInMs);
    const headers = { ...this.headers };
    if (body) headers["content-type"] = "application/json";
    if (bearer) headers.authorization = `Bearer ${bearer}`;
    try {
      const response = await fetch(url, {
        method: body ? "POST" : "GET",
        headers,
        // Without a bearer it is a callback, where what stands in {"data":…} is the whole body.
        body: bearer ? body : body?.slice(8, -1),
        keepalive,
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
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
      const [status, message, code] = signal?.aborted
        ? [NaN, "the call was aborted", "aborted"]
        : limit.aborted
          ? [0, `no answer within ${this.timeoutInMs} ms`, "timeout"]
          : [0, "the server could not be reached", "network_error"];
      const error = new WaitpointError(message, { code, retryable: status === 0, cause: signal?.reason ?? cause });
      return { status, should: NaN, pause: NaN, error };
    }
  }

  sleep(millis) {
    return new Promise((resolve) => {
      const offline = globalThis.navigator?.onLine === false;
      const wake = () => {
        clearTimeout(timer);
        this.signal?.removeEventListener("abort", wake);
        if (offline) removeEventListener("online", wake);
        resolve();
      };
      const timer = setTimeout(wake, millis);
      this.signal?.addEventListener("abort", wake);
      if (offline) addEventListener("online", wake);
    });
  }
}

/** Milliseconds to wait: `Retry-After` is seconds or a date, the reset a Unix time in ms. */
function pause(after, reset) {
  if (after) return after >= 0 ? after * 1000 : Date.parse(after) - Date.now();
  return reset ? reset - Date.now() : NaN;
}

/** Attempts, first delay, longest delay, factor. */
export function retries(retry) {
  const given = retry === false ? { maxAttempts: 1 } : (retry ?? {});
  return Object.entries({ maxAttempts: 5, minTimeoutInMs: 500, maxTimeoutInMs: 8_000, factor: 2 }).map(
    ([name, value]) => number(`retry.${name}`, given[name] ?? value),
  );
}

function number(name, value) {
  if (value >= 0 && value < 2 ** 31) return value;
  throw refused(`${name} is ${value}, not a number from 0 to 2147483647`);
}

/** Empty if it is absent. */
export function line(name, value = "") {
  if (typeof value === "string" && !value.includes("\n")) return value;
  throw refused(`${name} is no text of one line`);
}

export function json(value) {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    throw refused("data cannot be written as JSON", cause);
  }
}

/** Undefined for what is no JSON. */
export function parse(text) {
  try {
    return JSON.parse(text);
  } catch {}
}
