import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  COOKIE_VARIABLE,
  descendants,
  endPids,
  findsEscapees,
  isAlive,
  pidsWithCookie,
  processIdentity,
  untilGone,
} from '../../actors/groups.ts';
import { GUARD_SCRIPT } from '../../actors/guard/script.ts';
import { createGuard } from '../../actors/guard.ts';
import { programs } from './process-harness.ts';

const linux = process.platform === 'linux';
const root = fileURLToPath(new URL('../..', import.meta.url));
const groups: number[] = [];
let built: string;

/** The guard as a program of its own can import it. */
beforeAll(async () => {
  built = await mkdtemp(join(tmpdir(), 'mcps-guard-'));
  const config = {
    extends: join(root, 'tsconfig.build.json'),
    compilerOptions: {
      outDir: built,
      rootDir: root,
      declaration: false,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    },
    files: [join(root, 'actors/guard.ts')],
    include: [],
  };
  await writeFile(join(built, 'tsconfig.json'), JSON.stringify(config));
  await writeFile(join(built, 'package.json'), '{"type":"module"}');
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', built], { stdio: 'inherit' });
});
afterAll(() => rm(built, { recursive: true }));
afterEach(() => endPids({ groups: groups.splice(0), cookies: ['guard-test.'] }, { grace: 0 }));

/** A group of its own, with a cookie. */
function start(cookie: string, program: string, ...args: string[]): ChildProcess & { pid: number } {
  const child = spawn(program, args, {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, [COOKIE_VARIABLE]: cookie },
  });
  groups.push(child.pid!);
  return child as ChildProcess & { pid: number };
}

/** A supervisor: a Node program that starts these fixtures, has them guarded and then does `after`. */
async function supervisor(fixtures: readonly string[][], after = 'setInterval(() => {}, 1000)') {
  const file = join(built, 'supervisor.mjs');
  await writeFile(
    file,
    `import { spawn } from 'node:child_process';
    import { createGuard } from './actors/guard.js';
    const guard = createGuard();
    for (const [program, ...args] of ${JSON.stringify(fixtures)}) {
      const cookie = 'guard-test.' + Math.random();
      const env = { ...process.env, ${COOKIE_VARIABLE}: cookie };
      const child = spawn(program, args, { cwd: ${JSON.stringify(programs)}, detached: true, stdio: ['ignore', 'ignore', 'pipe'], env });
      guard.watch(child.pid, cookie);
      await new Promise((resolve) => child.stderr.once('data', resolve));
      console.log(child.pid);
      child.unref();
      child.stderr.unref();
    }
    console.log('up');
    ${after};`,
  );
  const child = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pids: number[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    if (line === 'up') break;
    pids.push(Number(line));
  }
  groups.push(...pids);
  return { child, pids };
}

describe('a supervisor that is killed with SIGKILL', () => {
  it('leaves no leader, no grandchild and no escapee', async () => {
    const { child, pids } = await supervisor([
      [process.execPath, 'forever.mjs'],
      [process.execPath, 'ignores-term.mjs'],
      ['sh', 'grandchild-ignores-term.sh'],
      ['sh', 'stops-itself.sh'],
      [process.execPath, 'setsid-escapee.mjs'],
    ]);
    expect(pids.length).toBe(5);
    expect(pids.filter(isAlive)).toEqual(pids);
    child.kill('SIGKILL');
    expect(await untilGone({ groups: pids, cookies: ['guard-test.'] }, { timeout: 30_000 })).toBe(true);
  });
});

