// A relaying Worker (the edge), and a second one of ours in the place of trigger.dev (upstream).
// Between them is a way that fails, is slow and loses answers.
import { EventEmitter, on, once } from "node:events";
import { createServer } from "node:http";
import { after } from "node:test";
import { KEY, OTHER_KEY, until, useWorker } from "./harness.mjs";

/** `secrets` are the edge's. */
export async function useRelay(secrets) {
  // trigger.dev's environments have ids of their own.
  const upstream = useWorker({
    secrets: { SECRET_KEYS: `cmupstream1=${KEY}\ncmupstream2=${OTHER_KEY}` },
  });
  const way = await useWay(upstream);
  const edge = useWorker({ ...(secrets && { secrets }), vars: { UPSTREAM: way.url } });

  /** Resolves when upstream has answered a read of the token. */
  async function asked({ id }) {
    for await (const [url] of on(way, "GET answered")) if (url.endsWith(id)) return;
  }

  /** Runs `work` while the way fails like this. */
  async function failing(fail, work) {
    way.fail =
      typeof fail === "function"
        ? fail
        : (request) => (request.url.endsWith("/complete") || fail === "down" ? fail : undefined);
    try {
      return await work();
    } finally {
      way.fail = () => undefined;
    }
  }

  const delivery = async ({ id }) =>
    (await edge.retrieve(id)).deliveries?.find(({ target }) => target === "upstream");
  /** Upstream's decision in the edge's words, as soon as the edge has recorded a conflict. */
  const difference = async (token) =>
    (
      await until(
        () => delivery(token),
        (one) => one?.difference,
      )
    ).difference;
  const delivered = (token) =>
    until(
      () => delivery(token),
      (one) => one?.status === "delivered",
    );

  return { upstream, way, edge, asked, failing, delivery, difference, delivered };
}

/**
 * The way from the edge to upstream. `way.fail` may answer in upstream's place: with a status and
 * headers, with "down", or with "lost", where upstream gets the request and its response is
 * dropped. `completions` are the completions that were sent. `known` are the credentials that only
 * upstream knows, such as run tokens, each with what it is worth there: a key or a JWT.
 */
async function useWay(upstream) {
  const way = Object.assign(new EventEmitter(), {
    url: "",
    fail: () => undefined,
    completions: [],
    known: new Map(),
  });
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request));
    if (request.url.endsWith("/complete"))
      way.completions.push({ url: request.url, body: body.toString() });
    way.emit("asked", request.url, request);
    const failure = await way.fail(request);
    if (failure === "down") return request.socket.destroy();
    if (Array.isArray(failure))
      return response.writeHead(failure[0], failure[1]).end('{"error":"in the way"}');
    const { host, connection, "content-length": _, ...headers } = request.headers;
    const credential = way.known.get(headers.authorization?.replace("Bearer ", ""));
    if (credential) headers.authorization = `Bearer ${credential}`;
    const answer = await fetch(upstream.url + request.url, {
      method: request.method,
      headers,
      body: body.length ? body : undefined,
      redirect: "manual",
    });
    const text = await answer.text();
    way.emit(`${request.method} answered`, request.url);
    if (failure === "lost") return request.socket.destroy();
    const kept = [...answer.headers].filter(
      ([name]) => !["content-length", "content-encoding", "transfer-encoding"].includes(name),
    );
    response
      .writeHead(answer.status, Object.fromEntries(kept))
      .end(request.method === "HEAD" ? undefined : text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  way.url = `http://127.0.0.1:${server.address().port}`;
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return way;
}
