// Clients that misuse their connections: too slow, too many chunks, gone at once.
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { connect } from "node:net";

function open(server) {
  const { hostname, port } = new URL(server.url);
  return connect(Number(port), hostname);
}

/** The beginning of a request, without the empty line that ends its headers. */
const head = (method, path, headers = {}) =>
  [
    `${method} ${path} HTTP/1.1`,
    ...Object.entries({ host: "localhost", ...headers }).map((field) => field.join(": ")),
    "",
  ].join("\r\n");

/**
 * Sends a body one byte at a time until the flood ends. The status is what was answered by then.
 */
export function trickle({ server, token, ended }) {
  return new Promise((resolve) => {
    const socket = open(server);
    let said = "";
    socket.on("data", (data) => (said += data));
    socket.on("error", () => {});
    const headers = { authorization: `Bearer ${token.jwt}`, "content-length": 100_000 };
    socket.write(`${head("POST", `${token.path}/complete`, headers)}\r\n{`);
    const timer = setInterval(() => socket.write(" "), 100);
    ended.then(() => {
      clearInterval(timer);
      socket.destroy();
      resolve({ status: said ? Number(said.split(" ")[1]) : "no answer" });
    });
  });
}

/** Headers that never end. */
export function slowloris({ server, ended }) {
  return new Promise((resolve) => {
    const socket = open(server);
    socket.on("error", () => {});
    socket.write(head("GET", "/"));
    const timer = setInterval(() => socket.write("x-more: 1\r\n"), 100);
    ended.then(() => {
      clearInterval(timer);
      socket.destroy();
      resolve({ status: "no answer" });
    });
  });
}

/** Opens a WebSocket, waits for its first message and drops it. */
export function leave({ server, token }) {
  return new Promise((resolve) => {
    const headers = {
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": randomBytes(16).toString("base64"),
    };
    const sent = request(`${server.url}${token.path}/wait`, {
      headers: { ...headers, authorization: `Bearer ${token.jwt}` },
    });
    sent.on("upgrade", (answer, socket, first) => {
      const gone = () => {
        socket.destroy();
        resolve({ status: answer.statusCode });
      };
      socket.on("error", () => {});
      first.length ? gone() : socket.once("data", gone);
    });
    sent.on("response", (answer) => resolve({ status: answer.statusCode }));
    sent.on("error", () => resolve({ status: 0 }));
    sent.end();
  });
}

/** Sends each byte of a body as a chunk of its own. */
export function crumbs({ server, token }) {
  return new Promise((resolve) => {
    const socket = open(server);
    const over = (status) => {
      socket.destroy();
      resolve({ status });
    };
    socket.on("data", (data) => over(Number(String(data).split(" ")[1])));
    socket.on("error", () => over(0));
    const headers = { authorization: "Bearer nobody", "transfer-encoding": "chunked" };
    socket.write(`${head("POST", `${token.path}/complete`, headers)}\r\n`);
    socket.write(`${"1\r\n \r\n".repeat(200_000)}0\r\n\r\n`);
  });
}

/**
 * Leaves a long poll as soon as it is sent. A reset connection is gone. If only the client's side
 * has ended, the response may still be read, so the poll is held until its time is over.
 */
export const abandon =
  (leave) =>
  ({ server, token }) => {
    return new Promise((resolve) => {
      const socket = open(server);
      socket.on("error", () => resolve({ status: 0 }));
      const headers = { prefer: "wait=25", authorization: `Bearer ${token.jwt}` };
      const goAway = () => {
        socket[leave]();
        resolve({ status: "left" });
      };
      const poll = `${head("GET", `${token.path}/wait`, headers)}\r\n`;
      socket.write(poll, () => setTimeout(goAway, 1));
    });
  };

/** Asks for an output of 3 MB and reads only its beginning. */
export function stall({ server, large, ended }) {
  return new Promise((resolve) => {
    const socket = open(server);
    socket.on("error", () => {});
    socket.write(`${head("GET", large.path, { authorization: `Bearer ${large.jwt}` })}\r\n`);
    ended.then(() => {
      socket.destroy();
      resolve({ status: "not read" });
    });
  });
}
