// The entry `waitpoint`.
import {
  COMPLETE,
  RETRIEVE,
  Wire,
  WaitpointError,
  checkBaseURL,
  configured,
  given,
  json,
  known,
  line,
  read,
  refused,
  retries,
  settle,
  started,
  unreadable,
} from "./call.js";

export { WaitpointError };
export { waitForToken } from "./wait.js";

export function configure(options) {
  known("configure's argument", options, Object.keys(configured));
  options ??= {};
  if (options.baseURL) checkBaseURL(options.baseURL);
  for (const name in configured) if (name in options) configured[name] = line(name, options[name]);
}

export async function completeToken(token, data, options) {
  const { body, header } = await send(token, options, json({ data }));
  if (body?.success !== true) throw unreadable();
  return { success: true, outcome: header("waitpoint-outcome") ?? undefined };
}

export async function retrieveToken(token, options) {
  const { body } = await send(token, options);
  if (typeof body?.id !== "string") throw unreadable();
  return read(body);
}

export function decodeToken(token) {
  const text = line("token", token?.publicAccessToken ?? token?.url ?? token?.href ?? token);
  try {
    const { sub, scopes, exp, act } = JSON.parse(new TextDecoder().decode(started().decode(text)));
    if (!(exp > 0)) throw refused("the token has no expiry");
    const [id] = scopes.flatMap((scope) => /^\w+:waitpoints:(.+)/.exec(scope)?.[1] ?? []);
    return { id, environment: sub, scopes, expiresAt: new Date(exp * 1000), subject: act?.sub };
  } catch (cause) {
    if (cause instanceof WaitpointError) throw cause;
    throw refused("this is neither a token's public access token (a JWT) nor a url that holds one", cause);
  }
}

async function send(token, options, body) {
  const wire = new Wire(options, body);
  return settle(() => started().start(body ? COMPLETE : RETRIEVE, given(token, options), wire, ...retries(options?.retry)));
}
