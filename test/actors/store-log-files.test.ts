import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { readdir, readFile, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createStore } from '../../actors/store/create-store.ts';
import { createLogFiles, type LogFileParts, type LogFiles } from '../../actors/store/log-files.ts';
import { createHome, type TestHome } from '../support/home.ts';

let home: TestHome;
let warnings: string[];
const opened: LogFiles[] = [];

function create(more: Partial<LogFileParts> = {}): LogFiles {
  const store = createStore({ home: home.path });
  const warn = (_: object, message: string) => void warnings.push(message);
  const files = createLogFiles({
    pathOf: store.logFile,
    open: store.open,
    withLock: store.withLock,
    show: (text) => text,
    log: { debug() {}, info() {}, warn, error: warn },
    ...more,
  });
  opened.push(files);
  return files;
}

const at = '2026-01-02T03:04:05.678Z';
const write = (files: LogFiles, text: string, plugin = 'p') => files.write(plugin, { at, source: 'stderr', text });
const lineOf = (text: string) => `${at} stderr  ${text}`;
const folder = () => join(home.path, 'logs');
const linesOf = async (path: string) => (await readFile(path, 'utf8')).split('\n').slice(0, -1);
/** Of every file of the plugin, oldest first. */
const allLines = async (plugin = 'p') => {
  const numberOf = (name: string) => Number(/\.(\d+)$/.exec(name)?.[1] ?? 0);
  const names = (await readdir(folder())).filter((name) => name.startsWith(`${plugin}.log`));
  const files = names.sort((a, b) => numberOf(b) - numberOf(a)).map((name) => linesOf(join(folder(), name)));
  return (await Promise.all(files)).flat();
};
const patient = { timeout: 30_000, interval: 5 };

beforeEach(async () => {
  home = await createHome();
  warnings = [];
});
afterEach(async () => {
  for (const files of opened.splice(0)) await files.close();
  await home[Symbol.asyncDispose]();
});

it('makes nothing before the first line', async () => {
  const files = create();
  expect(files.pathOf('p')).toBe(join(folder(), 'p.log'));
  await files.close();
  await expect(stat(home.path)).rejects.toThrow('ENOENT');
});

it('has every line in order when it is closed, for its owner alone', async () => {
  const files = create();
  const texts = Array.from({ length: 500 }, (_, number) => `line ${number}`);
  for (const text of texts) write(files, text);
  write(files, 'another', 'q');
  await files.close();
  expect(await linesOf(files.pathOf('p'))).toEqual(texts.map(lineOf));
  expect(await linesOf(files.pathOf('q'))).toEqual([lineOf('another')]);
  expect(((await stat(files.pathOf('p'))).mode & 0o777).toString(8)).toBe('600');
  expect(files.bytes('p')).toBe((await stat(files.pathOf('p'))).size);
});

it('goes on where an earlier one ended, and takes nothing after its end', async () => {
  const before = create();
  write(before, 'one');
  await before.close();
  write(before, 'too late');
  const files = create();
  write(files, 'two');
  await files.close();
  expect(await linesOf(files.pathOf('p'))).toEqual([lineOf('one'), lineOf('two')]);
});

it('keeps at most so many files, the newest lines in them', async () => {
  const files = create({ limits: { maxBytes: 200, maxFiles: 3 } });
  const texts = Array.from({ length: 12 }, (_, number) => `${number} ${'x'.repeat(100)}`);
  for (const text of texts) {
    write(files, text);
    const size = files.bytes('p');
    await vi.waitFor(() => expect(files.bytes('p')).toBeGreaterThan(size), patient);
  }
  await files.close();
  expect((await readdir(folder())).sort()).toEqual(['p.log', 'p.log.1', 'p.log.2']);
  expect(await allLines()).toEqual(texts.slice(-6).map(lineOf));
});

it('is followed by tail -F through its rotations', async () => {
  const files = create({ limits: { maxBytes: 100, maxFiles: 3 } });
  write(files, 'first');
  await vi.waitFor(() => stat(files.pathOf('p')), patient);
  const tail = spawn('tail', ['-n', '+1', '-F', files.pathOf('p')], { stdio: ['ignore', 'pipe', 'ignore'] });
  let seen = '';
  tail.stdout.setEncoding('utf8').on('data', (chunk) => {
    seen += chunk;
  });
  for (const text of ['second', 'third', 'fourth', 'fifth', 'sixth']) {
    write(files, text.padEnd(60, '.'));
    await vi.waitFor(() => expect(seen).toContain(text), patient);
  }
  tail.kill();
  await once(tail, 'exit');
  expect(await readdir(folder())).toContain('p.log.2');
});

