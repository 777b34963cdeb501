// `npm run setup`: makes the machine ready. Needs Node's own modules alone.
import { say } from "./lib/process.mjs";
import { setup } from "./lib/tools.mjs";

await setup();
say("everything is in place");
