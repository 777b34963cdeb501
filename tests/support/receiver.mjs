// A receiver of webhooks, for the tests of a file: it starts at once and ends after them.
import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import { after } from "node:test";

/**
 * `answers` has by path how it answers, one `[status, headers]` a request, the last one again and
 * again; without it is 200. The status 0 breaks the connection, `undefined` never answers. `got`
 * has each request.
 */
export async function startReceiver() {
  const receiver = Object.assign(new EventEmitter(), { url: "", got: [], answers: new Map() });
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request)).toString();
    const before = receiver.got.filter(({ path }) => path === request.url).length;
    receiver.got.push({ path: request.url, headers: request.headers, body, at: Date.now() });
    receiver.emit("got");
    const answers = receiver.answers.get(request.url) ?? [];
    const [status, headers] = answers[before] ?? answers.at(-1) ?? [200];
    if (status === 0) return request.socket.destroy();
    if (status !== undefined) response.writeHead(status, headers).end("thanks");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  receiver.url = `http://127.0.0.1:${server.address().port}`;
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  /** The requests to a path whose body contains `body`, once there are `count`. */
  receiver.received = async (path, count = 1, body = "") => {
    for (;;) {
      const got = receiver.got.filter((got) => got.path === path && got.body.includes(body));
      if (got.length >= count) return got;
      await once(receiver, "got");
    }
  };
  return receiver;
}

/** A secret that signs webhooks. */
export const webhookSecret = () =>
  `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`;
