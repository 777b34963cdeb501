// A team of Cloudflare Access: its keys, the server that tells them, and what it says of people.
import { generateKeyPairSync, sign as signBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { after } from "node:test";
import { HOUR, seconds } from "./requests.mjs";

export const TAGS = { default: "a".repeat(64), prod: "b".repeat(64) };
export const ACCESS_AUD = `${TAGS.default}\nprod=${TAGS.prod}`;

export const CERTS = "/cdn-cgi/access/certs";

export const makeKey = (kid, modulusLength = 2048) => ({
  kid,
  ...generateKeyPairSync("rsa", { modulusLength }),
});
export const [current, previous, next, foreign] = ["current", "previous", "next", "foreign"].map(
  (kid) => makeKey(kid),
);
export const jwk = ({ kid, publicKey }) => {
  const { n, e, kty } = publicKey.export({ format: "jwk" });
  return { kid, kty, alg: "RS256", use: "sig", e, n };
};
/** The answer of Cloudflare, with these keys. */
export const certificates = (...keys) =>
  JSON.stringify({
    keys: keys.map(jwk),
    public_cert: { kid: keys[0]?.kid, cert: "-----BEGIN CERTIFICATE-----" },
    public_certs: keys.map(({ kid }) => ({ kid, cert: "-----BEGIN CERTIFICATE-----" })),
  });

/** The server of a team, which answers by `answer`. */
export async function useTeam(
  answer = (response) => response.end(certificates(current, previous)),
) {
  const team = { origin: "", asked: [], answer };
  const server = createServer((request, response) => {
    team.asked.push(`${request.method} ${request.url}`);
    team.answer(response, request);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  team.origin = `http://127.0.0.1:${server.address().port}`;
  team.stop = async () => {
    server.closeAllConnections();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  after(team.stop);
  return team;
}

export const part = (value) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** What Cloudflare Access says of a person. `claims` are changed, or removed if undefined. */
export function assertion(team, { key = current, claims = {}, header = {}, seal } = {}) {
  const now = seconds();
  const payload = {
    aud: [TAGS.default],
    email: "ann@example.com",
    exp: now + HOUR,
    iat: now,
    nbf: now,
    iss: team.origin,
    type: "app",
    identity_nonce: "6ei69kawdKzMIAPF",
    sub: "7335d417-61da-459d-899c-0a01c76a2f94",
    country: "US",
    ...claims,
  };
  const text = `${part({ alg: "RS256", kid: key.kid, typ: "JWT", ...header })}.${part(payload)}`;
  const mac = seal ? seal(text) : signBytes("RSA-SHA256", Buffer.from(text), key.privateKey);
  return `${text}.${mac.toString("base64url")}`;
}
export const by = (text) => ({ "cf-access-jwt-assertion": text });
