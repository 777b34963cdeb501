// What a good client sends, and a credential for the others.
import { createHmac } from "node:crypto";
import { request } from "node:http";
import { KEY } from "../../tests/support/workerd.mjs";

export const TOKENS = "/api/v1/waitpoints/tokens";

/** Sends one request through the agent: status and body; status 0 if the connection broke. */
export function send(server, method, path, { key, body, headers = {}, agent, chunked } = {}) {
  return new Promise((resolve) => {
    const all = { ...(key && { authorization: `Bearer ${key}` }), ...headers };
    if (body !== undefined && !chunked) all["content-length"] = Buffer.byteLength(body);
    const sent = request(server.url + path, { method, headers: all, agent }, (answer) => {
      let text = "";
      answer.on("data", (chunk) => (text += chunk));
      answer.on("end", () => resolve({ status: answer.statusCode, text, headers: answer.headers }));
      answer.on("error", () => resolve({ status: 0, text }));
    });
    sent.on("error", () => resolve({ status: 0, text: "" }));
    sent.end(body);
  });
}

export async function create(server, agent) {
  const { status, text, headers } = await send(server, "POST", TOKENS, {
    key: KEY,
    body: '{"timeout":"1h"}',
    agent,
  });
  if (status !== 200) throw new Error(`a good client was told ${status} ${text}`);
  const { id, url } = JSON.parse(text);
  return {
    id,
    path: `${TOKENS}/${id}`,
    page: new URL(url).pathname,
    jwt: headers["x-trigger-jwt"],
  };
}

/** A good client's round: the milliseconds of its three requests. It throws on a wrong response. */
export async function goodRound(server, agent) {
  const began = performance.now();
  const { path, jwt } = await create(server, agent);
  const completed = await send(server, "POST", `${path}/complete`, {
    key: jwt,
    body: '{"data":"good"}',
    agent,
  });
  const read = await send(server, "GET", path, { key: jwt, agent });
  if (
    completed.headers["waitpoint-outcome"] !== "completed" ||
    JSON.parse(read.text).output !== '"good"'
  ) {
    throw new Error(
      `a good client was told ${completed.status} ${completed.text}, ${read.status} ${read.text}`,
    );
  }
  return performance.now() - began;
}

export const sign = (scopes) => {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    sub: "default",
    pub: true,
    scopes,
    iss: "https://id.trigger.dev",
    aud: "https://api.trigger.dev",
    exp: now + 900,
    iat: now,
  };
  const text = `${part({ alg: "HS256" })}.${part(claims)}`;
  return `${text}.${createHmac("sha256", KEY).update(text).digest("base64url")}`;
};
