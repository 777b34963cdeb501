// The floor: the same requests with the same durable writes and nothing else, no credentials, no
// validation, no library. Whatever a token service does on this platform costs at least this.
import { DurableObject } from "cloudflare:workers";

export class TokenObject extends DurableObject {
  async fetch(request) {
    const { kv } = this.ctx.storage;
    const token = kv.get("token");
    if (request.method === "GET") return new Response(token);
    const text = await request.text();
    if (request.url.endsWith("/complete")) {
      if (token.startsWith("done")) return new Response("already");
      kv.put("token", `done${text}`);
      this.ctx.storage.setAlarm(Date.now() + 30 * 24 * 3_600_000);
      return new Response("done");
    }
    kv.put("token", text);
    this.ctx.storage.setAlarm(Date.now() + 3_600_000);
    return new Response("created");
  }

  // Without it, setAlarm would do nothing.
  alarm() {}
}

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    const [, , , , , id = crypto.randomUUID()] = pathname.split("/");
    const body = request.method === "GET" ? undefined : await request.text();
    const answer = await env.TOKENS.getByName(id).fetch(request.url, {
      method: request.method,
      body,
    });
    const text = await answer.text();
    return new Response(text === "created" ? JSON.stringify({ id, isCached: false }) : text, {
      headers: { "x-trigger-jwt": "x" },
    });
  },
};
