// Random choices that a seed repeats.

/** Numbers in [0, 1) that follow from the seed (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  next.below = (limit) => Math.floor(next() * limit);
  next.in = (from, to) => from + next() * (to - from);
  next.hits = (share) => next() < share;
  next.of = (list) => list[next.below(list.length)];
  return next;
}
