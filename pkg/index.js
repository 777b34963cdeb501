// The entry `waitpoint`. The first call starts the Rust module (src/client/).
import { keepSettings } from "./shared.js";
import { completePlainly, loadWasm, rustNow } from "./start.js";
import { core } from "./wasm/core.js";

export { WaitpointError } from "./shared.js";

export const completeToken = (...args) => loadWasm(core, "completeToken", args, completePlainly);
export const retrieveToken = (...args) => loadWasm(core, "retrieveToken", args);
export const waitForToken = (...args) => loadWasm(core, "waitForToken", args);
export const decodeToken = (token) => rustNow(core()).decodeToken(token);
export const configure = (options) => (core().rust?.configure ?? keepSettings)(options);