it('a supervisor that had no open file left for its guard has one from the next group on', async () => {
  const file = join(built, 'out-of-files.mjs');
  await writeFile(
    file,
    `import { spawn } from 'node:child_process';
    import { closeSync, openSync } from 'node:fs';
    import { createGuard } from './actors/guard.js';
    const start = (cookie) => spawn('sleep', ['300'], { detached: true, stdio: 'ignore', env: { ...process.env, ${COOKIE_VARIABLE}: cookie } });
    const children = ['guard-test.first', 'guard-test.second'].map(start);
    const guard = createGuard();
    const files = [];
    try { for (;;) files.push(openSync('/dev/null', 'r')); } catch {}
    guard.watch(children[0].pid, 'guard-test.first');
    files.forEach((file) => closeSync(file));
    guard.watch(children[1].pid, 'guard-test.second');
    console.log(JSON.stringify(children.map(({ pid }) => pid)));
    setInterval(() => {}, 1000);`,
  );
  const child = spawn('/bin/sh', ['-c', 'ulimit -n 100; exec "$@"', 'sh', process.execPath, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const pids = JSON.parse((await lines.next()).value) as number[];
  groups.push(...pids);
  expect(pids.filter(isAlive)).toEqual(pids);
  child.kill('SIGKILL');
  expect(await untilGone({ groups: pids }, { timeout: 30_000 })).toBe(true);
});

describe('a supervisor that is done', () => {
  it('is not kept alive by its guard, which goes with it and ends what is still watched', async () => {
    const { child, pids } = await supervisor([[process.execPath, 'forever.mjs']], '');
    expect(await exitOf(child)).toBe(0);
    expect(await untilGone({ groups: pids }, { timeout: 30_000 })).toBe(true);
  });
});

describe('a guard', () => {
  const shells = () => descendants(process.pid).filter((pid) => commandOf(pid).includes('mcp-supervisor-guard'));
  /** The shell that this starts; one of an earlier test may still be going. */
  const shellStartedBy = (work: () => void): number => {
    const before = shells();
    work();
    return shells().find((pid) => !before.includes(pid))!;
  };

  it('starts with the first group, and goes when it is closed, leaving alone what it was told to forget', async () => {
    const child = start('guard-test.1', 'sleep', '300');
    const guard = createGuard();
    const shell = shellStartedBy(() => guard.watch(child.pid, 'guard-test.1'));
    guard.unwatch(child.pid);
    guard.close();
    expect(await untilGone({ pids: [shell] }, { timeout: 30_000 })).toBe(true);
    expect(isAlive(child.pid)).toBe(true);
  });

  it('forgets the right one of many', async () => {
    const children = Array.from({ length: 5 }, (_, at) => start(`guard-test.${at}`, 'sleep', '300'));
    const guard = createGuard();
    children.forEach(({ pid }, at) => void guard.watch(pid, `guard-test.${at}`));
    guard.unwatch(children[2]!.pid);
    guard.close();
    const others = children.map(({ pid }) => pid).filter((pid) => pid !== children[2]!.pid);
    expect(await untilGone({ groups: others }, { timeout: 30_000 })).toBe(true);
    expect(isAlive(children[2]!.pid)).toBe(true);
  });

  it('is deaf to the signals of a terminal, and holds none of its streams', async () => {
    const child = start('guard-test.1', 'sleep', '300');
    const guard = createGuard();
    const shell = shellStartedBy(() => guard.watch(child.pid, 'guard-test.1'));
    if (linux) {
      await expect.poll(() => ignoredSignals(shell)).toEqual(expect.arrayContaining([1, 2, 3, 15]));
      expect([1, 2].map((fd) => readlinkSync(`/proc/${shell}/fd/${fd}`))).toEqual(['/dev/null', '/dev/null']);
      expect(readlinkSync(`/proc/${shell}/cwd`)).toBe('/');
    }
    expect(groupOf(shell)).toBe(shell);
    guard.unwatch(child.pid);
    guard.close();
  });

  it('that was killed is replaced, and the next one knows all', async () => {
    const child = start('guard-test.1', 'sleep', '300');
    const guard = createGuard();
    const others = shells();
    const first = shellStartedBy(() => guard.watch(child.pid, 'guard-test.1'));
    process.kill(first, 'SIGKILL');
    await expect.poll(() => shells().filter((pid) => pid !== first && !others.includes(pid)).length).toBe(1);
    guard.close();
    expect(await untilGone({ groups: [child.pid] }, { timeout: 30_000 })).toBe(true);
  });

  it.runIf(linux && findsEscapees())('does not carry the cookie of a supervisor above us', async () => {
    process.env[COOKIE_VARIABLE] = 'guard-test.above';
    const child = start('guard-test.1', 'sleep', '300');
    const guard = createGuard();
    const shell = shellStartedBy(() => guard.watch(child.pid, 'guard-test.1'));
    delete process.env[COOKIE_VARIABLE];
    await expect.poll(() => ignoredSignals(shell)).toContain(15);
    expect(pidsWithCookie('guard-test.above')).toEqual([]);
    guard.close();
  });
});

/** Its program alone: also under other shells, and told things that no supervisor would say. */
describe.each([['sh'], ['dash'], ['bash'], ['busybox', 'sh']].filter(([shell]) => found(shell!)))(
  'the guard’s script under %s %s',
  (shell, applet = '') => {
    const run = (input: string) =>
      execFileSync(shell, [...(applet ? [applet] : []), '-c', GUARD_SCRIPT, 'guard-under-test'], { input });

    it('ends what is listed, by group and by cookie', async () => {
      const [stubborn, other] = [
        start('guard-test.1.', 'sh', join(programs, 'grandchild-ignores-term.sh')),
        start('guard-test.2.', 'sleep', '300'),
      ];
      run(`+ ${stubborn.pid} ${processIdentity(stubborn.pid)!.startTime} guard-test.1.\n`);
      expect(await untilGone({ groups: [stubborn.pid], cookies: ['guard-test.1.'] }, { timeout: 30_000 })).toBe(true);
      expect(isAlive(other.pid)).toBe(true);
    });

    it('spares a group whose number was used again', () => {
      const child = start('guard-test.3.', 'sleep', '300');
      run(`+ ${child.pid} 12345 guard-test.none\n`);
      expect(isAlive(child.pid)).toBe(true);
    });

    it('says and does nothing when nothing is listed', () => {
      const child = start('guard-test.4.', 'sleep', '300');
      expect(String(run(`+ ${child.pid} - guard-test.4.\n- ${child.pid}\n`))).toBe('');
      expect(isAlive(child.pid)).toBe(true);
    });
  },
);

function found(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`]);
    return true;
  } catch {
    return false;
  }
}

const exitOf = (child: ChildProcess) =>
  new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve(child.exitCode)));
const ps = (column: string, pid: number) =>
  execFileSync('sh', ['-c', `ps -o ${column}= -p ${pid} || true`], { encoding: 'utf8' }).trim();
const commandOf = (pid: number) => ps('args', pid);
const groupOf = (pid: number) => Number(ps('pgid', pid));

/** Numbers of the signals that a process ignores. */
function ignoredSignals(pid: number): number[] {
  const [, mask = '0'] =
    /^SigIgn:\s*(\w+)$/m.exec(execFileSync('cat', [`/proc/${pid}/status`], { encoding: 'utf8' })) ?? [];
  return Array.from({ length: 31 }, (_, at) => at + 1).filter(
    (signal) => (BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n,
  );
}
