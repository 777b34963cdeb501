// The entry `waitpoint/server`: all of `waitpoint`, and what needs a secret key.
import { Wire, given, json, refused, retries, settle, started, unreadable } from "./call.js";
import { core } from "./wasm/server.js";

export * from "./index.js";

export async function createToken(fields, options) {
  if (fields?.timeout instanceof Date && isNaN(fields.timeout)) throw refused("timeout is an invalid Date");
  const text = json(fields ?? {});
  // Sent again, it must not become a second token.
  const wire = new Wire(options, text, { "x-trigger-request-idempotency-key": crypto.randomUUID() });
  const { body, header } = await settle(() =>
    started(core).create(text, Date.now(), given("", options), wire, ...retries(options?.retry)),
  );
  if (typeof body?.id !== "string") throw unreadable();
  return { ...body, publicAccessToken: header("x-trigger-jwt") ?? undefined };
}
