import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Exit } from '../../machines/failure.ts';
import type { ActorContext, OutputLine, ProcessHandle } from '../context.ts';
import { type Family, familyPids, findFamily } from '../groups.ts';
import { createLineSplitter } from '../lines.ts';
import { listeningSockets } from '../ports.ts';
import { createPieceRedactor, type Redactor } from '../redact.ts';
import type { Address } from './command.ts';
import { createNoiseFilter } from './noise.ts';
import { createOutputRing } from './output-ring.ts';

/** The process actor's own side of a handle. */
export interface OwnedHandle extends ProcessHandle {
  readonly pid: number;
  /** End of input: the polite request to end. Idempotent. */
  closeInput(): void;
  /** Destroys all three pipes, so that no grandchild that holds them costs us open files. */
  release(): void;
}

export interface HandleParts {
  readonly context: ActorContext;
  readonly plugin: string;
  readonly generation: number;
  readonly child: ChildProcessWithoutNullStreams;
  readonly pid: number;
  readonly family: Family;
  readonly address: Address;
  /** Takes secrets out of what is logged and quoted; the protocol itself is passed on untouched. */
  readonly redact: Redactor;
  /** The program's own exit, whatever stands around it. */
  readonly exitOf: (exit: Exit) => Exit;
  /** False when stdout carries no protocol for sure: then a log line may look like JSON. */
  readonly speaksOnStdout: boolean;
}

/** What came on stdout before the reader; a server that says more unasked is not waited for. */
const MAX_EARLY_OUTPUT = 1024 * 1024;

/** Drains stdout and stderr from now on for ever, reader or not: a full pipe would stop the plugin. */
export function createHandle(parts: HandleParts): OwnedHandle {
  const { context, plugin, generation, child, pid, family, address } = parts;
  const { stdin, stdout, stderr } = child;
  const recent = createOutputRing();
  const listeners = new Set<(line: string) => void>();
  let early: Buffer[] | null = [];
  let earlyBytes = 0;
  let reader: ((chunk: Buffer) => void) | null = null;
  let ended: (() => void) | undefined;

  /** A listener's bug is logged; thrown into a stream it would take the host program down. */
  const guarded = (work: () => void) => {
    try {
      work();
    } catch (error) {
      context.log.error({ plugin, err: error }, 'a listener of the process broke');
    }
  };

  const take = (stream: OutputLine['stream']) => {
    const redact = createPieceRedactor(parts.redact);
    return (line: string, continues: boolean) => {
      const text = redact(line, continues);
      recent.push(stream, text);
      guarded(() => context.output({ plugin, stream, text }));
      for (const listener of listeners) guarded(() => listener(text));
    };
  };
  const keep = (chunk: Buffer) => {
    earlyBytes += chunk.length;
    // From the first chunk that is too much on nothing is kept: a hole in the middle would be worse than an end.
    if (earlyBytes <= MAX_EARLY_OUTPUT) early?.push(chunk);
  };
  const errors = createLineSplitter(take('stderr'));
  const printed = take('stdout');
  const prints = parts.speaksOnStdout ? createNoiseFilter(take('stdout')) : createLineSplitter(take('stdout'));

  stderr.on('data', errors.push).once('close', errors.end);
  stdout.once('close', () => {
    prints.end();
    if (ended) guarded(ended);
  });
  stdout.on('data', (chunk: Buffer) => {
    if (reader) guarded(() => reader?.(chunk));
    else keep(chunk);
    prints.push(chunk);
  });
  let turn: NodeJS.Immediate | null = null;
  /** The first message of a turn of the event loop goes at once, those behind it together: 64 calls are two system calls. */
  const gather = () => {
    if (turn === null) turn = setImmediate(flush);
    else if (stdin.writableCorked === 0) stdin.cork();
  };
  const flush = () => {
    turn = null;
    stdin.uncork();
  };
  // EPIPE and the like: the plugin is going; 'exit' tells.
  for (const stream of [stdin, stdout, stderr]) stream.on('error', () => undefined);

  return {
    plugin,
    generation,
    pid,
    leasedPort: address.port,
    socketPath: address.socket,
    write: (data, failed) => {
      if (!stdin.writable) return false;
      gather();
      if (failed === undefined) stdin.write(data);
      else stdin.write(data, (error) => error && guarded(failed));
      return true;
    },
    writeBacklog: () => stdin.writableLength,
    readStdout: (newReader, newEnded) => {
      reader = newReader;
      ended = newEnded;
      for (const chunk of early ?? []) guarded(() => newReader(chunk));
      early = null;
      if (stdout.closed && newEnded) guarded(newEnded);
    },
    printed: (line) => printed(line, false),
    onLine: (listener) => {
      for (const line of recent.lines()) guarded(() => listener(line));
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    stderrTail: () => recent.tail(),
    redact: parts.redact,
    pids: () => familyPids(family),
    listening: async () => listeningSockets(await findFamily(family)),
    exited: new Promise<Exit>((resolve) =>
      child.once('exit', (code, signal) => resolve(parts.exitOf({ code, signal }))),
    ),
    closeInput: () => {
      if (stdin.writable) stdin.end();
    },
    release: () => {
      for (const stream of [stdin, stdout, stderr]) stream.destroy();
    },
  };
}
