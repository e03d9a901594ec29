import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { breachByExit, limitFailure, shellWords, ulimitLines } from '../../../actors/confinement/limits.ts';

const run = async (words: readonly string[]) => {
  const [program = '', ...args] = words;
  return (await promisify(execFile)(program, args)).stdout.trim();
};
const exit = (code: number | null, signal: string | null = null) => ({ code, signal });

describe('the shell around a command', () => {
  it('is none where there is nothing to do', () => {
    expect(shellWords(ulimitLines({ memory: 1, cpu: 1, processes: 1 }))).toEqual([]);
  });

  it('sets the limits and becomes the command, word by word', async () => {
    const words = [
      ...shellWords(ulimitLines({ cpuTime: 6.5, files: 77 })),
      'sh',
      '-c',
      'ulimit -S -t; ulimit -H -t; ulimit -n; echo "$@"',
    ];
    expect(await run([...words, 'sh', 'a b', '$HOME', "'"])).toBe("7\n12\n77\na b $HOME '");
  });

  it('leaves a stricter limit of the system as it is', async () => {
    const words = shellWords(ulimitLines({ files: 1_000_000_000 }));
    const strict = ['sh', '-c', 'ulimit -n 50; exec "$@"', 'sh'];
    // Root may raise it again.
    expect(['50', '1000000000']).toContain(await run([...strict, ...words, 'sh', '-c', 'ulimit -n']));
  });
});

describe('an exit', () => {
  it.each([
    [{ cpuTime: 3 }, exit(null, 'SIGXCPU'), [], { limit: 'cpuTime', allowed: 3, used: 3 }],
    [{ cpuTime: 3 }, exit(152), [], { limit: 'cpuTime', allowed: 3, used: 3 }],
    [{ files: 9 }, exit(1), ['Error: EMFILE: too many open files'], { limit: 'files', allowed: 9, used: null }],
    [{ files: 9 }, exit(1), ['OSError: [Errno 24] Too many open files'], { limit: 'files', allowed: 9, used: null }],
    [{ files: 9 }, exit(0), ['Too many open files, once'], null],
    [{ files: 9 }, exit(1), ['Error: ENOENT'], null],
    [{ memory: 9 }, exit(null, 'SIGXCPU'), ['EMFILE'], null],
  ])('of %j is %j', (limits, how, tail, breach) => {
    expect(breachByExit(limits, how, tail)).toEqual(breach);
  });
});

it.each([
  [{ limit: 'memory', allowed: 2 ** 29, used: 2 ** 30 }, 'The program took 1024 MiB of memory; its limit is 512 MiB.'],
  [{ limit: 'processes', allowed: 5, used: 9 }, 'The program took 9 processes; its limit is 5.'],
  [{ limit: 'cpuTime', allowed: 5, used: 5 }, 'The program took 5 s of CPU time; its limit is 5 s.'],
  [{ limit: 'files', allowed: 64, used: null }, 'The program needs more open files than its limit of 64.'],
] as const)('%j reads "%s"', (breach, message) => {
  expect(limitFailure(breach, 4)).toMatchObject({ code: 'RUN_LIMIT', generation: 4, message, data: breach });
});
