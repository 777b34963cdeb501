// `npm run setup`: makes the machine ready. Needs only Node's own modules.
import { say } from "./lib/process.mjs";
import { setup } from "./lib/tools.mjs";

await setup();
say("everything is in place");
