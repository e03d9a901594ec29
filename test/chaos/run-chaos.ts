/**
 * A seeded script of misfortunes upon a real supervisor in a process of its own, with calls throughout; after each step,
 * once all has come to rest, what must always hold is checked. Linux.
 */

import { appendFileSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PluginOptions, PluginStatus, SupervisorOptions } from '../../src/options.ts';
import { createAccounts, createTail } from '../support/accounts.ts';
import { type Carrier, carriersOf, hashOf } from '../support/carriers.ts';
import { listIfThere, readIfThere } from '../support/if-there.ts';
import { createSeeded } from '../support/seeded.ts';
import { type Answer, type DrivenHost, startHost } from './driven-host.ts';
import type { Command, FromHost } from './host.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly plugins: number;
  /** Ends after so many steps, or after so many minutes. */
  readonly steps?: number;
  readonly minutes?: number;
  /** Folder of `fixtures/processes`. */
  readonly fixtures: string;
  /** Script that runs `runHost` when it is given `--host`. */
  readonly host: string;
  readonly onStep?: (step: number, events: readonly string[]) => void;
}

export interface ChaosReport {
  readonly steps: number;
  readonly events: Readonly<Record<string, number>>;
  readonly calls: Readonly<Record<string, number>>;
  readonly violations: readonly string[];
  /** Every event and what the host said, for whoever looks for the cause. */
  readonly history: readonly string[];
}

/** Milliseconds after which what ought to happen is taken for hung; nothing else depends on it. */
const PATIENCE = 90_000;
const patience = () => sleep(PATIENCE, undefined, { ref: false });
const HOUR = 3_600_000;

const OPTIONS: SupervisorOptions = {
  // Every grace that a stopped or deaf program uses up; shorter, so that a step takes seconds.
  timing: { drain: 500, inputClose: 300, terminate: 300 },
  restartPolicy: { minDelay: 50, maxDelay: 1000, maxCrashes: 30 },
  defaults: { install: [], build: [], idleStop: false },
};

