/** What a plugin printed, from its log file: that outlives the plugin, and every supervisor of the home writes to it. */

import { type FileHandle, open, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { createLineReader } from '../../../actors/mcp/framing.ts';
import { createStore } from '../../../actors/store/create-store.ts';
import { supervisorError, unknownPlugin } from '../../errors.ts';
import { printableLine } from '../../printable.ts';
import { findDaemon } from '../daemon/client.ts';
import { EXIT } from '../exit-codes.ts';
import { toJson } from '../json.ts';
import { configOf } from '../named.ts';
import type { CommandContext } from '../session.ts';
import type { Output } from '../terminal.ts';
import { homeFor, type PluginsInvocation } from './contracts.ts';
import { UNNAMED } from './list.ts';

/** Lines, when nothing is said. */
const LINES = 100;
/** Milliseconds between two looks at a file that is followed. */
const LOOK = 200;
const LONGEST_LINE = 1024 * 1024;

export async function logs(invocation: PluginsInvocation, context: CommandContext): Promise<number> {
  const { names, flags } = invocation;
  const [name] = names;
  if (name === undefined) {
    throw supervisorError('CONFIG_INVALID', {
      message: "Missing required argument 'name'.",
      hint: 'See mcp-supervisor logs --help.',
    });
  }
  const home = homeFor(invocation, context);
  const path = createStore({ home }).logFile(name);
  const { stdout, stderr } = context.terminal;
  const { signal } = context.shutdown;
  if (!(await isThere(path))) {
    await requireKnown(name, home, context);
    if (flags.follow !== true) {
      await stderr.write(`${name} has printed nothing yet.\n`);
      return EXIT.ok;
    }
  }
  const show = (line: string) => stdout.write(flags.json === true ? lineAsJson(line) : lineAsText(line, stdout));
  const { lines, end } = await tail(path, flags.lines ?? LINES);
  for (const line of lines) await show(line);
  if (flags.follow === true) {
    context.shutdown.mayBeEnded();
    await follow(path, end, show, signal);
  }
  return EXIT.ok;
}

async function requireKnown(name: string, home: string, { env, shutdown }: CommandContext): Promise<void> {
  const daemon = await findDaemon(home, shutdown.signal);
  const known = daemon?.state.plugins ?? Object.keys((await configOf(home, env))?.plugins ?? {});
  if (!known.includes(name)) throw unknownPlugin(name, known, UNNAMED);
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

interface Place {
  readonly inode: number;
  readonly offset: number;
}

/** The last lines, those of rotated files among them, and where the newest one ends. */
async function tail(path: string, count: number): Promise<{ lines: readonly string[]; end: Place | null }> {
  let lines: string[] = [];
  let end: Place | null = null;
  for (const file of [path, `${path}.1`, `${path}.2`]) {
    if (lines.length >= count) break;
    const handle = await open(file).catch(() => null);
    if (handle === null) continue;
    try {
      const found: string[] = [];
      const offset = await readFrom(handle, 0, (line) => {
        found.push(line);
        // Twice as many are kept at most: the file may be large.
        if (found.length > 2 * count) found.splice(0, found.length - count);
      });
      end ??= file === path ? { inode: (await handle.stat()).ino, offset } : null;
      lines = [...found, ...lines];
    } finally {
      await handle.close();
    }
  }
  return { lines: lines.slice(Math.max(0, lines.length - count)), end };
}

/** Calls for every whole line; returns where the last of them ends. */
async function readFrom(handle: FileHandle, offset: number, take: (line: string) => void): Promise<number> {
  let at = offset;
  let whole = offset;
  const read = createLineReader(LONGEST_LINE, { line: take, oversized: ({ head }) => take(head) });
  const buffer = Buffer.alloc(64 * 1024);
  for (;;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) return whole;
    // What is handed on must not be written over.
    const chunk = Buffer.from(buffer.subarray(0, bytesRead));
    const newline = chunk.lastIndexOf(10);
    if (newline >= 0) whole = at + newline + 1;
    at += bytesRead;
    read(chunk);
  }
}

async function follow(
  path: string,
  from: Place | null,
  show: (line: string) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let place = from;
  let handle = place === null ? null : await open(path).catch(() => null);
  try {
    while (!signal.aborted) {
      const lines: string[] = [];
      if (handle !== null && place !== null) {
        place = { ...place, offset: await readFrom(handle, place.offset, (line) => lines.push(line)) };
      }
      for (const line of lines) await show(line);
      const now = await stat(path).catch(() => null);
      // Rotated: the old one was read to its end just now.
      if (now !== null && now.ino !== place?.inode && lines.length === 0) {
        await handle?.close();
        handle = await open(path).catch(() => null);
        place = handle === null ? null : { inode: (await handle.stat()).ino, offset: 0 };
        continue;
      }
      await delay(LOOK, undefined, { signal }).catch(() => {});
    }
  } finally {
    await handle?.close();
  }
}

/** `2026-11-23T14:05:09.123Z stderr  text` */
const LINE = /^(\S+) (\S+) +(.*)$/s;

function lineAsText(line: string, { style, isTerminal }: Output): string {
  const [, at, source, text] = LINE.exec(line) ?? [];
  if (at === undefined || !isTerminal) return `${line}\n`;
  return `${style.dim(`${new Date(at).toTimeString().slice(0, 8)} ${source} │`)} ${printableLine(text ?? '')}\n`;
}

function lineAsJson(line: string): string {
  const [, at, stream, text] = LINE.exec(line) ?? [];
  return `${toJson(at === undefined ? { text: line } : { at, stream, text })}\n`;
}
