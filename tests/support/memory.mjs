// The memory of an isolate, read through workerd's inspector. It is read between requests, and the
// inspector is connected only meanwhile, so that it does not slow what is measured.

const MB = 1024 * 1024;
/** The most that an isolate may hold after any request. The platform ends one at 128 MB. */
export const MOST_MB = 64;

/**
 * The memory of a server's isolates after a garbage collection, in MB. The server was started with
 * `inspect`. `wasm` is linear memory, which never shrinks, so this is its maximum. `heap` is
 * JavaScript's, with what lies outside of it (ArrayBuffers).
 */
export async function memoryOf(server) {
  const targets = await (await fetch(`http://${server.inspector}/json`)).json();
  const all = await Promise.all(targets.map((target) => read(target.webSocketDebuggerUrl, server)));
  const sum = (name) => all.reduce((total, one) => total + one[name], 0) / MB;
  const [wasm, heap] = [sum("wasm"), sum("heap")];
  return { wasm, heap, total: wasm + heap };
}

async function read(url, server) {
  const { call, context, close } = await connect(url);
  try {
    // Callbacks release what one collection finds dead, and the next one frees its memory.
    for (let round = 0; round < 3; round++) {
      let isCollected = false;
      const collected = call("HeapProfiler.collectGarbage").then(() => (isCollected = true));
      // The collection begins with the isolate's next work, which may be later than the next
      // request.
      while (!isCollected) {
        await (await fetch(`${server.url}/healthz`)).text();
        await Promise.race([collected, new Promise((resolve) => setTimeout(resolve, 10))]);
      }
    }
    const { usedSize, embedderHeapUsedSize, backingStorageSize } =
      await call("Runtime.getHeapUsage");
    return {
      wasm: await wasmBytes(call, context),
      heap: usedSize + embedderHeapUsedSize + backingStorageSize,
    };
  } finally {
    close();
  }
}

/** The bytes of all wasm memories, which V8's numbers do not include. */
async function wasmBytes(call, contextId) {
  const { result: prototype } = await call("Runtime.evaluate", {
    expression: "WebAssembly.Memory.prototype",
    contextId,
  });
  const { objects } = await call("Runtime.queryObjects", { prototypeObjectId: prototype.objectId });
  const { result } = await call("Runtime.callFunctionOn", {
    objectId: objects.objectId,
    functionDeclaration:
      "function () { return this.reduce((sum, { buffer }) => sum + buffer.byteLength, 0); }",
    returnByValue: true,
  });
  return result.value;
}

/** A connection to the inspector of one isolate, and the context that its Worker runs in. */
async function connect(url) {
  const socket = new WebSocket(url);
  const waiting = new Map();
  const found = Promise.withResolvers();
  const fail = (why) => {
    for (const { reject } of [found, ...waiting.values()]) reject(why);
  };
  // Nobody may be waiting for it when the connection fails.
  found.promise.catch(() => {});
  socket.addEventListener("message", ({ data }) => {
    const { id, result, error, method, params } = JSON.parse(data);
    if (method === "Runtime.executionContextCreated") found.resolve(params.context.id);
    const call = waiting.get(id);
    waiting.delete(id);
    if (error) call?.reject(new Error(`the inspector said ${error.message}`));
    else call?.resolve(result);
  });
  socket.addEventListener("error", () => fail(new Error("the inspector cannot be reached")));
  socket.addEventListener("close", () => fail(new Error("the inspector has gone")));
  let last = 0;
  const call = (method, params = {}) => {
    const answer = Promise.withResolvers();
    waiting.set(++last, answer);
    socket.send(JSON.stringify({ id: last, method, params }));
    return answer.promise;
  };
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", () => reject(new Error("the inspector cannot be reached")));
  });
  await call("Runtime.enable");
  return { call, context: await found.promise, close: () => socket.close() };
}
