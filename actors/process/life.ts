import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import type { ProcessCommand, ProcessEvent, ProcessInput } from '../../machines/contracts.ts';
import { createFailure, type Failure } from '../../machines/failure.ts';
import type { ActorContext } from '../context.ts';
import { createCookie } from '../cookie.ts';
import { failureOf } from '../failure-error.ts';
import { type Family, familyPids, processIdentity, signalFamily, untilGone } from '../groups.ts';
import type { PortLeases } from '../ports.ts';
import { createRedactor, loginOf } from '../redact.ts';
import { explainExit, explainSilence } from './explain.ts';
import { createHandle, type OwnedHandle } from './handle.ts';
import { type Launch, prepareLaunch } from './prepare.ts';
import { spawnFailure } from './spawn-failure.ts';

/** One process from spawn to the proof that nothing of it is left. */
export interface Life {
  obey(command: ProcessCommand): void;
  /** The machine is gone: kills what is left at once, and clears up behind it without telling anyone. */
  discard(): void;
}

/**
 * 'close' waits for a grandchild that holds stdout, for ever; 'exit' doesn't. What is in the pipes comes within this, in
 * ms. The pipes keep the host program alive, the timer need not.
 */
const DRAIN = 250;

/** As long as what was killed is looked after once the machine is gone, in ms; guard and ledger keep it in mind. */
const KILL_TAKES_AT_MOST = 2000;

/**
 * new → spawning → running → emptying → over. `over` is left to nobody: `group.empty` (or `group.abandoned`) was sent.
 * Commands that come before there is a process mean that there shall be none.
 */
