/**
 * Many crashes over many plugins with calls running throughout, then the account: every call settled once and truthfully,
 * descriptors and memory flat, nothing left behind.
 */

import { cpSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SupervisorError } from '../../src/errors.ts';
import type { PluginStatus } from '../../src/options.ts';
import { createSupervisor } from '../../src/supervisor.ts';
import { createAccounts, createTail } from '../support/accounts.ts';
import { carriersOf } from '../support/carriers.ts';
import { listIfThere, readIfThere } from '../support/if-there.ts';
import { createSeeded } from '../support/seeded.ts';

export interface SoakOptions {
  readonly cycles: number;
  readonly plugins: number;
  readonly seed: number;
  /** Folder of `fixtures/processes`. */
  readonly fixtures: string;
  /** Cycles between two samples. */
  readonly sampleEvery: number;
  readonly onSample?: (sample: Sample) => void;
}

export interface Sample {
  readonly cycles: number;
  readonly descriptors: number;
  /** Bytes, after a forced garbage collection where there is one (`--expose-gc`). */
  readonly rss: number;
  readonly heap: number;
}

export interface SoakReport {
  readonly cycles: number;
  readonly seconds: number;
  /** Crashes by kind. */
  readonly crashes: Readonly<Record<string, number>>;
  /** Calls by what their callers were told. */
  readonly calls: Readonly<Record<string, number>>;
  readonly starts: number;
  readonly samples: readonly Sample[];
  /** What must not be; empty is success. */
  readonly violations: readonly string[];
}

/** How a program dies, as the witness is told; `killed` and `hang` end by our SIGKILL, `restart` is the operator's. */
const DEATHS = {
  SIGKILL: { how: 'signal', by: 'SIGKILL' },
  SIGSEGV: { how: 'signal', by: 'SIGSEGV' },
  SIGABRT: { how: 'signal', by: 'SIGABRT' },
  'exit 0': { how: 'exit', by: 0 },
  'exit 1': { how: 'exit', by: 1 },
  'exit 137': { how: 'exit', by: 137 },
  'stdout closed': { how: 'mute', by: 0 },
  hang: { how: 'hang', by: 0 },
  killed: null,
  restart: null,
} as const;
type Death = keyof typeof DEATHS;
const KINDS = Object.keys(DEATHS) as Death[];

/** Never parks, and comes back at once: a thousand crashes are the purpose. */
const RESTART_POLICY = {
  minDelay: 5,
  maxDelay: 50,
  resetAfter: 100,
  maxFailedStarts: Number.POSITIVE_INFINITY,
  maxCrashes: Number.POSITIVE_INFINITY,
};

/** Milliseconds after which something that ought to happen is taken for hung. */
const PATIENCE = 120_000;

