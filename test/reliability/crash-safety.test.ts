/** A supervisor that dies, or is refused something, at any change to its home; and a home that was damaged. */

import { cp, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createStore } from '../../actors/store/create-store.ts';
import type { PluginOptions } from '../../src/options.ts';
import { createSupervisor } from '../../src/supervisor.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { bundleProgram, startProgram } from '../support/program.ts';
import type { Faults } from './faults.ts';
import { puppet, textOf } from './stage.ts';

let startOnce: string;

beforeAll(async () => {
  startOnce = await bundleProgram('reliability/programs/start-once.ts');
});

interface Ending {
  /** Null when it was killed. */
  readonly told: { readonly answer?: string; readonly failures: readonly Failed[]; readonly changes: number } | null;
}
interface Failed {
  readonly code?: string;
  readonly message: string;
  readonly stack?: string;
}

// Every change takes its time.
if (process.env.FAULTS === 'all') vi.setConfig({ testTimeout: 30 * 60_000 });

const PARTS = ['a', 'b', 'c', 'd'];

/**
 * A puppet that refuses to start unless it is whole: every part of its folder has to be there with its full text, and its
 * install step must have run to the end.
 */
async function wholeOrNothing(home: TestHome, name = 'source'): Promise<PluginOptions> {
  const folder = join(home.root, name);
  await cp(puppet().source!, folder, { recursive: true });
  await mkdir(join(folder, 'parts'));
  for (const part of PARTS) await writeFile(join(folder, 'parts', part), part.repeat(4096));
  const main = `// ${name}
import { readFileSync } from 'node:fs';
for (const part of ${JSON.stringify(PARTS)}) {
  if (readFileSync('parts/' + part, 'utf8') !== part.repeat(4096)) throw new Error('half-made: ' + part);
}
if (readFileSync('installed', 'utf8') !== 'all of it') throw new Error('half installed');
await import('./server.js');`;
  await writeFile(join(folder, 'main.js'), main);
  const install = [['sh', '-c', 'printf "all of " > installed; printf it >> installed']];
  return { source: folder, command: ['node', 'main.js'], install };
}

/** Runs the program with that fault to its end. */
async function run(home: TestHome, plugin: PluginOptions, faults: Partial<Faults> = {}): Promise<Ending> {
  const MCPS_FAULTS = JSON.stringify({ home: home.path, at: 0, how: 'kill', ...faults });
  const program = startProgram(startOnce, [home.path, JSON.stringify(plugin)], { ...home.env, MCPS_FAULTS });
  const output = await program.output;
  return { told: program.child.signalCode === null ? JSON.parse(output) : null };
}

/** The next supervisor on that home starts, finds nothing half-made, leaves nothing, and its plugin answers. */
async function expectSound(home: TestHome, plugin: PluginOptions, what: string): Promise<void> {
  const complaints: string[] = [];
  const complain = (fields: object, message: string) => complaints.push(`${message} ${JSON.stringify(fields)}`);
  const logger = { debug() {}, info() {}, warn: complain, error: complain };
  const supervisor = createSupervisor({ home: home.path, env: home.env, logger, plugins: { p: plugin } });
  try {
    const answer = await supervisor.call('p', { tool: 'echo', arguments: { message: 'well' } });
    expect(textOf(answer), what).toBe('well');
    expect(supervisor.status('p'), what).toMatchObject({ generation: 1, failure: null });
  } catch (error) {
    throw new Error(`${what}: ${error}\n${complaints.join('\n')}`, { cause: error });
  } finally {
    await supervisor.close();
  }
  await expectNothingLeft(home);
  const files = await readdir(home.path, { recursive: true });
  expect(
    files.filter((file) => /\.tmp$|\.broken|^ledger\/./.test(file)),
    what,
  ).toEqual([]);
}

const countChanges = async (home: TestHome, plugin: PluginOptions): Promise<number> => {
  const { told } = await run(home, plugin);
  expect(told).toMatchObject({ answer: 'well', failures: [] });
  return told!.changes;
};

/**
 * `FAULTS=all`: every change; else every `step`-th, beginning with another one each day, or with the one that a number in
 * FAULTS names.
 */
function steps(total: number, step: number): number[] {
  const faults = process.env.FAULTS;
  const every = faults === 'all' ? 1 : step;
  const first = faults === undefined ? Math.floor(Date.now() / 86_400_000) : Number(faults);
  return Array.from({ length: total }, (_, index) => index + 1).filter(
    (at) => every === 1 || at % every === first % every,
  );
}

/** Two lanes, as the smallest machine has two cores; each has its own home and plugin to `begin` with. */
async function inLanes<Lane>(
  list: readonly number[],
  begin: () => Promise<Lane>,
  work: (lane: Lane, at: number) => Promise<void>,
) {
  const rest = [...list];
  const lane = async () => {
    const own = await begin();
    for (let at = rest.shift(); at !== undefined; at = rest.shift()) await work(own, at);
  };
  await Promise.all([lane(), lane()]);
}

