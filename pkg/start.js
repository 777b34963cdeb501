// How Rust is started, and what there is where it cannot be.
import { configuredSettings, makeError } from "./shared.js";

/**
 * Calls Rust: at once, or when it has been compiled where that cannot be at once (Chromium before
 * 116). Where it cannot be at all, `otherwise` is called.
 */
export async function loadWasm(module, call, otherwise = Promise.reject.bind(Promise)) {
  let { rust, later, cause } = module();
  if (later) rust = await later.catch((error) => void (cause = error));
  return rust ? call(rust) : otherwise(unavailable(cause));
}

/** Why there is no WebAssembly, as an error. */
export function unavailable(cause, isLater) {
  const why = `${cause?.message}`;
  let message = `WebAssembly did not start: ${why}`;
  if (typeof WebAssembly !== "object") message = "There is no WebAssembly here.";
  else if (/unsafe-eval|CSP|embedder/.test(why))
    message = "A Content-Security-Policy forbids WebAssembly. Allow script-src 'wasm-unsafe-eval'.";
  else if (isLater) message = `WebAssembly is still being compiled; call again. ${why}`;
  return makeError(message, "wasm_unavailable", undefined, !!isLater, cause);
}

const TOKEN_URL = /^(https?:.+)\/api\/v1\/waitpoints\/tokens\/(\w+)\/callback\/([\w.-]+)/;

/** Without Rust the click counts all the same: a plain request, repeated once. */
export async function completePlainly(cause, token, data, options) {
  const settings = configuredSettings();
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
  const send = () => fetch(base.replace(/\/$/, "") + path, request).catch(() => ({ status: 0 }));
  const mayRetry = ({ status }) => !status || status === 429 || status >= 500;
  let response = await send();
  if (mayRetry(response)) response = await send();
  const outcome = response.headers?.get("waitpoint-outcome") ?? undefined;
  if (response.ok) return { success: true, outcome };
  const { status } = response;
  const { code } = (await response.json?.().catch(() => {})) ?? {};
  const message = status ? `The server answered with status ${status}.` : "There was no answer.";
  const other = status ? `http_${status}` : "network_error";
  throw makeError(message, code ?? other, status || undefined, mayRetry(response), cause);
}
