// The product as `npm run serve` runs it: started, stopped, killed.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { root } from "../../scripts/lib/process.mjs";

/** Starts it. Nothing is built: it serves build/. */
export function launch(args, { settings = {}, env = {}, listen } = {}) {
  const bundle = join(root, "build");
  const command = [join(root, "scripts/serve.mjs"), "--bundle", bundle, ...args];
  const child = spawn(process.execPath, command, {
    env: { ...process.env, ...env, ...settings },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const server = { process: child, output: "", url: "" };
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (data) => {
      server.output = (server.output + data).slice(-100_000);
      listen?.(data);
    });
  // workerd has the same pipes, so `close` comes when it has ended too.
  server.closed = once(child, "close").then(([code, signal]) => ({ code, signal }));
  server.ready = ready(server);
  // Nobody may wait for it.
  server.ready.catch(() => {});
  return server;
}

async function ready(server) {
  const ended = server.closed.then(() => {
    throw new Error(`it ended:\n${server.output}`);
  });
  for (;;) {
    const [, url] = /^listening on (\S+)$/m.exec(server.output) ?? [];
    if (url) {
      ended.catch(() => {});
      server.url = url;
      return url;
    }
    await Promise.race([ended, once(server.process.stdout, "data")]);
  }
}

/** As `serve` of workerd.mjs, but by the command. `storage` is its folder of data. */
export async function serveCommand({ vars }, { storage, env, listen }) {
  const server = { url: "", pid: 0 };
  let running;
  const end = () => running.process.kill("SIGKILL");
  const start = async () => {
    // The receivers of tests are on this machine.
    const args = ["--data", storage, "--port", "0", "--private-network"];
    running = launch(args, { settings: vars, env, listen });
    server.url = await running.ready;
    server.pid = running.process.pid;
  };
  const kill = async () => {
    end();
    await running.closed;
  };
  process.once("exit", end);
  await start();
  const restart = async (between = () => {}) => {
    await kill();
    between();
    await start();
  };
  const stop = async () => {
    process.off("exit", end);
    await kill();
  };
  return Object.assign(server, { start, kill, restart, stop });
}
