// The floods, by name. Each call sends one request. Fields say how many run at a time and what is
// prepared.
import { randomBytes, randomUUID } from "node:crypto";
import {
  controls,
  escapes,
  invalidForm,
  manyNames,
  markup,
  nested,
  objects,
} from "../../tests/support/hostile.mjs";
import { KEY } from "../../tests/support/workerd.mjs";
import { abandon, crumbs, leave, slowloris, stall, trickle } from "./connections.mjs";
import { create, send, sign, TOKENS } from "./requests.mjs";

// Rate limiters in the Worker itself: the platform's bindings count in another process.
export const LIMITED = `
  import * as built from "./index.js";
  const limiter = (most, seconds) => {
    const counts = new Map();
    let period = 0;
    return {
      async limit({ key }) {
        const now = Math.floor(Date.now() / 1000 / seconds);
        if (now !== period) {
          counts.clear();
          period = now;
        }
        counts.set(key, (counts.get(key) ?? 0) + 1);
        return { success: counts.get(key) <= most };
      },
    };
  };
  const limits = {
    TOKEN_LIMIT: limiter(2000, 10),
    ENVIRONMENT_LIMIT: limiter(5000, 10),
    ADDRESS_LIMIT: limiter(1000, 60),
  };
  export default {
    fetch: (request, env, context) => built.default.fetch(request, { ...env, ...limits }, context),
  };
  export const { TokenObject, KeyObject, IndexObject } = built;`;

const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis));
const anyJwt = sign(["read:waitpoints", "write:waitpoints"]);
const forged = (jwt) =>
  `${jwt.slice(0, jwt.lastIndexOf("."))}.${randomBytes(32).toString("base64url")}`;
const madeUp = () => `waitpoint_c${randomUUID().replaceAll("-", "").slice(0, 24)}`;

/**
 * Decides upstream and here, with outputs of megabytes that differ at their end, which the object
 * compares afterwards.
 */
async function disagree({ ask, server, upstream, agent }) {
  const { path, jwt } = await create(server, agent);
  await send(upstream, "POST", `${path}/complete`, { key: KEY, body: `{"data":${objects(1)}}` });
  return ask("POST", `${path}/complete`, { key: jwt, body: `{"data":${objects(0)}}` });
}

/** Completes a token with this body, POSTed to its link as a machine would. */
const completed =
  (body, type = "text/plain") =>
  async ({ server, agent }) => {
    const large = await create(server, agent);
    const { status, text } = await send(server, "POST", large.page, {
      body,
      agent,
      headers: { "content-type": type },
    });
    if (status !== 200) throw new Error(`an output was answered ${status} ${text}`);
    return { large };
  };

/** Creates tokens with as many tags as possible. A list reads each of them. */
async function tagged({ server, agent }) {
  const body = JSON.stringify({ timeout: "1h", tags: [..."abcdefghij"] });
  for (let n = 0; n < 2_000; n++) await send(server, "POST", TOKENS, { key: KEY, body, agent });
  await pause(500);
  return {};
}
const list =
  (query) =>
  ({ ask }) =>
    ask("GET", `${TOKENS}?${query}`, { key: KEY });
const tags = Array.from({ length: 3_500 }, (_, n) => `t${n.toString(36)}`);

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const HTML = { accept: "text/html" };
const again =
  (body, headers) =>
  ({ ask, done }) =>
    ask("POST", `${done.path}/complete`, { key: done.jwt, body, headers });
const toLink =
  (body, headers) =>
  ({ ask, done }) =>
    ask("POST", done.page, { body, headers });

