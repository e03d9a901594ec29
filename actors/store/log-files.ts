/**
 * `logs/<plugin>.log`: what a plugin, its installer and git printed, and the states that it went through. Nobody waits
 * for it: lines are gathered in memory, bounded, and written behind; where the disk is slower than the plugin, or full,
 * they are dropped and counted, and the log says so. Several supervisors may write the same file: lines are appended
 * whole, and only one of them rotates it.
 */

import { setMaxListeners } from 'node:events';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../context.ts';

export interface LogFiles {
  /** Absolute path; the file is there after the first line, older ones are `<path>.1`, `<path>.2`. */
  pathOf(plugin: string): string;
  /** Never throws, never waits. */
  write(plugin: string, line: FileLine): void;
  /** Bytes written so far. */
  bytes(plugin: string): number;
  /** The plugin is gone; its file stays. */
  forget(plugin: string): void;
  /** Writes what is gathered (at most 2 s) and takes nothing more. Idempotent. */
  close(): Promise<void>;
}

export interface FileLine {
  /** ISO time. */
  readonly at: string;
  /** A stream, or `state`. */
  readonly source: string;
  /** Raw; `LogFileParts.show` makes one line of it. */
  readonly text: string;
}

export interface LogFileLimits {
  /** Bytes after which a file is rotated. */
  readonly maxBytes: number;
  /** Files of one plugin, the one that is written to among them. */
  readonly maxFiles: number;
  /** Characters that may wait for the disk; the oldest beyond it are dropped. A flood is written at 20 MB/s at most. */
  readonly maxWaiting: number;
}

/**
 * 5 MB are some 50 000 lines: days of a talkative server, and still opened by every editor. Three of them leave 20
 * plugins below 300 MB; kubelet (5 × 10 MB) and Docker's advice (3 × 10 MB) are for servers with larger disks.
 */
export const defaultLogFileLimits: LogFileLimits = { maxBytes: 5_000_000, maxFiles: 3, maxWaiting: 1024 * 1024 };

export interface LogFileParts {
  readonly pathOf: (plugin: string) => string;
  /** Opens the home; what it rejects with (another format, no permission) keeps everything from being written. */
  readonly open: () => Promise<void>;
  /** `Store.withLock`. */
  readonly withLock: <T>(name: string, signal: AbortSignal, work: () => Promise<T>) => Promise<T>;
  readonly log: Log;
  /** Makes text one line that a terminal can show; asked only for what is written. */
  readonly show: (text: string) => string;
  readonly limits?: Partial<LogFileLimits>;
}

/** Lines are gathered for so long: a talkative plugin costs 20 writes a second, and `tail -F` seems immediate. */
const GATHER = 50;
/** After an error (a full disk) the next attempt waits for so long. */
const RETRY = 1000;
/** Rotation waits for so long for another process; then it is left to a later write. */
const LOCK_PATIENCE = 5000;
/** `close()` waits for a disk for so long. */
const CLOSE_PATIENCE = 2000;
/** Where a file can't be rotated nothing more is written once it is so many times as large as it should be. */
const TOO_LARGE = 2;

/** What one plugin's lines wait for. */
interface Writer {
  readonly plugin: string;
  readonly path: string;
  lines: FileLine[];
  waiting: number;
  dropped: number;
  bytes: number;
  /** Its last write ended in the middle of a line. */
  torn: boolean;
  /** Said once, until it works again. */
  failing: boolean;
  running: Promise<void> | null;
}

