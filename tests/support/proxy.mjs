import { EventEmitter, once } from "node:events";
import { connect, createServer } from "node:net";
import { after, before } from "node:test";

/**
 * A connection to the Worker that can be cut. It emits `asked` when a wait is sent, `opened` when a
 * socket is open, and `refused` when it refused a connection.
 */
export function useProxy(worker) {
  const proxy = Object.assign(new EventEmitter(), { url: "", pairs: new Set(), refuses: false });
  const server = createServer((client) => {
    if (proxy.refuses) {
      client.destroy();
      return proxy.emit("refused");
    }
    const { hostname, port } = new URL(proxy.to ?? worker.url);
    const pair = { client, upstream: connect(port, hostname), mute: false };
    proxy.pairs.add(pair);
    const pass = (from, to, event, sign) => {
      from.on("data", (chunk) => {
        if (pair.mute) return;
        to.write(chunk);
        if (sign.test(chunk)) proxy.emit(event);
      });
      from.on("error", () => {});
      from.on("close", () => {
        to.destroy();
        proxy.pairs.delete(pair);
      });
    };
    pass(client, pair.upstream, "asked", /^GET \S+\/wait /);
    pass(pair.upstream, client, "opened", /^HTTP\/1.1 101 /);
  });
  proxy.cut = () => {
    for (const { client } of proxy.pairs) client.destroy();
  };
  /** Connections stay open, but nothing comes through any more. */
  proxy.mute = () => {
    for (const pair of proxy.pairs) pair.mute = true;
  };
  before(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
    proxy.url = `http://127.0.0.1:${server.address().port}`;
  });
  after(() => {
    proxy.cut();
    server.close();
  });
  return proxy;
}