export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const seeded = createSeeded(options.seed);
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'mcps-chaos-')));
  const [home, tmp, source] = [join(root, 'home'), join(root, 'tmp'), join(root, 'source')];
  mkdirSync(tmp);
  cpSync(join(options.fixtures, 'mcp'), source, { recursive: true });
  const env = { ...process.env, TMPDIR: tmp };

  const names = Array.from({ length: options.plugins }, (_, index) => `p${index}`);
  const logOf = (name: string) => join(root, `${name}.log`);
  const optionsOf = (name: string, index: number): PluginOptions => ({
    source,
    env: { LOG: logOf(name) },
    restart: index % 4 === 1 ? 'permanent' : 'transient',
    ...(index % 3 === 2
      ? { command: ['node', 'witness-http.mjs'], transport: 'streamable-http', endpoint: '/mcp' }
      : { command: ['node', 'witness.mjs'] }),
  });
  const plugins = Object.fromEntries(names.map((name, index) => [name, optionsOf(name, index)]));

  const begun = performance.now();
  const violations: string[] = [];
  const history: string[] = [];
  const note = (line: string) => history.push(`${((performance.now() - begun) / 1000).toFixed(3)} ${line}`);
  const wrong = (line: string) => {
    note(`WRONG ${line}`);
    violations.push(line);
  };
  const counts: Record<string, number> = {};
  const accounts = createAccounts();
  const tails = names.map((name) => [name, createTail(() => readIfThere(logOf(name)))] as const);

  // ---- the supervisor of the hour, and what is known of it ----

  function hear(message: FromHost) {
    switch (message.said) {
      case 'settled':
        return accounts.settle(message.token, message.outcome);
      case 'state':
        return note(`  ${message.plugin} ${message.state} ${message.generation}`);
      case 'complaint':
        // What is logged as an error is a bug of ours or the full disk.
        note(`  complaint: ${message.text}`);
        if (!full && !message.text.includes('ENOSPC')) wrong(`the supervisor complained: ${message.text}`);
    }
  }
  const fresh = () => startHost(options.host, { ...OPTIONS, home, plugins }, env, hear);
  let host: DrivenHost = fresh();
  /** Stopped by the operator, at this generation: stays so until the operator says otherwise. */
  const stopped = new Map<string, number>();
  /** Under SIGSTOP by us. */
  const frozen = new Set<string>();
  const thieves: Server[] = [];
  let full = false;
  let answers: Promise<unknown>[] = [];

  async function statuses(): Promise<readonly PluginStatus[]> {
    const answer = await host.ask({ do: 'status' });
    return answer === 'gone' ? [] : (answer.value as readonly PluginStatus[]);
  }
  const statusOf = async (name: string) => (await statuses()).find((status) => status.name === name);
  const carriers = (name: string) => carriersOf(home).filter(({ plugin }) => plugin === hashOf(name));

  async function until(what: string, look: () => boolean | Promise<boolean>): Promise<boolean> {
    for (const end = performance.now() + PATIENCE; performance.now() < end; await sleep(20))
      if (await look()) return true;
    wrong(`in vain: ${what}`);
    note(JSON.stringify(await Promise.race([statuses(), sleep(2000)])));
    note(JSON.stringify(carriersOf(home)));
    return false;
  }

  /** Never rejects, and must end. */
  async function command(name: string, what: Command): Promise<Answer> {
    const answer = await Promise.race([host.ask({ do: 'command', command: what, plugin: name }), patience()]);
    note(`  ${what} ${name}: ${answer === 'gone' ? answer : (answer?.code ?? 'done')}`);
    if (answer === undefined) wrong(`${what} ${name} never ended`);
    else if (answer !== 'gone' && answer.code?.startsWith('BUG')) wrong(`${what} ${name}: ${answer.code}`);
    return answer ?? 'gone';
  }

  // ---- calls throughout ----

  let calling = true;
  function call(name: string, tool: string, more: object = {}, timeout = 3000): string {
    const token = accounts.open(name);
    if (host.alive()) host.tell({ do: 'call', plugin: name, token, tool, more, timeout });
    else accounts.settle(token, { kind: 'orphaned' });
    return token;
  }
  async function callers(): Promise<void> {
    const chance = createSeeded(options.seed + 1);
    while (calling) {
      if (accounts.pending().length < 60) {
        call(chance.pick(names), chance.chance(0.3) ? 'late' : 'echo', { ms: chance.below(50) });
      }
      await sleep(chance.below(30));
    }
  }

  // ---- misfortunes ----

  const leaderOf = (name: string): Carrier | undefined => carriers(name).find(({ pid, group }) => pid === group);
  const signal = (pid: number, name: NodeJS.Signals) => {
    try {
      process.kill(pid, name);
    } catch {
      // It was quicker.
    }
  };

  const misfortunes: Readonly<Record<string, (name: string) => unknown>> = {
    kill(name) {
      const leader = leaderOf(name);
      if (leader !== undefined) signal(leader.pid, seeded.pick(['SIGKILL', 'SIGSEGV', 'SIGTERM']));
    },
    freeze(name) {
      const leader = leaderOf(name);
      if (leader === undefined) return;
      frozen.add(name);
      signal(-leader.pid, 'SIGSTOP');
    },
    async hiccup(name) {
      const leader = leaderOf(name);
      if (leader === undefined) return;
      signal(-leader.pid, 'SIGSTOP');
      await sleep(seeded.below(800));
      signal(-leader.pid, 'SIGCONT');
    },
    mute: (name) => void call(name, 'die', { how: 'mute' }),
    exit: (name) => void call(name, 'die', { how: 'exit', by: seeded.pick([0, 1, 137]) }),
    hang: (name) => void call(name, 'die', { how: 'hang' }),
    async grandchild(name) {
      call(name, 'child', { escaped: seeded.chance(0.5) });
      await sleep(100);
      const kin = carriers(name).filter(({ pid, group }) => pid !== group || pid !== leaderOf(name)?.pid);
      if (kin.length > 0 && seeded.chance(0.5)) signal(seeded.pick(kin).pid, 'SIGKILL');
    },
    async 'disk full'(name) {
      full = true;
      host.tell({ do: 'fill', full });
      call(name, 'die', { how: 'exit', by: 1 });
      await sleep(seeded.below(1500));
    },
    async 'port theft'(name) {
      const port = Number(new URL((await statusOf(name))?.url ?? 'none:').port);
      misfortunes.kill!(name);
      if (!(port > 0)) return;
      const thief = createServer((socket) => socket.on('error', () => undefined));
      thief.on('error', () => undefined);
      // Until the dying program has let go of it.
      for (let tries = 0; tries < 20 && !thief.listening; tries += 1) {
        thief.listen(port, '127.0.0.1');
        await sleep(10);
      }
      thieves.push(thief);
    },
    'clock shift': () => host.tell({ do: 'skew', by: seeded.pick([-HOUR, 0, HOUR]) }),
    'held up': () => host.tell({ do: 'block', ms: 200 + seeded.below(2000) }),
    'source changed'() {
      for (const file of ['witness.mjs', 'witness-http.mjs']) appendFileSync(join(source, file), '// again\n');
    },
    operator(name) {
      stopped.delete(name);
      const asked = Array.from({ length: 1 + seeded.below(3) }, () => ask(name));
      return asked;
      function ask(plugin: string) {
        const what = seeded.pick<Command>(['start', 'stop', 'stop', 'restart', 'reset', 'remove', 'add']);
        answers.push(command(plugin, what));
      }
    },
    async stop(name) {
      const answer = await command(name, 'stop');
      if (answer === 'gone' || answer.code === 'CONFIG_UNKNOWN_PLUGIN') return;
      if (answer.code !== null && answer.code !== 'STOP_ABANDONED') wrong(`stop ${name} ended with ${answer.code}`);
      const status = await statusOf(name);
      if (status === undefined) return;
      // Another step's commands may still be under way.
      if (answers.length === 0 && answer.code === null) stopped.set(name, status.generation);
    },
    async 'supervisor killed'() {
      const withGuard = seeded.chance(0.3);
      const old = host;
      await old.kill(withGuard);
      for (const token of accounts.pending()) accounts.settle(token, { kind: 'orphaned' });
      full = false;
      stopped.clear();
      note(`  pid ${old.pid} is gone${withGuard ? ' and its guard' : ''}`);
      if (!withGuard && seeded.chance(0.5)) {
        await until('the end of the orphans', () => carriersOf(home).every(({ owner }) => owner !== old.pid));
      }
      host = fresh();
      // Whoever starts first cleans up: without a guard nobody else does.
      await command(names[0]!, 'start');
      await until('the end of the orphans', () => carriersOf(home).every(({ owner }) => owner !== old.pid));
    },
  };
  const kinds = Object.keys(misfortunes);

  // ---- what must always hold ----

  /** Two looks, because a list of processes is no moment's picture. */
  function oneGenerationEach(): void {
    const several = (seen: readonly Carrier[]) =>
      names.flatMap((name) => {
        const live = seen.filter(({ plugin, generation }) => plugin === hashOf(name) && generation > 0);
        const keys = new Set(live.map(({ owner, generation }) => `${owner}.${generation}`));
        return keys.size > 1 ? [...live] : [];
      });
    const first = several(carriersOf(home));
    if (first.length === 0) return;
    const keys = new Set(first.map(({ pid, startTime }) => `${pid}.${startTime}`));
    const still = several(carriersOf(home)).filter(({ pid, startTime }) => keys.has(`${pid}.${startTime}`));
    // Of a killed supervisor the guard ends what the next one has not started again.
    const ours = still.filter(({ owner }) => owner === host.pid);
    if (
      new Set(ours.map(({ plugin, generation }) => `${plugin}.${generation}`)).size >
      new Set(ours.map(({ plugin }) => plugin)).size
    )
      wrong(`two generations at once: ${JSON.stringify(ours)}`);
  }

  async function restore(): Promise<void> {
    full = false;
    host.tell({ do: 'fill', full });
    for (const thief of thieves.splice(0)) thief.close();
  }

  async function checkRest(): Promise<void> {
    await until('the end of every command', async () => {
      const done = await Promise.race([Promise.all(answers).then(() => true), sleep(100)]);
      return done === true;
    });
    answers = [];
    await until('the settlement of every call', () => accounts.pending().length === 0);
    const RESTING = ['absent', 'ready', 'idle', 'crashed'];
    await until('rest', async () => (await statuses()).every(({ state }) => RESTING.includes(state)));
    for (const name of names) await checkPlugin(name);
    violations.push(...accounts.judge(new Map(tails.map(([name, read]) => [name, read()]))));
  }

  async function checkPlugin(name: string): Promise<void> {
    const status = await statusOf(name);
    if (status === undefined) return;
    const { state, subState, generation, pid, failure } = status;
    // What moves on between the look at it and the look at the processes is looked at again.
    const unchanged = async () => {
      const now = await statusOf(name);
      return now?.since === status.since && now.state === state && now.subState === subState;
    };
    const found = carriers(name);
    if (state === 'ready' || state === 'idle') {
      const own = found.some((each) => each.pid === pid && each.generation === generation);
      if (!own && (await unchanged())) {
        await sleep(500);
        if (await unchanged()) wrong(`${name} is ${state} without its process ${pid}: ${JSON.stringify(found)}`);
      }
    } else if ((state === 'absent' && subState !== 'checking') || state === 'crashed') {
      const live = found.filter(({ generation: of }) => of > 0);
      const abandoned = failure?.code === 'STOP_ABANDONED';
      if (live.length > 0 && !abandoned && (await unchanged()))
        wrong(`${name} is ${state} with processes: ${JSON.stringify(live)}`);
    }
    const held = stopped.get(name);
    if (held !== undefined && (state !== 'absent' || generation !== held)) {
      wrong(`${name} was stopped at generation ${held} and is ${state} at ${generation}`);
    }
  }

  /** Every plugin can be had again. */
  async function checkUse(): Promise<void> {
    stopped.clear();
    await Promise.all(
      names.map(async (name) => {
        if ((await statusOf(name)) === undefined) await command(name, 'add');
        let answer = await command(name, frozen.has(name) ? 'restart' : 'start');
        // One that hangs is ready until something asks it.
        for (let tries = 0; tries < 3; tries += 1) {
          if (answer === 'gone') return;
          if (answer.code === null && (await answersTo(name))) return;
          answer = await command(name, 'restart');
        }
        wrong(`${name} can't be brought to ready: ${JSON.stringify(answer)}, ${JSON.stringify(await statusOf(name))}`);
      }),
    );
    frozen.clear();
  }

  async function answersTo(name: string): Promise<boolean> {
    const before = accounts.told().answered ?? 0;
    const token = call(name, 'echo');
    await until(`the settlement of ${token}`, () => !accounts.pending().includes(token));
    return (accounts.told().answered ?? 0) > before;
  }

  // ---- the script ----

  let watching = true;
  const watch = async () => {
    for (; watching; await sleep(150)) oneGenerationEach();
  };
  const watched = watch();
  let step = 0;
  const isOver = () =>
    violations.length > 0 ||
    (options.steps !== undefined && step >= options.steps) ||
    (options.minutes !== undefined && performance.now() - begun > options.minutes * 60_000);
  try {
    await checkUse();
    while (!isOver()) {
      step += 1;
      const chosen = Array.from(
        { length: 1 + seeded.below(3) },
        () => [seeded.pick(kinds), seeded.pick(names)] as const,
      );
      const events = chosen.map((pair) => pair.join(' '));
      note(`STEP ${step}: ${events.join(', ')}`);
      options.onStep?.(step, events);
      calling = true;
      const called = callers();
      await sleep(seeded.below(300));
      for (const [kind, name] of chosen) {
        counts[kind] = (counts[kind] ?? 0) + 1;
        await misfortunes[kind]!(name);
      }
      await sleep(seeded.below(500));
      calling = false;
      await called;
      await restore();
      await checkRest();
      if (violations.length === 0 && (step % 4 === 0 || options.steps === step)) {
        note('USE');
        await checkUse();
      }
    }
  } catch (error) {
    wrong(`chaos itself broke: ${(error as Error).stack}`);
  }
  calling = false;
  watching = false;
  await watched;
  const closed = await Promise.race([host.ask({ do: 'close' }), patience()]);
  if (closed === undefined) wrong('close never ended');
  const left = carriersOf(home);
  if (left.length > 0) wrong(`outlived close: ${JSON.stringify(left)}`);
  const files = ['ledger', 'tmp'].flatMap((folder) =>
    listIfThere(join(home, folder)).map((name) => `${folder}/${name}`),
  );
  if (files.length > 0) wrong(`left in the home: ${files.join(', ')}`);
  await Promise.race([host.release(), sleep(20_000, undefined, { ref: false })]);
  if (host.alive()) {
    wrong('the supervisor process does not end by itself after close');
    await host.kill(false);
  }
  for (const thief of thieves) thief.close();
  for (const { pid } of carriersOf(home)) signal(pid, 'SIGKILL');
  rmSync(root, { recursive: true, force: true, maxRetries: 3 });
  return { steps: step, events: counts, calls: accounts.told(), violations, history };
}
