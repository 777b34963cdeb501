// The entry `waitpoint`: Rust (src/client/), which the first call starts.
import { configuredSettings } from "./shared.js";
import { completePlainly, loadWasm, unavailable } from "./start.js";
import { core } from "./wasm/core.js";

export { WaitpointError } from "./shared.js";

export function completeToken(token, data, options) {
  const plainly = (cause) => completePlainly(cause, token, data, options);
  return loadWasm(core, (rust) => rust.completeToken(token, data, options), plainly);
}

export const retrieveToken = (token, options) =>
  loadWasm(core, (rust) => rust.retrieveToken(token, options));

export const waitForToken = (token, options) =>
  loadWasm(core, (rust) => rust.waitForToken(token, options));

export function decodeToken(token) {
  const { rust, later, cause } = core();
  if (!rust) throw unavailable(cause, later);
  return rust.decodeToken(token);
}

export function configure(options) {
  const { rust } = core();
  if (rust) rust.configure(options);
  // Without Rust they are checked by the call that uses them.
  else Object.assign(configuredSettings(), options);
}
