// Why this is JavaScript: a crossing between wasm and JavaScript costs as much as what it carries.
// From Rust each of these would be six to eight crossings in every request, a tenth of its CPU.
export const COMMAND_HEADER = "waitpoint-secret-command";

export const sendCommand = (namespace, name, command) =>
  namespace.getByName(name).fetch("http://object/", { headers: { [COMMAND_HEADER]: command } });

/** A response. The bytes lie in wasm's memory and would be read too late, so they are copied. */
export const respond = (status, headers, bytes) => new Response(bytes.slice(), { status, headers });
