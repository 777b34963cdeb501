// What resumes `wait.forToken` of @trigger.dev/sdk where trigger.dev's runtime is not: in the tests
// of your tasks.
import { waitForToken } from "waitpoint/server";

/**
 * A runtime manager that waits for a token where it is kept. `options` are those of `waitForToken`.
 */
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
