import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Exit } from '../machines/failure.ts';
import type { ActorContext, OutputLine } from './context.ts';
import { createCookie } from './cookie.ts';
import { FailureError } from './failure-error.ts';
import { COOKIE_VARIABLE, endPids, processIdentity } from './groups.ts';
import { createByteTail, createLineRing, createLineSplitter } from './lines.ts';
import { isExhausted, spawnFailure } from './process/spawn-failure.ts';

/** What a step needs of the actors' context. */
export type StepContext = Pick<ActorContext, 'store' | 'log' | 'output' | 'guard'>;

/** One command of a clone or install job, fully resolved. */
export interface Step {
  readonly plugin: string;
  readonly stream: OutputLine['stream'];
  /** Absolute path, or a name on the PATH of `env`. */
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** The whole environment of the command. */
  readonly env: Readonly<Record<string, string>>;
}

export interface StepResult {
  /** `{code: null, signal: null}` when it could not be spawned. */
  readonly exit: Exit;
  readonly ok: boolean;
  /** Set when it could not be spawned: `ENOENT`, `EACCES` … */
  readonly spawnError: string | null;
  /** At most the last 1 MiB. */
  readonly stdout: string;
  /** At most the last 64 KiB. */
  readonly stderr: string;
  /** Last lines of stderr, else of stdout; at most 20. */
  readonly tail: readonly string[];
}

/** Daemons that a build leaves behind (Gradle, Kotlin, esbuild) get this long between SIGTERM and SIGKILL, in ms. */
const GRACE = 2000;

/** What is in the pipes comes within this after the group is gone, in ms; nobody is left to write more. */
const DRAIN = 250;

const MAX_STDOUT = 1024 * 1024;
const MAX_STDERR = 64 * 1024;
const TAIL_LINES = 20;

/**
 * Runs a command in its own process group with stdin closed; resolves when the command has ended and its whole group is
 * gone. Aborting ends the group (TERM+CONT, 2 s, KILL) and then rejects with the signal's reason. A failing command is a
 * result, not a rejection.
 */
export async function runStep(context: StepContext, step: Step, signal: AbortSignal): Promise<StepResult> {
  const { store } = context;
  const cookie = createCookie({ home: store.home, plugin: step.plugin, generation: 0 });
  await store.ledger.intend({ plugin: step.plugin, generation: 0, cookie });
  const over = new AbortController();
  let isGone = true;
  try {
    signal.throwIfAborted();
    const child = await spawnStep(step, cookie);
    if (typeof child === 'string') return unspawned(child);
    const exited = new Promise<Exit>((resolve) => child.once('exit', (code, name) => resolve({ code, signal: name })));
    const closed = new Promise((resolve) => child.once('close', resolve));
    const output = collectOutput(context, step, child);
    const pid = child.pid!;
    isGone = false;
    context.guard.watch(pid, cookie);
    const leader = processIdentity(pid);
    if (leader) {
      // The intent with its cookie is on the disk: enough to find it by.
      await store.ledger.record(cookie, leader).catch((error: unknown) => {
        context.log.warn({ plugin: step.plugin, err: error }, 'the ledger did not take a process');
      });
    }
    await Promise.race([exited, aborted(signal, over.signal)]);
    // After a normal end too: what a command left in the background would outlive us.
    const survivors = await endPids({ groups: [pid], cookies: [cookie] }, { grace: GRACE });
    isGone = survivors.length === 0;
    if (isGone) context.guard.unwatch(pid);
    else
      context.log.error(
        { plugin: step.plugin, pids: survivors },
        `${step.program} left processes that outlive SIGKILL`,
      );

    await Promise.race([closed, delay(DRAIN, undefined, { ref: false })]);
    child.stdout.destroy();
    child.stderr.destroy();
    signal.throwIfAborted();
    return output.result(await exited);
  } finally {
    over.abort();
    if (isGone) await store.ledger.clear(cookie);
  }
}

/**
 * Its own session and group. The system's error code when it can't be spawned; rejects (LAUNCH_SPAWN, to be tried again)
 * when the system has no process or open file left for it. Not execa's: that lets such an error escape to the host.
 */
async function spawnStep(step: Step, cookie: string): Promise<ChildProcessByStdio<null, Readable, Readable> | string> {
  const { program, args, cwd } = step;
  try {
    const child = spawn(program, args, {
      cwd,
      env: { ...step.env, [COOKIE_VARIABLE]: cookie },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    if (child.pid === undefined) throw (await once(child, 'error'))[0];
    child.on('error', () => undefined);
    return child;
  } catch (thrown) {
    const error = thrown as NodeJS.ErrnoException;
    if (isExhausted(error)) throw new FailureError(spawnFailure(error, step, null), { cause: error });
    return error.code ?? 'UNKNOWN';
  }
}

const unspawned = (spawnError: string): StepResult => ({
  exit: { code: null, signal: null },
  ok: false,
  spawnError,
  stdout: '',
  stderr: '',
  tail: [],
});

/** Drains both streams into lines for the log and bounded tails for the result. */
function collectOutput(
  { output }: StepContext,
  { plugin, stream }: Step,
  child: { readonly stdout: Readable; readonly stderr: Readable },
) {
  const collect = (source: Readable, maxBytes: number) => {
    const bytes = createByteTail(maxBytes);
    const ring = createLineRing({ maxLines: TAIL_LINES });
    const lines = createLineSplitter((text) => {
      ring.push(text);
      output({ plugin, stream, text });
    });
    source.on('data', (chunk: Buffer) => {
      bytes.push(chunk);
      lines.push(chunk);
    });
    source.once('close', lines.end).on('error', () => undefined);
    return { text: bytes.text, tail: ring.lines };
  };
  const stdout = collect(child.stdout, MAX_STDOUT);
  const stderr = collect(child.stderr, MAX_STDERR);
  return {
    result: (exit: Exit): StepResult => ({
      exit,
      ok: exit.code === 0,
      spawnError: null,
      stdout: stdout.text(),
      stderr: stderr.text(),
      tail: stderr.tail().some(isVisible) ? stderr.tail() : stdout.tail(),
    }),
  };
}

/** Maven ends by putting colours back that it never used, and a JVM begins by naming options that it was given. */
const isVisible = (line: string): boolean =>
  line.replaceAll(/\u001b\[[\d;]*m/g, '').trim() !== '' && !line.startsWith('Picked up J');

/** Resolves when `signal` aborts; forgets about it when `over` does. */
const aborted = (signal: AbortSignal, over: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    signal.addEventListener('abort', resolve, { once: true, signal: over });
  });
