// Resumes `wait.forToken` of @trigger.dev/sdk without trigger.dev's runtime, in the tests of your
// tasks.
import { waitForToken } from "waitpoint/server";

/** A runtime manager that waits for a token at its API. `options` are those of `waitForToken`. */
export function tokenRuntime(options) {
  const none = () => Promise.reject(new Error("only tokens are waited for here"));
  return {
    disable() {},
    waitForTask: none,
    waitForBatch: none,
    async waitForWaitpoint({ waitpointFriendlyId }) {
      const { output, error } = await waitForToken(waitpointFriendlyId, options);
      const told = error ? { message: error.message } : output;
      return { ok: !error, output: JSON.stringify(told), outputType: "application/json" };
    },
  };
}