interface Walk {
  readonly home: TestHome;
  readonly plugin: PluginOptions;
  /** Changes that one start makes. */
  readonly total: number;
}

/** A home as one start and stop have left it; every further one leaves it so again. */
async function warmHome(total = 0): Promise<Walk> {
  const home = await createHome();
  onTestFinished(() => home[Symbol.asyncDispose]());
  const plugin = await wholeOrNothing(home);
  await countChanges(home, plugin);
  return { home, plugin, total };
}

/** Walks over the changes of a first start, each on a fresh home. */
async function walkFirst(step: number, work: (walk: Walk, at: number) => Promise<void>): Promise<void> {
  await using counting = await createHome();
  const total = await countChanges(counting, await wholeOrNothing(counting));
  const nothing = async () => undefined;
  await inLanes(steps(total, step), nothing, async (_, at) => {
    await using home = await createHome();
    await work({ home, plugin: await wholeOrNothing(home), total }, at);
  });
}

/** Walks over the changes of a warm start. */
async function walkWarm(step: number, work: (walk: Walk, at: number) => Promise<void>): Promise<void> {
  const { home, plugin } = await warmHome();
  const total = await countChanges(home, plugin);
  await inLanes(steps(total, step), () => warmHome(total), work);
}

describe.each([
  ['first', 'kill', 'before', walkFirst, 25],
  ['warm', 'kill', 'before', walkWarm, 4],
  ['first', 'half', 'in the middle of', walkFirst, 25],
  ['warm', 'half', 'in the middle of', walkWarm, 6],
] as const)('a supervisor is killed', (which, how, moment, walk, step) => {
  test(`R55 ${moment} a change to the home (${which} start): the next one finds it sound`, async () => {
    await walk(step, async ({ home, plugin, total }, at) => {
      await run(home, plugin, { at, how });
      await expectSound(home, plugin, `${how} at ${at} of ${total}`);
    });
  });
});

interface Below {
  /** Only changes below it count. */
  readonly folder: string;
  readonly begin: PluginOptions;
  /** What the next supervisor starts. */
  readonly next: PluginOptions;
}

/** Does each of so many changes by half, each in a home as `prepare` makes it. */
async function walkBelow(total: number, prepare: (home: TestHome) => Promise<Below>): Promise<void> {
  await inLanes(
    Array.from({ length: total }, (_, index) => index + 1),
    async () => undefined,
    async (_, at) => {
      await using home = await createHome();
      const { folder, begin, next } = await prepare(home);
      const what = `half at ${at} of ${total} below ${folder}`;
      expect(await run(home, begin, { home: folder, at, how: 'half' }), what).toEqual({ told: null });
      await expectSound(home, next, what);
    },
  );
}

test('R55 in the middle of putting a checkout in its place: it is there whole or not at all', async () => {
  // The folder around it, and one rename.
  await walkBelow(2, async (home) => {
    const plugin = await wholeOrNothing(home);
    return { folder: join(home.path, 'checkouts'), begin: plugin, next: plugin };
  });
});

test('R55 in the middle of removing an old environment: nobody takes the rest for a whole one', async () => {
  // Its marker, then the rest.
  await walkBelow(2, async (home) => {
    const [first, second, third] = await Promise.all(['one', 'two', 'three'].map((name) => wholeOrNothing(home, name)));
    const all = join(home.path, 'envs', 'p');
    await run(home, first!);
    const [oldest = ''] = await readdir(all);
    await run(home, second!);
    // The third start keeps the one before, and removes what is older than that once it is settled.
    for (const [age, name] of (await readdir(all)).sort((a) => (a === oldest ? 1 : -1)).entries()) {
      const time = new Date(Date.now() - (age + 1) * 3_600_000);
      await utimes(join(all, name, 'installed.json'), time, time);
    }
    return { folder: join(all, oldest), begin: third!, next: first! };
  });
});

const CODES = ['ENOSPC', 'EIO', 'EMFILE'] as const;

test.each([
  ['first', walkFirst, 24],
  ['warm', walkWarm, 6],
] as const)(
  'R55 a change to the home is refused (%s start): a typed failure, and the next try succeeds',
  async (_, walk, step) => {
    await walk(step, async ({ home, plugin, total }, at) => {
      for (const how of process.env.FAULTS === 'all' ? CODES : [CODES[at % CODES.length]!]) {
        const { told } = await run(home, plugin, { at, how });
        const what = `${how} at ${at} of ${total}`;
        expect(told, what).toMatchObject({ answer: 'well' });
        for (const { code, message, stack } of told?.failures ?? []) {
          expect(code, `${what}: ${message} ${stack}`).toMatch(/^(HOME|CLONE|LAUNCH|INSTALL)_/);
        }
        // What could not be removed is the next start's to sweep.
        await createStore({ home: home.path }).ledger.reap();
        await expectNothingLeft(home);
      }
    });
  },
);
