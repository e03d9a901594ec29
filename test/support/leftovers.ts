import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import type { TestHome } from './home.ts';

/** A live process that belongs to a home: its path or its cookie is in the environment, command line or working folder. */
export interface Leftover {
  readonly pid: number;
  readonly command: string;
}

/** What a test must not leave behind. */
export interface Leftovers {
  readonly processes: readonly Leftover[];
  /** Paths below the home or the test's TMPDIR. */
  readonly temporary: readonly string[];
}

export async function leftoversOf(home: TestHome): Promise<Leftovers> {
  const [processes, inHome, inTmp] = await Promise.all([processesOf(home), temporaryIn(home.path), readdir(home.tmp)]);
  return { processes, temporary: [...inHome, ...inTmp.filter((name) => !ALLOWED_IN_TMP.has(name))] };
}

/** Fails, naming them, when a process or a temp folder of this home is left. */
export async function expectNothingLeft(home: TestHome): Promise<void> {
  expect(await leftoversOf(home)).toEqual({ processes: [], temporary: [] });
}

/**
 * For what must end soon rather than at once (a guard that takes over from a killed supervisor): polls, and fails with
 * what is still alive when the test's patience ends.
 */
export async function expectProcessesToEnd(home: TestHome, patience = 20_000): Promise<void> {
  for (const end = Date.now() + patience; Date.now() < end; await sleep(50)) {
    if ((await processesOf(home)).length === 0) return;
  }
  expect(await processesOf(home)).toEqual([]);
}

/** A zombie that its new parent has not reaped yet is not alive. */
export async function isAlive(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'stat=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return stdout.trim() !== '' && !stdout.startsWith('Z');
}

/** Node's own compile cache is shared by every program on the machine and is no leftover of ours. */
const ALLOWED_IN_TMP: ReadonlySet<string> = new Set(['node-compile-cache']);

const processesOf = (home: TestHome): Promise<readonly Leftover[]> => {
  // A cookie starts with ten digits of the home's hash (`actors/cookie`); a process that went elsewhere still has it.
  const marks = [home.root, `=${createHash('sha256').update(home.path).digest('hex').slice(0, 10)}.`];
  return process.platform === 'linux' ? fromProc(marks) : fromPs(marks);
};

async function fromProc(marks: readonly string[]): Promise<readonly Leftover[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
      const [environment, command, folder] = await Promise.all([
        read('environ'),
        read('cmdline'),
        readlink(`/proc/${pid}/cwd`).catch(() => ''),
      ]);
      if (!marks.some((mark) => [environment, command, folder].some((text) => text.includes(mark)))) return [];
      return [{ pid: Number(pid), command: command.replaceAll('\0', ' ').trim() }];
    }),
  );
  return found.flat().filter(({ command }) => command !== '');
}

/** Where there is no /proc, `ps` shows the environment behind the command line. */
async function fromPs(marks: readonly string[]): Promise<readonly Leftover[]> {
  const { stdout } = await promisify(execFile)('ps', ['-axEwwo', 'pid=,command=']);
  return stdout
    .split('\n')
    .filter((line) => marks.some((mark) => line.includes(mark)))
    .map((line) => ({ pid: Number.parseInt(line, 10), command: line.trim().replace(/^\d+\s+/, '') }))
    .filter(({ pid }) => pid !== process.pid);
}

async function temporaryIn(home: string): Promise<readonly string[]> {
  const names = await readdir(home).catch(() => []);
  const below = await Promise.all(
    names.map(async (name) => {
      const inner = await readdir(join(home, name)).catch(() => []);
      return inner.filter((entry) => name === 'tmp' || isTemporary(entry)).map((entry) => join(name, entry));
    }),
  );
  return [...names.filter((name) => isTemporary(name)), ...below.flat()];
}

const isTemporary = (name: string) => /(^\.?te?mp[-.])|(\.(tmp|partial)([-.]|$))/.test(name);
