// The entry `waitpoint`.
import {
  COMPLETE,
  RETRIEVE,
  Wire,
  WaitpointError,
  check,
  checkBaseURL,
  configured,
  given,
  isText,
  json,
  known,
  line,
  read,
  refused,
  retries,
  settle,
  started,
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
  check(body?.success === true);
  const outcome = header("waitpoint-outcome");
  return { success: true, outcome: OUTCOMES.includes(outcome) ? outcome : undefined };
}

const OUTCOMES = ["completed", "already-completed", "timed-out"];

export async function retrieveToken(token, options) {
  return read((await send(token, options)).body);
}

export function decodeToken(token) {
  const text = line("token", token?.publicAccessToken ?? token?.url ?? token?.href ?? token);
  try {
    const { sub, scopes, exp, act } = JSON.parse(new TextDecoder().decode(started().decode(text)));
    const expiresAt = new Date(exp * 1000);
    if (!(expiresAt > 0)) throw refused("the token has no expiry");
    if (![sub, act?.sub ?? "", ...scopes].every(isText)) throw TypeError();
    const [id] = scopes.flatMap((scope) => /^\w+:waitpoints:(.+)/.exec(scope)?.[1] ?? []);
    return { id, environment: sub, scopes, expiresAt, subject: act?.sub };
  } catch (cause) {
    if (cause instanceof WaitpointError) throw cause;
    throw refused("this is neither a token's public access token (a JWT) nor a url that holds one", cause);
  }
}

async function send(token, options, body) {
  const wire = new Wire(options, body);
  return settle(() => started().start(body ? COMPLETE : RETRIEVE, given(token, options), wire, ...retries(options?.retry)));
}
