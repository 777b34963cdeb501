// The wasm module's instance, and its tasks (task.rs), which are stepped from here.
//
// A panic traps: it fails its own request, here. The instance lives on for the tasks that are under way in it and is replaced
// when none is, since what a trap leaves behind (its part of the stack, what it had borrowed) is not cleaned up. What the
// objects hold in memory is forgotten at once: one may have been half way.
import module from "./waitpoint.wasm";
import * as wasm from "waitpoint:wasm";

wasm.initSync({ module });

// Tasks between their begin and their end, panics since the instance began, and which instance it is.
let underWay = 0;
let panics = 0;
let instance = 0;
// More are not left behind, whatever is under way: each leaves a part of a stack of 1 MB.
const PANICS = 10;

/** Changes with the instance and with each panic: what Rust held of an object by then may be half done. */
export let generation = 0;

/** What a task ends with that is under way when its instance is replaced. */
const REPLACED = new Error("the instance was replaced");

/** Calls into wasm; a panic comes out as an exception of this kind, and nobody else notices it. */
export function enter(call) {
  try {
    return call(wasm);
  } catch (error) {
    // A stack that is full is no RuntimeError, and not every RangeError is one.
    if (error instanceof WebAssembly.RuntimeError || /call stack/.test(error?.message)) {
      panics += 1;
      generation += 1;
      wasm.panicked();
      // One that is abandoned would keep the instance.
      watch();
    }
    throw error;
  } finally {
    renew();
  }
}

function renew() {
  if (panics === 0 || (underWay > 0 && panics < PANICS)) return;
  console.error("a panic; the instance is replaced");
  panics = 0;
  underWay = 0;
  instance += 1;
  generation += 1;
  wasm.__wbg_reset_state();
}

// The platform forgets a request whose client has left: its promises never settle, and what awaits them is collected.
// A frame that is over before there are many is spared the registry, which costs a twentieth of a request.
const frames = new Set();
const MANY = 100;
const abandoned = new FinalizationRegistry(({ task, born }) => {
  if (born !== instance) return;
  underWay -= 1;
  enter(() => wasm.abandon(task));
});

function watch() {
  for (const one of frames) abandoned.register(one, { ...one }, one);
  frames.clear();
}

/** Runs a task to its end. Its first step is told what `start` comes to, if there is that. */
export async function run(task, start) {
  const born = instance;
  underWay += 1;
  const frame = { task, born };
  frames.add(frame);
  if (panics > 0 || frames.size > MANY) watch();
  try {
    let step = start;
    let value;
    for (;;) {
      let isError = false;
      try {
        if (step) value = await step;
      } catch (error) {
        value = error;
        isError = true;
      }
      if (born !== instance) throw REPLACED;
      step = enter(() => wasm.step(task, value, isError));
      if (!(step instanceof Promise)) return step;
    }
  } finally {
    if (!frames.delete(frame)) abandoned.unregister(frame);
    // Else it was counted for another.
    if (born === instance) {
      underWay -= 1;
      renew();
    }
  }
}

/** Runs a task, from its beginning again if the panics of others end it. `begin` makes the task, or throws if it can not. */
export async function runAgain(begin) {
  for (;;) {
    try {
      return await run(begin());
    } catch (error) {
      if (error !== REPLACED) throw error;
    }
  }
}

/** Runs a task once that promise is settled; nobody waits for it. */
export function spawn(task, promise) {
  run(task, promise).catch((error) => console.error("what nobody waits for failed", String(error)));
}
