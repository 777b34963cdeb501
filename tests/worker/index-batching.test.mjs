// Rows of several tokens are sent in one batch, also if the object that would send it is gone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { TOKENS, until } from "../support/harness.mjs";
import { KEY, serve, waitpoint } from "../support/workerd.mjs";

const LEAVING = `
  import * as built from "./index.js";
  export const { KeyObject, IndexObject } = built;
  export default {
    async fetch(request, env, context) {
      const name = request.headers.get("test-leaves");
      if (!name) return built.default.fetch(request, env, context);
      await env.TOKENS.getByName(name).fetch("http://object/leave").catch(() => {});
      return new Response("left");
    },
  };
  export class TokenObject extends built.TokenObject {
    #state;
    constructor(state, env) {
      super(state, env);
      this.#state = state;
    }
    fetch(request) {
      if (request.url.endsWith("/leave")) this.#state.abort("it leaves");
      return super.fetch(request);
    }
  }`;

let server;
before(async () => (server = await serve(waitpoint({}, LEAVING))));
after(() => server.stop());

const ask = async (path, options) =>
  (
    await fetch(server.url + path, { headers: { authorization: `Bearer ${KEY}` }, ...options })
  ).json();
const create = async () => (await ask(TOKENS, { method: "POST", body: "{}" })).id;
const listed = async () => (await ask(TOKENS)).data.map(({ id }) => id);

test("rows come though the object goes whose timer was to send them", async () => {
  const first = await create();
  await until(listed, (ids) => ids.includes(first));
  // The month has just received a batch, so these rows wait for a tenth of a second.
  const leaving = await create();
  const others = [await create(), await create()];
  const headers = { "test-leaves": `default/${leaving.replace("waitpoint_", "")}` };
  assert.equal(await (await fetch(server.url, { headers })).text(), "left");
  await until(listed, (ids) => others.every((id) => ids.includes(id)));
});
