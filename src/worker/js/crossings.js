// Why this is JavaScript: a call between wasm and JavaScript costs as much as the work it asks for.
// In Rust each of these would take six to eight calls in every request, a tenth of its CPU time.
export const COMMAND_HEADER = "waitpoint-secret-command";

export const sendCommand = (namespace, name, command) =>
  namespace.getByName(name).fetch("http://object/", { headers: { [COMMAND_HEADER]: command } });

/** A response. Wasm's memory may change before the bytes are read, so they are copied. */
export const respond = (status, headers, bytes) => new Response(bytes.slice(), { status, headers });
