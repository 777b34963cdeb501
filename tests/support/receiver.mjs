// A receiver of webhooks on this machine, and secrets to sign them with.
import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import { after } from "node:test";

export const webhookSecret = () =>
  `whsec_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64")}`;

/**
 * A receiver. The path says how it answers: with the `answers` for it, one after the other, the
 * last of them again and again. It keeps each request.
 */
export async function useReceiver() {
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
  /** The requests at a path that contain this text, as soon as there are so many. */
  receiver.received = async (path, count = 1, body = "") => {
    for (;;) {
      const got = receiver.got.filter((got) => got.path === path && got.body.includes(body));
      if (got.length >= count) return got;
      await once(receiver, "got");
    }
  };
  return receiver;
}
