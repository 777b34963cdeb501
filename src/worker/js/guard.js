// Why this is JavaScript: Rust cannot catch the exception of a trap. js-sys polls its futures from
// the global `queueMicrotask`. The bundler replaces it with this one, which catches exceptions and
// is cheaper, because workerd's is a call into C++.
export const handlers = { trapped() {}, idle() {} };
const resolved = Promise.resolve();
let current;
/** js-sys in one instance always passes the same function. It polls all futures that were woken. */
export function queueMicrotask(poll) {
  current = poll;
  resolved.then(pollAll);
}
function pollAll() {
  try {
    current?.(); // Undefined if its instance was replaced.
  } catch (error) {
    handlers.trapped(error);
    // It stopped at the future that trapped, so the other woken futures are polled now.
    if (current) queueMicrotask(current);
  }
}
export const endPolls = () => (current = undefined);

/** Streams that Rust writes (guard.rs). They must end with their instance. */
export const streams = new Set();
export const track = (stream) => void streams.add(stream);
export const untrack = (stream) => void streams.delete(stream);

/** Called after a panic, when the last background task has ended. */
export const idle = () => void resolved.then(() => handlers.idle());
