// The folder of a server's data, which one process at a time may use.
import { spawnSync } from "node:child_process";
import { closeSync, constants, existsSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail } from "./process.mjs";

/** How long a process that is ending may still hold the folder, and how often to look. */
const RELEASED_WITHIN = 3_000;
const LOOK_EVERY = 100;
/** On macOS and BSD, locks a file that is being opened. */
const O_EXLOCK = 0x20;

/**
 * Makes the folder for its owner alone and locks it. Returns its parts and the descriptor of the
 * lock, which belongs to the open file: it lasts until this process and all that inherited it have
 * ended, however they end. Two servers on one folder would both own its objects.
 */
export async function openDataFolder(folder) {
  const [objects, config] = [join(folder, "objects"), join(folder, "workerd.capnp")];
  try {
    makeFolder(folder);
    const lock = await acquire(folder);
    makeFolder(objects);
    writeFileSync(config, "", { mode: 0o600 });
    return { objects, config, lock };
  } catch (error) {
    fail(`--data ${folder} cannot be written to: ${error.message}`);
  }
}

/** Makes the last folder of a path. Node's `recursive` never ends where the system refuses it. */
function makeFolder(path) {
  if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
}

async function acquire(folder) {
  const file = join(folder, "lock");
  for (let waited = 0; waited <= RELEASED_WITHIN; waited += LOOK_EVERY) {
    const lock = tryLock(file);
    if (lock !== undefined) return lock;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
  }
  fail(`another process uses --data ${folder}; stop that one, or choose another folder`);
}

/** The descriptor of the locked file; undefined if another process has it. */
function tryLock(file) {
  const { O_CREAT, O_RDWR, O_NONBLOCK } = constants;
  if (process.platform !== "linux") {
    try {
      return openSync(file, O_CREAT | O_RDWR | O_NONBLOCK | O_EXLOCK, 0o600);
    } catch (error) {
      if (error.code === "EAGAIN") return undefined;
      throw error;
    }
  }
  const descriptor = openSync(file, O_CREAT | O_RDWR, 0o600);
  const { status, error } = spawnSync("flock", ["-n", "3"], {
    stdio: ["ignore", "ignore", "ignore", descriptor],
  });
  if (error) fail("the command flock is missing; install util-linux");
  if (status === 0) return descriptor;
  closeSync(descriptor);
  return undefined;
}
