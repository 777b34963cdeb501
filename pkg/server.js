// The entry `waitpoint/server`: all of `waitpoint`, and what needs a secret key.
import { Wire, configured, json, line, refused, retries, settle, started, unreadable } from "./call.js";
import { core } from "./wasm/server.js";

export * from "./index.js";

export async function createToken(fields = {}, options = {}) {
  const key = line("accessToken", options.accessToken ?? configured.accessToken);
  if (!key) throw refused("no credential: give options.accessToken, a secret key, or configure({ accessToken })");
  const baseURL = line("baseURL", options.baseURL ?? configured.baseURL);
  const text = json(fields);
  // Sent again, it must not become a second token.
  const wire = new Wire(options, text, { "x-trigger-request-idempotency-key": crypto.randomUUID() });
  const { body, header } = await settle(() =>
    started(core).create(text, Date.now(), key, baseURL, wire, ...retries(options.retry)),
  );
  if (typeof body?.id !== "string") throw unreadable();
  return { ...body, publicAccessToken: header("x-trigger-jwt") ?? undefined };
}
