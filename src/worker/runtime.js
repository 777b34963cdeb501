// The wasm module's instance, and its tasks (task.rs), which are stepped from here.
//
// A panic traps: it fails its own request, here. The instance lives on for the tasks that are under way in it and is replaced
// when none is, since what a trap leaves behind (its part of the stack, what it had borrowed) is not cleaned up.
import module from "./waitpoint.wasm";
import * as wasm from "waitpoint:wasm";

wasm.initSync({ module });

// Calls between their begin and their end, panics since the instance began, and which instance it is.
let underWay = 0;
let panics = 0;
export let generation = 0;
// More are not left behind, whatever is under way: each leaves a part of a stack of 1 MB.
const PANICS = 10;

/** Calls into wasm; a panic comes out as an exception of this kind, and nobody else notices it. */
export function enter(call) {
  try {
    return call(wasm);
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) panics += 1;
    throw error;
  } finally {
    renew();
  }
}

function renew() {
  if (panics === 0 || (underWay > 0 && panics < PANICS)) return;
  console.error("a panic; the instance is replaced");
  panics = 0;
  generation += 1;
  wasm.__wbg_reset_state();
}

/** Runs a task to its end. */
export async function run(task, born = generation) {
  let [value, isError] = [undefined, false];
  underWay += 1;
  try {
    for (;;) {
      if (born !== generation) throw new Error("the instance was replaced");
      const step = enter(() => wasm.step(task, value, isError));
      if (!(step instanceof Promise)) return step;
      try {
        [value, isError] = [await step, false];
      } catch (error) {
        [value, isError] = [error, true];
      }
    }
  } finally {
    underWay -= 1;
    renew();
  }
}

/** Runs a task once what runs now is over; nobody waits for it. */
export function spawn(task) {
  const born = generation;
  Promise.resolve()
    .then(() => run(task, born))
    .catch((error) => console.error("what nobody waits for failed", String(error)));
}
