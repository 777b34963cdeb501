// The Worker under load, killed again and again: what its clients were told must stay true.
import { random } from "./random.mjs";
import { each, Run } from "./run.mjs";
import { pause } from "./worker.mjs";

/** Each token that is read keeps its file open until workerd starts again. */
const MOST_OPEN = 2_000;

/**
 * Kills the server `kills` times while clients create, complete, cancel, extend, read and wait, and
 * recipients are told, and goes on until `completions` are acknowledged. What each client does
 * follows from the seed; when it happens is up to the machine. Returns figures and `faults`.
 * - `target`: what runs, `serve`: what starts it (tests/support/workerd.mjs, which runs workerd
 *   alone, or tests/support/serve.mjs). `storage`: the folder of its data.
 * - `disk`: its `fail()` and `mend()` are called as well, and workerd gets its `env`.
 * - `owedWithin`: how many milliseconds deliveries may take at the end; the outbox retries after 30
 *   seconds.
 */
export async function crash({
  target,
  serve,
  storage,
  disk,
  seed,
  kills,
  completions,
  clients = 8,
  owedWithin = 300_000,
  say = () => {},
}) {
  const run = new Run(seed, owedWithin);
  const began = performance.now();
  if (disk) run.expected.push(503);
  try {
    await run.open(target, { serve, storage, env: disk?.env });
    const playing = Array.from({ length: clients }, () => run.play());
    const chance = random(seed);
    while (run.kills < kills || run.acknowledged.completions.length < completions) {
      // Kill soon after an acknowledgement, or while it is still starting.
      if (chance.hits(0.5))
        await run.verify(chance).then(() => run.untilAcknowledged(1 + chance.below(40)));
      if (disk) {
        disk.fail();
        await pause(chance.in(0, 300));
        disk.mend();
      }
      await pause(chance.in(0, 30));
      await run.kill();
      if (run.kills % 50 === 0)
        say(
          `${run.kills} kills, ${run.acknowledged.completions.length} acknowledged, ` +
            `${run.failures.length} failures`,
        );
    }
    run.isOver = true;
    await Promise.all(playing);
    say("all clients are answered; what is owed");
    await run.settle();
    say(`reading all ${run.tokens.length} tokens`);
    // Read everything once more, from the disk alone.
    for (let from = 0; from < run.tokens.length; from += MOST_OPEN) {
      await run.restart();
      await each(run.tokens.slice(from, from + MOST_OPEN), (token) => run.read(token));
    }
    await run.readStrangers();
  } finally {
    // Servers that are left would keep the process from ending.
    await run.close();
  }
  return run.report((performance.now() - began) / 1000);
}
