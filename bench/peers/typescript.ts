// The peer: a token service as a TypeScript team would write it today, on Hono, jose and zod, with
// an SQLite object a token that is called by RPC. It creates, completes and retrieves; it has no
// page, list, webhooks or idempotency keys.
import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";
import { jwtVerify, SignJWT } from "jose";
import { z } from "zod";

interface Env {
  TOKENS: DurableObjectNamespace<TokenObject>;
  SECRET_KEYS: string;
}

interface Token {
  createdAt: number;
  timeoutAt?: number;
  tags: string[];
  status: "WAITING" | "COMPLETED" | "TIMED_OUT";
  completedAt?: number;
  output?: string;
}

type Outcome = "completed" | "already-completed" | "timed-out" | "unknown";

export class TokenObject extends DurableObject<Env> {
  private async load() {
    const token = await this.ctx.storage.get<Token>("token");
    if (
      token?.status === "WAITING" &&
      token.timeoutAt !== undefined &&
      token.timeoutAt <= Date.now()
    ) {
      token.status = "TIMED_OUT";
      token.completedAt = token.timeoutAt;
      await this.ctx.storage.put("token", token);
    }
    return token;
  }

  async create(token: Token) {
    await this.ctx.storage.put("token", token);
    if (token.timeoutAt !== undefined) await this.ctx.storage.setAlarm(token.timeoutAt);
  }

  async complete(output: string | undefined): Promise<Outcome> {
    const token = await this.load();
    if (!token) return "unknown";
    if (token.status !== "WAITING")
      return token.status === "COMPLETED" ? "already-completed" : "timed-out";
    await this.ctx.storage.put("token", {
      ...token,
      status: "COMPLETED",
      completedAt: Date.now(),
      output,
    });
    await this.ctx.storage.setAlarm(Date.now() + 30 * 24 * 3_600_000);
    for (const socket of this.ctx.getWebSockets()) {
      socket.send("COMPLETED");
      socket.close(1000);
    }
    return "completed";
  }

  async fetch() {
    const [client, server] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket];
    this.ctx.acceptWebSocket(server);
    server.send("WAITING");
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { "sec-websocket-protocol": "waitpoint.v1" },
    });
  }

  read() {
    return this.load();
  }

  async alarm() {
    const token = await this.load();
    if (token && token.status !== "WAITING") await this.ctx.storage.deleteAll();
  }
}

const Create = z.object({
  timeout: z
    .string()
    .regex(/^(\d+[smhdw])+$/)
    .optional(),
  tags: z.array(z.string().max(128)).max(10).optional(),
});
const Complete = z.object({ data: z.unknown() });
const UNITS: Record<string, number> = { s: 1e3, m: 6e4, h: 36e5, d: 864e5, w: 6048e5 };

const app = new Hono<{ Bindings: Env }>();
const bearer = (header: string | undefined) => header?.replace(/^Bearer /, "") ?? "";

async function caller(env: Env, credential: string) {
  if (credential === env.SECRET_KEYS) return { secret: true, scopes: [] as string[] };
  try {
    const { payload } = await jwtVerify(credential, new TextEncoder().encode(env.SECRET_KEYS), {
      issuer: "https://id.trigger.dev",
      audience: "https://api.trigger.dev",
      algorithms: ["HS256"],
    });
    return { secret: false, scopes: (payload.scopes as string[]) ?? [] };
  } catch {
    return undefined;
  }
}

const stub = (env: Env, id: string) => env.TOKENS.getByName(id);

