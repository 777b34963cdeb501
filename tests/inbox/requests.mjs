// Requests to the inbox as a browser sends them, and what is signed for it.
import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { nonceOf } from "../page/requests.mjs";
import { KEY } from "../support/harness.mjs";

export { nonceOf };

export const COOKIE = "__Host-waitpoint_inbox";
export const HOUR = 3_600;
export const seconds = () => Math.floor(Date.now() / 1000);

/** A request without a redirect. A form is sent as the page's own form is. */
export function visit(url, { session, cookie, form, headers = {}, method, ...options } = {}) {
  const cookies = cookie ?? (session && `${COOKIE}=${session}`);
  return fetch(url, {
    redirect: "manual",
    method: method ?? (form ? "POST" : "GET"),
    body: form && new URLSearchParams(form),
    ...options,
    headers: {
      accept: "text/html",
      ...(cookies && { cookie: cookies }),
      // Chromium under `referrer-policy: no-referrer`.
      ...(form && { origin: "null", "sec-fetch-site": "same-origin" }),
      ...headers,
    },
  });
}

/** Opens the form that signs in, and sends it. */
export async function submitKey(origin, key, { next = "", headers, ...fields } = {}) {
  const page = await visit(`${origin}/inbox/sign-in`);
  const form = { waitpoint_nonce: nonceOf(await page.text()) ?? "", key, next, ...fields };
  return visit(`${origin}/inbox/sign-in`, { form, headers });
}

/** The value of the cookie that begins a session, or undefined. */
export function sessionOf(answer) {
  const set = answer.headers.getSetCookie().find((one) => one.startsWith(`${COOKIE}=`));
  return set?.slice(COOKIE.length + 1).split(";")[0] || undefined;
}

export async function signIn(origin, key = KEY) {
  const answer = await submitKey(origin, key);
  assert.equal(answer.status, 303, await answer.text());
  return sessionOf(answer);
}

/** What src/domain/auth/inbox_session.rs signs: a `session` or a `link`. */
export function signed(kind, { key = KEY, environment = "default", expires, random, named } = {}) {
  const until = expires ?? seconds() + (kind === "link" ? 600 : HOUR);
  const id = random ?? randomUUID();
  const message = `waitpoint inbox ${kind}\n${environment}\n${until}\n${id}`;
  const mac = createHmac("sha256", key).update(message).digest("base64url");
  return `v1.${named ?? environment}.${until}.${id}.${mac}`;
}

/** Whether this is the page of somebody who is not signed in, or the way there. */
export async function isSignedOut(answer, path = "/inbox") {
  const { pathname, searchParams } = new URL(answer.headers.get("location"), "http://here");
  const next = path === "/inbox" ? null : path;
  assert.deepEqual(
    [answer.status, pathname, searchParams.get("next"), await answer.text()],
    [303, "/inbox/sign-in", next, ""],
  );
}

/** Signs in by the form of a page in a browser. Returns the session. */
export async function signInThere(page) {
  await page.locator("input[name=key]").fill(KEY);
  await Promise.all([page.waitForURL("**/inbox"), page.locator("main form button").click()]);
  const [{ value }] = await page.context().cookies();
  return value;
}
