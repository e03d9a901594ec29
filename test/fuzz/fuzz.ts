/**
 * Properties over arbitrary input: nothing crashes, nothing hangs. FUZZ_RUNS is the number of cases of each (default 300),
 * FUZZ_SEED repeats a run; `npm run fuzz` sets them and counts.
 */

import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { test } from 'vitest';

const RUNS = Number(process.env.FUZZ_RUNS ?? 300);
const { FUZZ_SEED, FUZZ_COUNT } = process.env;

/** Seconds of processor time for one case; input is small, so anything near it is a pattern that blows up. */
const CASE = Number(process.env.FUZZ_CASE ?? 10);
/** Milliseconds without a new case after which the process is ended: nothing else gets out of a loop. */
const HANG = 120_000;
const PATIENCE = Number(process.env.FUZZ_PATIENCE ?? 60) * 1000;

export interface FuzzOptions {
  /** Of the number of runs, for properties whose cases are slow. */
  readonly share?: number;
}

type Arbitraries<Values extends unknown[]> = { [At in keyof Values]: fc.Arbitrary<Values[At]> };

/** A test: `check` throws for no values of these kinds, and takes no long time. */
export function fuzz<Values extends [unknown, ...unknown[]]>(
  title: string,
  arbitraries: Arbitraries<Values>,
  check: (...values: Values) => void | Promise<void>,
  { share = 1 }: FuzzOptions = {},
): void {
  const numRuns = Math.max(5, Math.round(RUNS * share));
  const limit = RUNS > 300 ? 3_600_000 : 120_000;
  test(title, { timeout: limit }, async () => {
    const watchdog = startWatchdog(title);
    let cases = 0;
    const property = fc.asyncProperty(...arbitraries, async (...values: Values) => {
      cases += 1;
      watchdog.beat();
      const before = process.cpuUsage();
      await Promise.race([check(...values), neverEnds()]);
      const { user, system } = process.cpuUsage(before);
      const seconds = (user + system) / 1e6;
      if (seconds > CASE) throw new Error(`one case took ${seconds.toFixed(1)} s of processor time`);
    });
    try {
      await fc.assert(property, { numRuns, ...(FUZZ_SEED === undefined ? {} : { seed: Number(FUZZ_SEED) }) });
    } finally {
      await watchdog.stop();
      if (FUZZ_COUNT !== undefined) appendFileSync(FUZZ_COUNT, `${cases}\n`);
    }
  });
}

/** A case that waits for ever gets its values reported; a loop is ended by the watchdog. */
const neverEnds = async (): Promise<never> => {
  await sleep(PATIENCE, undefined, { ref: false });
  throw new Error(`one case did not end in ${PATIENCE / 1000} s`);
};

const WATCHDOG = `
const { workerData: { beats, title, hang } } = require('node:worker_threads');
const { writeSync } = require('node:fs');
let seen = -1;
setInterval(() => {
  const now = Atomics.load(beats, 0);
  if (now === seen) {
    writeSync(2, 'HANG: ' + title + ', case ' + now + '\\n');
    process.kill(process.pid, 'SIGKILL');
  }
  seen = now;
}, hang);
`;

function startWatchdog(title: string) {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(WATCHDOG, { eval: true, workerData: { beats, title, hang: HANG } });
  worker.unref();
  return { beat: () => void Atomics.add(beats, 0, 1), stop: () => worker.terminate() };
}
