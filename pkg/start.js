// Starts the Rust module, and has the fallback for environments where that is impossible.
import { makeError, settings } from "./shared.js";

/** The Rust module, once it has started. */
export function rustNow({ rust, cause, later }) {
  if (rust) return rust;
  throw unavailable(cause, later);
}

/**
 * Calls a function of the Rust module: at once, or after an asynchronous compilation in Chromium
 * before 116. If the module cannot be started, `otherwise` is called with the reason.
 */
export async function loadWasm(module, name, args, otherwise) {
  const { later } = module();
  if (later) await later;
  if (!module().rust && otherwise) return otherwise(unavailable(module().cause), ...args);
  return rustNow(module())[name](...args);
}

/** Why there is no WebAssembly, as an error. */
function unavailable(cause, isLater) {
  let message = `WebAssembly did not start: ${cause?.message}`;
  if (typeof WebAssembly !== "object") message = "There is no WebAssembly here.";
  else if (/unsafe-eval|CSP|embedder/.test(cause?.message))
    message = "A Content-Security-Policy forbids WebAssembly. Allow script-src 'wasm-unsafe-eval'.";
  else if (isLater) message = "WebAssembly is still being compiled here. Call again.";
  return makeError(message, "wasm_unavailable", 0, !!isLater, cause);
}

const TOKEN_URL = /^(https?:.+)\/api\/v1\/waitpoints\/tokens\/(\w+)\/callback\/([\w.-]+)/;

/** The fallback without Rust, so that the click still counts: a plain request, repeated once. */
export async function completePlainly(cause, token, data, options) {
  const text = `${token?.url ?? token?.id ?? token}`;
  const [, origin, id = text, secret] = TOKEN_URL.exec(text) ?? [];
  const bearer = options?.accessToken || token?.publicAccessToken || secret || settings.accessToken;
  if (!bearer || !/^\w{1,100}$/.test(id)) throw cause;
  const base = options?.baseURL || origin || settings.baseURL || "https://api.trigger.dev";
  const isHash = bearer === secret && !secret.includes(".");
  const path = `/api/v1/waitpoints/tokens/${id}/${isHash ? `callback/${secret}` : "complete"}`;
  const headers = { "content-type": "application/json" };
  if (!isHash) headers.authorization = `Bearer ${bearer}`;
  const body = JSON.stringify(isHash ? data : { data });
  const request = { method: "POST", headers, body, keepalive: true, signal: options?.signal };
  const lost = { status: 0, json: async () => ({ code: "network_error" }) };
  const send = () => fetch(base.replace(/\/$/, "") + path, request).catch(() => lost);
  const mayRetry = ({ status }) => !status || status === 408 || status === 429 || status >= 500;
  let response = await send();
  if (mayRetry(response)) response = await send();
  const outcome = response.headers?.get("waitpoint-outcome") ?? undefined;
  if (response.ok) return { success: true, outcome };
  const { code = `http_${response.status}`, ...it } = (await response.json().catch(() => {})) ?? {};
  const message = `The token could not be completed: ${code}.`;
  throw makeError(message, code, response.status, mayRetry(response), cause, it.details);
}
