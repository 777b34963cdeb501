// Shared by both wasm modules: the error class, the settings, and Node's sockets.
export class WaitpointError extends Error {
  constructor(message, { code, status, retryable = false, cause, details } = {}) {
    super(message, { cause });
    Object.assign(this, { name: "WaitpointError", code, status, retryable, details });
  }
}

/** A status of 0 is none. */
export const makeError = (message, code, status, retryable, cause, details) =>
  new WaitpointError(message, { code, status: status || undefined, retryable, cause, details });

export const settings = { baseURL: "", accessToken: "" };
export const configuredSettings = () => settings;
/** Without the Rust module the options are checked by the call that uses them. */
export const keepSettings = (options) => void Object.assign(settings, options);

const connections = new WeakMap();

/**
 * A socket keeps Node's process alive until the other side has closed it too, which takes minutes
 * if the connection is dead. Releasing it needs the connection, which only a dispatcher sees.
 */
export function openSocket(url, bearer) {
  const protocols = ["waitpoint.v1", `bearer.${bearer}`];
  const node = globalThis[Symbol.for("undici.globalDispatcher.1")];
  if (!node?.dispatch) return new WebSocket(url, protocols);
  const dispatch = (request, handler) => {
    for (const name of ["onUpgrade", "onRequestUpgrade"].filter((name) => handler[name])) {
      const upgrade = handler[name].bind(handler);
      handler[name] = (...args) => connections.set(socket, args.at(-1)) && upgrade(...args);
    }
    return node.dispatch(request, handler);
  };
  const socket = new WebSocket(url, { protocols, dispatcher: { dispatch } });
  return socket;
}

export const releaseSocket = (socket) => connections.get(socket)?.unref();