const big = Buffer.alloc(3 * 1024 * 1024 + 1, "x");
// Local workerd keeps two files open for each object for ten seconds, and a process may have
// 20,000.
const MOST_OBJECTS = 4_000;
export const FLOODS = {
  "wrong keys": ({ ask }) =>
    ask("POST", TOKENS, { key: `tr_prod_${randomBytes(12).toString("hex")}`, body: "{}" }),
  "forged JWTs": ({ ask, token }) =>
    ask("POST", `${token.path}/complete`, { key: forged(token.jwt), body: '{"data":1}' }),
  "forged JWTs of 4 kB": ({ ask, token }) =>
    ask("POST", `${token.path}/complete`, { key: forged(`e30.${"A".repeat(4000)}.x`), body: "{}" }),
  "JWTs of 15 kB": ({ ask, token }) =>
    ask("POST", `${token.path}/complete`, {
      key: forged(`e30.${"A".repeat(15_000)}.x`),
      body: "{}",
    }),
  "wrong links": ({ ask, token }) =>
    ask("GET", `${token.path}/callback/${forged(token.jwt)}`, { headers: { accept: "text/html" } }),
  "headers of 50 kB": ({ ask, token }) =>
    ask("GET", token.path, { key: token.jwt, headers: { "x-long": "x".repeat(50_000) } }),
  "headers of 1 MB": ({ ask, token }) =>
    ask("GET", token.path, { key: token.jwt, headers: { "x-long": "x".repeat(1_000_000) } }),
  "URLs of 15 kB": ({ ask }) => ask("GET", `/${"a".repeat(15_000)}?${"b".repeat(500)}`),
  "bodies that are too long": ({ ask, token }) =>
    ask("POST", `${token.path}/complete`, { key: token.jwt, body: big }),
  "the same in chunks": ({ ask, token }) =>
    ask("POST", `${token.path}/complete`, { key: token.jwt, body: big, chunked: true }),
  "3 MB with a wrong key": ({ ask, token }) =>
    ask("POST", `${token.path}/complete`, { key: "x".repeat(30), body: big }),
  "a finished token again": ({ ask, done }) =>
    ask("POST", `${done.path}/complete`, { key: done.jwt, body: '{"data":1}' }),
  "3 MB to a finished token": ({ ask, done }) =>
    ask("POST", `${done.path}/complete`, {
      key: done.jwt,
      body: JSON.stringify({ data: "x".repeat(3_000_000) }),
    }),
  "made-up tokens read": {
    most: MOST_OBJECTS,
    flood: ({ ask }) => ask("GET", `${TOKENS}/${madeUp()}`, { key: anyJwt }),
  },
  "made-up tokens completed": {
    most: MOST_OBJECTS,
    flood: ({ ask }) =>
      ask("POST", `${TOKENS}/${madeUp()}/complete`, { key: anyJwt, body: '{"data":1}' }),
  },
  "waiters that leave": leave,
  "pages fetched": ({ ask, token }) => ask("GET", token.page, { headers: { accept: "text/html" } }),
  "pages by HEAD": ({ ask, token }) => ask("HEAD", token.page),
  "bodies that trickle": { together: 200, flood: trickle },
  "headers that never end": { together: 200, flood: slowloris },
  "1,000 headers": ({ ask, token }) =>
    ask("GET", token.path, {
      key: token.jwt,
      headers: Object.fromEntries(tags.slice(0, 1_000).map((name) => [`x-${name}`, "1"])),
    }),
  "small bodies in chunks": ({ ask, done }) =>
    ask("POST", `${done.path}/complete`, { key: done.jwt, body: '{"data":1}', chunked: true }),
  "bytes in chunks of their own": { together: 4, requests: 4, warm: 0, flood: crumbs },
  "long polls that leave at once": {
    requests: 10_000,
    warm: 0,
    settle: 2_000,
    flood: abandon("resetAndDestroy"),
  },
  "long polls that end their side at once": {
    requests: MOST_OBJECTS,
    warm: 0,
    settle: 2_000,
    flood: abandon("destroy"),
  },
  "answers of 3 MB that nobody reads": {
    together: 100,
    prepare: completed("x".repeat(3_000_000)),
    flood: stall,
  },
  "3 MB of [": { warm: 1, flood: again(nested) },
  "3 MB of escapes": { warm: 1, flood: again(escapes) },
  "3 MB of multipart": {
    warm: 1,
    flood: toLink(big.subarray(1), { "content-type": "multipart/form-data; boundary=x" }),
  },
  "forms of 786,430 names": { warm: 1, flood: toLink(manyNames, FORM) },
  "forms of control characters": {
    warm: 1,
    flood: toLink(Buffer.concat([Buffer.from("a="), controls]).subarray(0, controls.length), FORM),
  },
  "forms that are not UTF-8": { warm: 1, flood: toLink(invalidForm, { ...FORM, ...HTML }) },
  "an output of control characters read": {
    together: 4,
    warm: 1,
    prepare: completed(controls.subarray(0, 1024 * 1024 - 1)),
    flood: ({ ask, large }) => ask("GET", large.path, { key: large.jwt }),
  },
  "the page of a comment of 3 MB": {
    together: 4,
    warm: 1,
    prepare: completed(markup, "application/json"),
    flood: ({ ask, large }) => ask("GET", large.page, { headers: HTML }),
  },
  "lists of 3,500 tags": {
    together: 2,
    warm: 0,
    prepare: tagged,
    flood: list(`filter[tags]=${tags}`),
  },
  "lists of a tag of 14 kB": {
    together: 2,
    warm: 0,
    prepare: tagged,
    flood: list(`filter[tags]=${"x".repeat(14_000)}`),
  },
  "relay: two outputs of 3 MB that differ": {
    together: 2,
    warm: 0,
    settle: 3_000,
    relays: true,
    flood: disagree,
  },
  "relay: an output of control characters": {
    together: 2,
    warm: 0,
    relays: true,
    flood: ({ ask, token }) => ask("POST", token.page, { body: controls }),
  },
};
// The same with rate limits.
for (const name of [
  "wrong keys",
  "wrong links",
  "a finished token again",
  "3 MB to a finished token",
  "made-up tokens read",
]) {
  FLOODS[`${name}, limited`] = { flood: FLOODS[name].flood ?? FLOODS[name], wrap: LIMITED };
}
