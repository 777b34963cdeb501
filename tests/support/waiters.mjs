// Clients that wait for a token: by socket, and by a stream of events.
import { TOKENS } from "./harness.mjs";

export const waitPath = ({ id }) => `${TOKENS}/${id}/wait`;

/** A waiter's socket. `next()` is its next message, `closed` its end. */
export function openSocket(worker, token, protocols) {
  const offered = protocols ?? ["waitpoint.v1", `bearer.${token.publicAccessToken}`];
  const socket = new WebSocket(worker.url.replace("http", "ws") + waitPath(token), offered);
  const messages = [];
  let told = () => {};
  socket.addEventListener("message", ({ data }) => {
    messages.push(data);
    told();
  });
  socket.closed = new Promise((resolve) =>
    socket.addEventListener("close", ({ code }) => resolve(code)),
  );
  socket.next = async () => {
    while (messages.length === 0) await new Promise((resolve) => (told = resolve));
    return messages.shift();
  };
  return socket;
}

/** The events of a stream, one at a time; undefined at its end. */
export function events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return async () => {
    for (;;) {
      const [block, rest] = text.split(/\n\n(.*)/s);
      if (rest !== undefined) {
        text = rest;
        const fields = Object.fromEntries(
          block.split("\n").map((line) => /^(\w*):\s?(.*)/s.exec(line).slice(1)),
        );
        if (fields.data) return { ...fields, token: JSON.parse(fields.data) };
        continue;
      }
      const { value, done } = await reader.read();
      if (done) return undefined;
      text += value;
    }
  };
}
