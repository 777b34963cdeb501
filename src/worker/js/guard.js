// Why this is JavaScript: a trap is an exception that Rust cannot catch. js-sys polls its futures
// from the global `queueMicrotask`; the bundler puts this one in its place, which catches, and
// which costs less: workerd's is a call into C++.
export const handlers = { trapped() {}, idle() {} };
const resolved = Promise.resolve();
let current;
/** js-sys of one instance always passes the same function, which polls all futures woken. */
export function queueMicrotask(poll) {
  current = poll;
  resolved.then(() => {
    try {
      // Else its instance was replaced.
      if (poll === current) poll();
    } catch (error) {
      handlers.trapped(error);
      // It stopped at the future that trapped. The others that were woken are polled now.
      if (poll === current) queueMicrotask(poll);
    }
  });
}
export const endPolls = () => (current = undefined);

/** Streams that Rust feeds (guard.rs): they must be ended with their instance. */
export const streams = new Set();
export const track = (stream) => void streams.add(stream);
export const untrack = (stream) => void streams.delete(stream);

/** Nothing runs behind the requests any more; told after a panic alone. */
export const idle = () => void resolved.then(() => handlers.idle());
