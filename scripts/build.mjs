// `npm run build`: the Worker into build/ and the npm package's wasm into pkg/wasm/.
// `npm run build -- worker` builds the Worker alone.
import { build } from "./lib/build.mjs";

await build(process.argv[2]);
