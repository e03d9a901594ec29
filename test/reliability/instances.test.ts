import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SupervisorError } from '../../src/errors.ts';
import type { InstanceOptions, Supervisor } from '../../src/options.ts';
import { createSeeded } from '../support/seeded.ts';
import { createStage, eventually, linesOf, logOf, puppet, textOf } from './stage.ts';

const never = 1e9;
const instancesOf = (supervisor: Supervisor) => supervisor.status('p').instances ?? [supervisor.status('p')];
const KINDS: readonly InstanceOptions[] = [
  'shared',
  { pool: 1 },
  { pool: 3 },
  { perSession: { max: 2, idle: 50 } },
  { perSession: { max: 4 } },
];

describe('several instances', () => {
  it.each([1, 2, 3])('settle every call once, whatever happens to them, and leave nothing (%i)', async (seed) => {
    await using stage = await createStage({
      plugins: { p: puppet('', { instances: { pool: 3 } }) },
      restartPolicy: { minDelay: 1, maxDelay: 20, maxFailedStarts: never, maxCrashes: never },
      timing: { drain: 50 },
    });
    const { supervisor } = stage;
    const { next: random, pick } = createSeeded(seed);
    const calls: Promise<unknown>[] = [];
    const works: Promise<unknown>[] = [];
    await supervisor.start('p');

    const steps: Record<string, () => unknown> = {
      call: () => {
        const tool = pick(['pid', 'count', 'slow', 'poison']);
        const session = pick([undefined, 'a', 'b', 'c', 'd']);
        const options = session === undefined ? {} : { session };
        calls.push(supervisor.call('p', { tool, arguments: { ms: 30 } }, options).catch((error: unknown) => error));
      },
      kill: () => {
        const { pid } = pick(instancesOf(supervisor));
        try {
          if (pid !== null) process.kill(pid, 'SIGKILL');
        } catch {
          // It has just ended by itself.
        }
      },
      end: () => supervisor.endSession(pick(['a', 'b', 'c', 'd']), { grace: pick([0, 20]) }),
      configure: () => {
        const env = { WORD: pick(['one', 'two']) };
        works.push(supervisor.configure({ p: puppet('', { instances: pick(KINDS), env }) }));
      },
      restart: () => works.push(supervisor.restart('p').catch(() => undefined)),
      stop: () =>
        works.push(
          supervisor
            .stop('p')
            .then(() => supervisor.start('p'))
            .catch(() => undefined),
        ),
      wait: () => new Promise((resolve) => setTimeout(resolve, 20 * random())),
    };
    const often = ['call', 'call', 'call', 'call', 'call', 'call', 'wait', 'wait', 'kill', 'end'];
    for (let step = 0; step < 150; step += 1) {
      const name = random() < 0.1 ? pick(['configure', 'restart', 'stop']) : pick(often);
      await steps[name]!();
    }
    await Promise.all(works);
    const strange = (answer: unknown) => answer instanceof Error && !SupervisorError.is(answer);
    const answers = await Promise.all(calls);
    expect(answers.filter(strange)).toEqual([]);
    expect(answers.some((answer) => !(answer instanceof Error))).toBe(true);

    await supervisor.configure({ p: puppet() });
    await eventually(() => supervisor.status('p').instances === undefined);
    await supervisor.start('p');
    expect(textOf(await supervisor.call('p', { tool: 'pid' }))).toBe(`${supervisor.status('p').pid}`);
    expect(supervisor.status('p')).toMatchObject({ held: 0, inFlight: 0 });
    expect(stage.complaints.filter((line) => /INTERNAL|broke|threw/.test(line))).toEqual([]);
  });

  it('share what is the plugin’s on the disk', async () => {
    await using stage = await createStage();
    const { supervisor, home } = stage;
    const log = logOf(home);
    supervisor.add('p', puppet('', { instances: 'per-session', env: { PUPPET_LOG: log } }));
    const sessions = ['a', 'b', 'c', 'd'];
    await Promise.all(sessions.map((session) => supervisor.call('p', { tool: 'pid' }, { session })));
    await supervisor.close();
    const below = (folder: string) => readdir(join(home.path, folder));
    expect(await below('plugins')).toEqual(['p']);
    expect(await below('envs')).toEqual(['p']);
    expect(await below('logs')).toEqual(['p.log']);
    expect(await below('ledger')).toEqual([]);
    const states = (await linesOf(supervisor.logFile('p'))).filter((line) => / state .* ready /.test(line));
    expect(states.map((line) => /\[(#\d)\]/.exec(line)?.[1]).sort()).toEqual(['#1', '#2', '#3', '#4']);
    expect((await linesOf(log)).filter((line) => line.startsWith('start'))).toHaveLength(4);
  });
});