export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const seeded = createSeeded(options.seed);
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'mcps-soak-')));
  const home = join(root, 'home');
  const tmp = join(root, 'tmp');
  mkdirSync(tmp);
  // A copy: whoever edits the fixtures meanwhile must not have them installed anew.
  cpSync(join(options.fixtures, 'mcp'), join(root, 'source'), { recursive: true });

  const names = Array.from({ length: options.plugins }, (_, index) => `p${index}`);
  const logOf = (name: string) => join(root, `${name}.log`);
  const supervisor = createSupervisor({
    home,
    env: { ...process.env, TMPDIR: tmp },
    restartPolicy: RESTART_POLICY,
    defaults: { command: ['node', 'witness.mjs'], install: [], build: [], idleStop: false },
    plugins: Object.fromEntries(
      names.map((name) => [name, { source: join(root, 'source'), env: { LOG: logOf(name) } }] as const),
    ),
  });

  const violations: string[] = [];
  const accounts = createAccounts();
  const tails = names.map((name) => [name, createTail(() => readIfThere(logOf(name)))] as const);
  const crashes: Record<string, number> = {};
  const samples: Sample[] = [];
  const begun = performance.now();
  let cycles = 0;
  let starts = 0;
  supervisor.on('plugin:launching', () => {
    starts += 1;
  });

  /** Never rejects: what came of it is in the accounts. */
  async function call(name: string, tool: string, more: object = {}): Promise<void> {
    const token = accounts.open(name);
    try {
      const result = await supervisor.call(name, { tool, arguments: { token, ...more } });
      accounts.settle(token, { kind: 'answered', text: result.content?.[0]?.text ?? '' });
    } catch (error) {
      if (!SupervisorError.is(error)) violations.push(`${token} failed with no SupervisorError: ${error}`);
      const { code, data } = error as SupervisorError;
      accounts.settle(token, { kind: 'failed', code, fate: (data?.fate as string | undefined) ?? null });
    }
  }

  async function wait(what: string, look: () => boolean): Promise<void> {
    for (const end = performance.now() + PATIENCE; performance.now() < end; await sleep(5)) if (look()) return;
    throw new Error(`${what} did not happen: ${JSON.stringify(supervisor.status(), null, 1)}`);
  }

  async function cycle(name: string): Promise<void> {
    await supervisor.start(name);
    const { generation, pid } = supervisor.status(name);
    const beside = Array.from({ length: seeded.below(4) }, () => call(name, 'late', { ms: seeded.below(30) }));
    const kind = seeded.pick(KINDS);
    crashes[kind] = (crashes[kind] ?? 0) + 1;
    const death = DEATHS[kind];
    if (death !== null) beside.push(call(name, 'die', death));
    // It hangs, or has not been asked to end: ours to do, unless another pid has taken its place.
    if (kind === 'hang') await sleep(seeded.below(30));
    if ((kind === 'hang' || kind === 'killed') && pid !== null) killIfThere(pid);
    if (kind === 'restart') await supervisor.restart(name);
    const isOver = ({ state, generation: now }: PluginStatus) =>
      now > generation || state === 'absent' || state === 'crashed';
    await wait(`the end of ${name}, generation ${generation} (${kind})`, () => isOver(supervisor.status(name)));
    await Promise.all(beside);
    cycles += 1;
  }

  let running = false;
  async function callers(): Promise<void> {
    while (running) {
      await call(seeded.pick(names), seeded.chance(0.3) ? 'late' : 'echo', { ms: seeded.below(20) });
      await sleep(seeded.below(40));
    }
  }

  async function sample(): Promise<void> {
    await Promise.all(names.map((name) => supervisor.start(name)));
    await wait('the settlement of every call', () => accounts.pending().length === 0);
    violations.push(...accounts.judge(new Map(tails.map(([name, read]) => [name, read()]))));
    for (const name of names) {
      const { pid, generation } = supervisor.status(name);
      const generations = new Set(carriersOf(home).flatMap((each) => (each.pid === pid ? each.generation : [])));
      if (!generations.has(generation))
        violations.push(`${name} is ready without a process of generation ${generation}`);
    }
    globalThis.gc?.();
    await sleep(20);
    globalThis.gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    const descriptors = readdirSync('/proc/self/fd').length;
    const taken = { cycles, descriptors, rss, heap: heapUsed };
    samples.push(taken);
    options.onSample?.(taken);
  }

  try {
    await sample();
    while (cycles < options.cycles && violations.length === 0) {
      running = true;
      const calling = names.map(callers);
      let left = Math.min(options.sampleEvery, options.cycles - cycles);
      const drivers = names.map(async (name) => {
        while (left > 0) {
          left -= 1;
          await cycle(name);
        }
      });
      await Promise.all(drivers).finally(() => {
        running = false;
      });
      await Promise.all(calling);
      await sample();
    }
  } catch (error) {
    running = false;
    violations.push(String(error));
  }
  await supervisor.close();
  const carriers = carriersOf(home);
  for (const { pid, plugin, generation } of carriers) {
    violations.push(`process ${pid} (plugin ${plugin}, generation ${generation}) outlived the supervisor`);
  }
  const left = ['ledger', 'tmp'].flatMap((folder) =>
    listIfThere(join(home, folder)).map((name) => `${folder}/${name}`),
  );
  const inTmp = listIfThere(tmp).filter((name) => name !== 'node-compile-cache');
  for (const path of [...left, ...inTmp]) violations.push(`${path} was left`);
  violations.push(...flatness(samples));
  rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  const seconds = (performance.now() - begun) / 1000;
  return { cycles, seconds, crashes, calls: accounts.told(), starts, samples, violations };
}

/** Growth per 100 cycles by least squares, over the samples behind the warm-up. */
export function slopeOf(samples: readonly Sample[], figure: 'descriptors' | 'rss' | 'heap'): number {
  const warm = warmOf(samples);
  if (warm.length < 2) return 0;
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(warm.map(({ cycles }) => cycles));
  const y = mean(warm.map((sample) => sample[figure]));
  const over = warm.reduce((sum, sample) => sum + (sample.cycles - x) * (sample[figure] - y), 0);
  const under = warm.reduce((sum, sample) => sum + (sample.cycles - x) ** 2, 0);
  return (100 * over) / under;
}

/** The first quarter fills what is bounded by a number: histories, logs, compiled code. */
export const warmOf = (samples: readonly Sample[]): readonly Sample[] => samples.slice(Math.ceil(samples.length / 4));

const MiB = 1024 * 1024;
/** Over fewer cycles the heap's slope says nothing: histories and logs are still filling. */
const ENOUGH = 500;

function flatness(samples: readonly Sample[]): readonly string[] {
  const warm = warmOf(samples);
  const [first, last] = [warm[0], warm.at(-1)];
  if (first === undefined || last === undefined) return [];
  const wrong: string[] = [];
  if (Math.abs(last.descriptors - first.descriptors) > 3)
    wrong.push(`descriptors went from ${first.descriptors} to ${last.descriptors}`);
  const isLong = globalThis.gc !== undefined && last.cycles - first.cycles >= ENOUGH;
  if (isLong && slopeOf(samples, 'heap') > MiB)
    wrong.push(`the heap grows by ${(slopeOf(samples, 'heap') / MiB).toFixed(2)} MiB per 100 cycles`);
  return wrong;
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
