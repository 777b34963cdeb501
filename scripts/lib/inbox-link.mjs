// A link that signs in to the inbox once, made with a secret key.
// src/domain/auth/inbox_session.rs reads it.
import { createHmac, randomBytes } from "node:crypto";

/** How long it can be used, in seconds. */
const LIFE = 15 * 60;

/** The path of a link to the inbox of this environment. */
export function inboxLink(environment, key, now = Date.now()) {
  const expires = Math.floor(now / 1000) + LIFE;
  const random = randomBytes(16).toString("base64url");
  const message = `waitpoint inbox link\n${environment}\n${expires}\n${random}`;
  const mac = createHmac("sha256", key).update(message).digest("base64url");
  return `/inbox/sign-in?link=v1.${environment}.${expires}.${random}.${mac}`;
}