it('loses and tears no line when several supervisors write and rotate one file', async () => {
  const writers = Array.from({ length: 4 }, () => create({ limits: { maxBytes: 4000, maxFiles: 100 } }));
  const texts: string[] = [];
  for (let round = 0; round < 20; round += 1) {
    for (const [index, files] of writers.entries()) {
      for (let line = 0; line < 5; line += 1) {
        const text = `${index}-${round}-${line} ${'y'.repeat(50)}`;
        texts.push(text);
        write(files, text);
      }
    }
    await Promise.all(
      writers.map((files) => {
        const size = files.bytes('p');
        return vi.waitFor(() => expect(files.bytes('p')).toBeGreaterThan(size), patient);
      }),
    );
  }
  await Promise.all(writers.map((files) => files.close()));
  expect((await allLines()).sort()).toEqual(texts.map(lineOf).sort());
  expect((await readdir(folder())).length).toBeGreaterThan(3);
  expect(warnings).toEqual([]);
  // Who waited for the lock finds the work done.
  const rotated = (await readdir(folder())).filter((name) => name !== 'p.log');
  const sizes = await Promise.all(rotated.map(async (name) => (await stat(join(folder(), name))).size));
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(4000);
});

describe('a disk', () => {
  it('that is slow drops the oldest lines, counts them, and holds no memory', async () => {
    let release = () => {};
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    const store = createStore({ home: home.path });
    const files = create({ open: () => slow.then(store.open), limits: { maxWaiting: 1000 } });
    for (let line = 0; line < 10_000; line += 1) write(files, 'z'.repeat(100));
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (let line = 0; line < 10_000; line += 1) write(files, 'z'.repeat(100));
    release();
    write(files, 'the last one');
    await files.close();
    const lines = await linesOf(files.pathOf('p'));
    const counts = lines.map((line) => Number(/(\d+) lines were dropped here$/.exec(line)?.[1] ?? 1));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(20_001);
    expect(lines.length).toBeLessThan(40);
    expect(lines.at(-1)).toBe(lineOf('the last one'));
  });

  it('that is full disturbs nobody, is named once, and what was lost is counted when there is room', async () => {
    const path = join(home.root, 'full.log');
    await symlink('/dev/full', path);
    const files = create({ pathOf: () => path });
    write(files, 'one');
    write(files, 'two');
    await vi.waitFor(() => expect(warnings).toEqual(['the log file could not be written']), patient);
    await rm(path);
    write(files, 'three');
    await vi.waitFor(async () => expect(await linesOf(path)).toHaveLength(2), patient);
    const [lost, three] = await linesOf(path);
    expect(three).toBe(lineOf('three'));
    expect(lost).toMatch(/ log {5}2 lines were dropped here$/);
    expect(warnings).toHaveLength(1);
  });

  it('that is full does not keep it from closing', async () => {
    const path = join(home.root, 'full.log');
    await symlink('/dev/full', path);
    const files = create({ pathOf: () => path });
    write(files, 'one');
    await files.close();
  });

  it('on which nothing can be locked gets no more than twice what a file may hold', async () => {
    const files = create({ withLock: () => Promise.reject(new Error('no lock')), limits: { maxBytes: 1000 } });
    for (let round = 0; round < 3; round += 1) {
      for (let line = 0; line < 15; line += 1) write(files, 'x'.repeat(70));
      const size = files.bytes('p');
      await vi.waitFor(() => expect(files.bytes('p') > size || warnings.length > 1).toBe(true), patient);
    }
    await files.close();
    expect((await stat(files.pathOf('p'))).size).toBeLessThan(4000);
    expect(new Set(warnings)).toEqual(
      new Set(['the log file could not be rotated', 'the log file could not be written']),
    );
  });
});

it.runIf(process.platform === 'linux')('keeps no file open', async () => {
  const own = () => readdirSync('/proc/self/fd').length;
  const before = own();
  const files = create();
  for (let plugin = 0; plugin < 50; plugin += 1) write(files, 'hello', `p${plugin}`);
  await files.close();
  expect(own()).toBeLessThanOrEqual(before + 2);
  for (let plugin = 0; plugin < 50; plugin += 1) expect(await linesOf(files.pathOf(`p${plugin}`))).toHaveLength(1);
});

it('keeps what a plugin that is gone has printed, and counts anew for one that takes its name at once', async () => {
  const files = create();
  write(files, 'of the first');
  files.forget('p');
  write(files, 'of the second');
  await vi.waitFor(() => expect(files.bytes('p')).toBeGreaterThan(0), patient);
  const counted = files.bytes('p');
  await files.close();
  expect(await allLines()).toEqual(expect.arrayContaining([lineOf('of the first'), lineOf('of the second')]));
  expect(files.bytes('p')).toBe(counted);
  expect(counted).toBe(lineOf('of the second').length + 1);
});
