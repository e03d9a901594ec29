/** A clock for tests: time passes only by `advance`. */
export interface TestClock {
  /** Milliseconds; also the supervisor's `now`. */
  now(): number;
  /** Time of the next timer; null without one. */
  next(): number | null;
  /** How many timers wait. */
  pending(): number;
  /** Fires what is due on the way, in order of time, timers that others set while firing included. */
  advance(ms: number): void;
  /** The interface that XState's `createActor({ clock })` takes. */
  readonly setTimeout: (callback: () => void, ms: number) => number;
  readonly clearTimeout: (id: number) => void;
}

/** XState's own SimulatedClock starts chained timers at the end of an increment instead of where they were set. */
export function createTestClock(start = 0): TestClock {
  let time = start;
  let ids = 0;
  const timers = new Map<number, { readonly due: number; readonly callback: () => void }>();
  const first = () => [...timers].sort(([a, { due: x }], [b, { due: y }]) => x - y || a - b)[0];
  return {
    now: () => time,
    pending: () => timers.size,
    next: () => first()?.[1].due ?? null,
    advance(ms) {
      const end = time + ms;
      for (let timer = first(); timer !== undefined && timer[1].due <= end; timer = first()) {
        const [id, { due, callback }] = timer;
        timers.delete(id);
        time = due;
        callback();
      }
      time = end;
    },
    setTimeout(callback, ms) {
      ids += 1;
      timers.set(ids, { due: time + ms, callback });
      return ids;
    },
    clearTimeout(id) {
      timers.delete(id);
    },
  };
}