export function createLogFiles(parts: LogFileParts): LogFiles {
  const { maxBytes, maxFiles, maxWaiting } = { ...defaultLogFileLimits, ...parts.limits };
  const writers = new Map<string, Writer>();
  /** Of forgotten plugins, too. */
  const runs = new Set<Promise<void>>();
  const closing = new AbortController();
  // One for each plugin that writes; the default of 10 would print a warning.
  setMaxListeners(0, closing.signal);

  const lineOf = ({ at, source, text }: FileLine): string =>
    `${at} ${source.padEnd(LONGEST_SOURCE)} ${parts.show(text)}\n`;

  function writerOf(plugin: string): Writer {
    let writer = writers.get(plugin);
    if (writer === undefined) {
      const path = parts.pathOf(plugin);
      writer = {
        plugin,
        path,
        lines: [],
        waiting: 0,
        dropped: 0,
        bytes: 0,
        torn: false,
        failing: false,
        running: null,
      };
      writers.set(plugin, writer);
    }
    return writer;
  }

  /** Writes until nothing is left; one at a time per plugin, so lines keep their order. */
  async function run(writer: Writer): Promise<void> {
    while (writer.lines.length > 0 || writer.dropped > 0) {
      await pause(writer.failing ? RETRY : GATHER);
      const { lines, dropped } = writer;
      writer.lines = [];
      writer.waiting = 0;
      writer.dropped = 0;
      const lost = dropped === 0 ? '' : lineOf(note(`${dropped} lines were dropped here`));
      try {
        await parts.open();
        await append(writer, lost + lines.map(lineOf).join(''));
        writer.failing = false;
      } catch (error) {
        writer.dropped += lines.length + dropped;
        if (!writer.failing) parts.log.warn({ plugin: writer.plugin, err: error }, 'the log file could not be written');
        writer.failing = true;
        if (closing.signal.aborted) break;
      }
    }
    writer.running = null;
  }

  function begin(writer: Writer): Promise<void> {
    const running = run(writer).finally(() => runs.delete(running));
    runs.add(running);
    return running;
  }

  /** Ends at once when closing. The timer keeps no program alive. */
  const pause = (ms: number) => delay(ms, undefined, { ref: false, signal: closing.signal }).catch(() => undefined);

  /** Opened anew each time: another process may have moved the file away. */
  async function append(writer: Writer, text: string): Promise<void> {
    if ((await sizeOf(writer.path)) >= maxBytes) await rotate(writer);
    const file = await openToAppend(writer.path);
    try {
      const { size } = await file.stat();
      if (size >= maxBytes * TOO_LARGE) throw new Error(`${writer.path} is too large and could not be rotated`);
      const whole = Buffer.from(writer.torn ? `\n${text}` : text);
      const written = await writeAll(file, whole);
      writer.bytes += written;
      if (written > 0) writer.torn = whole[written - 1] !== NEWLINE;
      if (written < whole.length) throw new Error(`${writer.path} took only a part of what was written`);
    } finally {
      await file.close();
    }
  }

  /** Under a lock, and only if the file is still as large: who waited for the lock finds it rotated. */
  async function rotate({ plugin, path }: Writer): Promise<void> {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(LOCK_PATIENCE)]);
    try {
      await parts.withLock(`log-${plugin}`, signal, async () => {
        if ((await sizeOf(path)) < maxBytes) return;
        for (let number = maxFiles - 2; number >= 1; number -= 1) {
          await rename(`${path}.${number}`, `${path}.${number + 1}`).catch(ignoreMissing);
        }
        if (maxFiles > 1) await rename(path, `${path}.1`);
        else await rm(path, { force: true });
      });
    } catch (error) {
      if (!signal.aborted) parts.log.warn({ plugin, err: error }, 'the log file could not be rotated');
    }
  }

  return {
    pathOf: parts.pathOf,
    write(plugin, line) {
      if (closing.signal.aborted) return;
      const writer = writerOf(plugin);
      writer.lines.push(line);
      writer.waiting += line.text.length + LINE_COST;
      if (writer.waiting > maxWaiting) dropOldest(writer, maxWaiting / 2);
      writer.running ??= begin(writer);
    },
    bytes: (plugin) => writers.get(plugin)?.bytes ?? 0,
    forget: (plugin) => void writers.delete(plugin),
    async close() {
      closing.abort();
      const written = Promise.all(runs);
      const over = new AbortController();
      await Promise.race([written, delay(CLOSE_PATIENCE, undefined, { signal: over.signal }).catch(() => undefined)]);
      over.abort();
    },
  };
}

/** The newest lines tell why a plugin fell. Many go at once, so that a flood costs little. */
function dropOldest(writer: Writer, enough: number): void {
  let gone = 0;
  for (; writer.waiting > enough && gone < writer.lines.length - 1; gone += 1)
    writer.waiting -= writer.lines[gone]!.text.length + LINE_COST;
  writer.lines.splice(0, gone);
  writer.dropped += gone;
}

const NEWLINE = 10;

/** Of a line besides its text: time, source and the bookkeeping. */
const LINE_COST = 64;

const note = (text: string): FileLine => ({ at: new Date().toISOString(), source: 'log', text });

/** `install`: what people read is a table. */
const LONGEST_SOURCE = 7;

async function openToAppend(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'a', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    return open(path, 'a', 0o600);
  }
}

/** One call as a rule, which puts the lines of several processes one after another; less only where the disk is full. */
async function writeAll(file: FileHandle, bytes: Buffer): Promise<number> {
  let done = 0;
  while (done < bytes.length) {
    try {
      const { bytesWritten } = await file.write(bytes, done);
      if (bytesWritten === 0) return done;
      done += bytesWritten;
    } catch (error) {
      if (done > 0) return done;
      throw error;
    }
  }
  return done;
}

const sizeOf = async (path: string): Promise<number> => {
  const file = await stat(path).catch(ignoreMissing);
  return file?.size ?? 0;
};

const ignoreMissing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code !== 'ENOENT') throw error;
};