app.post("/api/v1/waitpoints/tokens", async (c) => {
  const who = await caller(c.env, bearer(c.req.header("authorization")));
  if (!who?.secret) return c.json({ error: "Invalid API key" }, 401);
  const fields = Create.safeParse(await c.req.json().catch(() => undefined));
  if (!fields.success) return c.json({ error: fields.error.message }, 400);
  const id = `waitpoint_${crypto.randomUUID().replaceAll("-", "")}`;
  const now = Date.now();
  const life = [...(fields.data.timeout ?? "").matchAll(/(\d+)([smhdw])/g)].reduce(
    (sum, [, n, unit]) => sum + Number(n) * UNITS[unit!]!,
    0,
  );
  const timeoutAt = fields.data.timeout ? now + life : undefined;
  await stub(c.env, id).create({
    createdAt: now,
    timeoutAt,
    tags: fields.data.tags ?? [],
    status: "WAITING",
  });
  const jwt = await new SignJWT({
    pub: true,
    scopes: [`write:waitpoints:${id}`, `read:waitpoints:${id}`],
  })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject("default")
    .setIssuer("https://id.trigger.dev")
    .setAudience("https://api.trigger.dev")
    .setIssuedAt()
    .setExpirationTime("24h")
    .sign(new TextEncoder().encode(c.env.SECRET_KEYS));
  const url = new URL(`/api/v1/waitpoints/tokens/${id}/callback/${jwt}`, c.req.url).href;
  return c.json({ id, isCached: false, url }, 200, { "x-trigger-jwt": jwt });
});

app.post("/api/v1/waitpoints/tokens/:id/complete", async (c) => {
  const id = c.req.param("id");
  const who = await caller(c.env, bearer(c.req.header("authorization")));
  if (!who) return c.json({ error: "Public Access Token is invalid" }, 401);
  const fields = Complete.safeParse(await c.req.json().catch(() => undefined));
  if (!fields.success) return c.json({ error: fields.error.message }, 400);
  if (!who.secret && !who.scopes.includes(`write:waitpoints:${id}`))
    return c.json({ error: "Unauthorized" }, 403);
  const { data } = fields.data;
  const outcome = await stub(c.env, id).complete(
    data === undefined ? undefined : JSON.stringify(data),
  );
  if (outcome === "unknown") return c.json({ error: "Waitpoint not found" }, 404);
  return c.json({ success: true }, 200, { "waitpoint-outcome": outcome });
});

// Browsers cannot set a header here, so the credential comes as a subprotocol.
app.get("/api/v1/waitpoints/tokens/:id/wait", async (c) => {
  const id = c.req.param("id");
  const offered =
    c.req
      .header("sec-websocket-protocol")
      ?.split(",")
      .map((protocol) => protocol.trim()) ?? [];
  const who = await caller(
    c.env,
    offered.find((protocol) => protocol.startsWith("bearer."))?.slice(7) ?? "",
  );
  if (!who) return c.json({ error: "Public Access Token is invalid" }, 401);
  if (!who.secret && !who.scopes.includes(`read:waitpoints:${id}`))
    return c.json({ error: "Unauthorized" }, 403);
  return stub(c.env, id).fetch(c.req.raw);
});

app.get("/api/v1/waitpoints/tokens/:id", async (c) => {
  const id = c.req.param("id");
  const who = await caller(c.env, bearer(c.req.header("authorization")));
  if (!who) return c.json({ error: "Public Access Token is invalid" }, 401);
  if (!who.secret && !who.scopes.includes(`read:waitpoints:${id}`))
    return c.json({ error: "Unauthorized" }, 403);
  const token = await stub(c.env, id).read();
  if (!token) return c.json({ error: "Waitpoint not found" }, 404);
  const iso = (at: number | undefined) =>
    at === undefined ? undefined : new Date(at).toISOString();
  return c.json({
    id,
    url: new URL(`/api/v1/waitpoints/tokens/${id}/callback/`, c.req.url).href,
    status: token.status,
    output: token.output,
    outputType: "application/json",
    outputIsError: token.status === "TIMED_OUT",
    createdAt: iso(token.createdAt),
    timeoutAt: iso(token.timeoutAt),
    completedAt: iso(token.completedAt),
    tags: token.tags,
  });
});

export default app;