export function createLife(
  context: ActorContext,
  ports: PortLeases,
  input: ProcessInput,
  send: (event: ProcessEvent) => void,
): Life {
  const { plugin, generation } = input;
  const { ledger } = context.store;
  const cookie = createCookie({ home: context.store.home, plugin, generation });
  let phase: 'new' | 'spawning' | 'running' | 'emptying' | 'over' = 'new';
  let launch: Launch | null = null;
  let running: { readonly handle: OwnedHandle; readonly family: Family } | null = null;
  let asked = false;
  let killing = false;
  let abandoned = false;
  let hasBreached = false;
  let waiting = new AbortController();
  let recorded: Promise<void> = Promise.resolve();

  /** Whatever goes wrong in here is a bug of ours: it is said, and nothing is left running. */
  const guarded = (work: () => unknown) => {
    const broke = (error: unknown) => context.log.error({ plugin, generation, err: error }, 'the process actor broke');
    new Promise((resolve) => resolve(work()))
      .catch((error: unknown) => {
        broke(error);
        if (phase === 'over') return;
        send({ type: 'process.failed', generation, failure: failureOf(error, bug) });
        endAtOnce();
      })
      .catch(broke);
  };
  const bug = (error: Error): Failure =>
    createFailure('INTERNAL_ERROR', { message: `the process actor broke: ${error.message}`, generation });

  const start = async () => {
    phase = 'spawning';
    let child: ChildProcessWithoutNullStreams;
    try {
      launch = await prepareLaunch(context, ports, input, cookie);
      await ledger.intend({ plugin, generation, cookie, engine: launch.engine });
      if (asked) return finish();
      child = await spawnChild(launch);
    } catch (thrown) {
      const failure = failureOf(thrown, (error) =>
        launch && isSystemError(error) ? spawnFailure(error, launch.command, generation) : bug(error),
      );
      send({ type: 'process.failed', generation, failure: { ...failure, generation } });
      return finish();
    }
    await run(child, launch);
  };

  const run = async (child: ChildProcessWithoutNullStreams, { address, secrets, confined }: Launch) => {
    const pid = child.pid!;
    const family = { groups: [pid], cookies: [cookie] };
    const closed = new Promise((resolve) => child.once('close', resolve));
    context.guard.watch(pid, cookie);
    const { attempt, environment } = input;
    const speaksOnStdout = [attempt.transport, environment.plan.transport].every((t) => t === 'stdio' || t === 'auto');
    const redact = createRedactor([...secrets, ...loginOf(input.spec)]);
    const { exitOf } = confined;
    const parts = { context, plugin, generation, child, pid, family, address, redact, exitOf, speaksOnStdout };
    const handle = createHandle(parts);
    running = { handle, family };
    phase = 'running';
    context.instances.set(plugin, {
      generation,
      environment: dirname(environment.dir),
      process: handle,
      session: null,
      noise: null,
    });
    // A command that came between the last look and the spawn.
    if (asked) signal('SIGKILL');
    const leader = processIdentity(pid);
    if (leader) {
      // Its intent is on the disk already, so the cookie finds it; the host need not fail for the rest.
      recorded = ledger.record(cookie, leader).catch((error) => {
        context.log.warn({ plugin, generation, err: error }, 'the ledger did not take a process');
      });
      await recorded;
    }
    send({ type: 'process.spawned', generation, pid });
    confined.watch(family, breached);
    const exit = await handle.exited;
    confined.rest();
    await Promise.race([closed, delay(DRAIN, undefined, { ref: false })]);
    handle.release();
    // Whoever reads its last output, or the end of it, is heard first: a server that hangs up may only want another start.
    await nextTurn();
    const stderrTail = handle.stderrTail();
    const noise = context.instances.get(plugin)?.noise ?? null;
    const cause = asked ? explainSilence(noise) : await explainExit(context, environment.plan, stderrTail, exit);
    if (phase !== 'running') return;
    const breach = asked ? null : confined.breachBy(exit, stderrTail);
    if (breach !== null) breached(breach);
    send({ type: 'process.exited', generation, exit, stderrTail, cause });
    awaitEmpty(family);
  };

  /** Once: what follows from the first limit that was broken is no further failure. */
  const breached = (failure: Failure) => {
    if (hasBreached) return;
    hasBreached = true;
    const stderrTail = running?.handle.stderrTail().slice(-20) ?? [];
    send({ type: 'process.breached', generation, failure: { ...failure, generation, stderrTail } });
  };

  /** Begins anew at each command, so that its effect is seen soon. */
  const awaitEmpty = (family: Family, timeout = Number.POSITIVE_INFINITY) => {
    phase = 'emptying';
    waiting.abort();
    waiting = new AbortController();
    const { signal } = waiting;
    const onSurvivors = () => {
      if (killing) signalFamily(family, 'SIGKILL');
    };
    guarded(async () => {
      if (await untilGone(family, { signal, timeout, onSurvivors })) await finish();
    });
  };

  const finish = async () => {
    if (phase === 'over') return;
    phase = 'over';
    if (running) context.guard.unwatch(running.handle.pid);
    forget();
    await launch?.dispose();
    await recorded;
    await ledger.clear(cookie).catch((error) => {
      context.log.warn({ plugin, generation, err: error }, 'the ledger did not forget a process');
    });
    send({ type: 'group.empty', generation });
  };

  const forget = () => {
    if (running && context.instances.get(plugin)?.process === running.handle) context.instances.delete(plugin);
  };

  const signal = (name: 'SIGTERM' | 'SIGKILL') => {
    if (!running) return;
    running.handle.closeInput();
    if (name === 'SIGKILL') {
      killing = true;
      launch?.confined.kill();
    }
    signalFamily(running.family, name);
    if (phase === 'emptying') awaitEmpty(running.family);
  };

  const abandon = () => {
    const pids = running ? familyPids(running.family) : [];
    if (pids.length === 0) return finish();
    // Guard and ledger keep them in mind: they are ended by whoever can, later.
    phase = 'over';
    abandoned = true;
    waiting.abort();
    launch?.confined.rest();
    running?.handle.release();
    forget();
    send({ type: 'group.abandoned', generation, pids });
  };

  const endAtOnce = () => {
    asked = true;
    if (!running) {
      if (phase === 'new') phase = 'over';
      return;
    }
    signal('SIGKILL');
    running.handle.release();
    // Nobody is left to give up on what the kernel doesn't let go of, and waiting keeps the host program alive.
    awaitEmpty(running.family, KILL_TAKES_AT_MOST);
  };

  const obey = (command: ProcessCommand) => {
    if (command.type === 'spawn') return phase === 'new' ? start() : undefined;
    asked = true;
    // Nothing was spawned, or all of it is gone: said again to whoever asks again.
    if (phase === 'new') return finish();
    if (phase === 'spawning') return; // `start` sees `asked`
    if (phase === 'over') {
      if (command.type === 'sweep' && !abandoned) send({ type: 'group.empty', generation });
      return;
    }
    switch (command.type) {
      case 'input.close':
        return running?.handle.closeInput();
      case 'signal':
        return signal(command.signal);
      case 'sweep':
        return signal('SIGKILL');
      case 'abandon':
        return abandon();
    }
  };

  return {
    obey: (command) => guarded(() => obey(command)),
    discard: () => {
      if (phase !== 'over') guarded(endAtOnce);
    },
  };
}

/** Rejects with the system's error. Its own session and group; stdio by pipes. */
async function spawnChild({ command, env }: Launch): Promise<ChildProcessWithoutNullStreams> {
  const { program, args, cwd } = command;
  const child = spawn(program, args, { cwd, env: { ...env }, detached: true, stdio: 'pipe' });
  if (child.pid === undefined) {
    const [error] = await once(child, 'error');
    throw error;
  }
  child.on('error', () => undefined);
  return child;
}

const isSystemError = (error: NodeJS.ErrnoException): boolean => error.syscall?.startsWith('spawn') === true;
