/** Install actors on real folders, with a real store, guard and runtimes; the launcher is the test's own. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createActor, createMachine } from 'xstate';
import type { ActorContext } from '../../actors/context.ts';
import { createGuard } from '../../actors/guard.ts';
import { createInstallActor } from '../../actors/install.ts';
import { createRuntimes } from '../../actors/runtimes.ts';
import { createStore } from '../../actors/store/create-store.ts';
import type { CauseKind, Command, Launcher, LaunchPlan } from '../../launchers/plan.ts';
import type { Environment, InstallInput, JobEnded, JobResult } from '../../machines/contracts.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { plan as nothing, inputOf as processInputOf } from './process-harness.ts';

export interface Harness extends AsyncDisposable {
  readonly home: TestHome;
  readonly context: ActorContext;
  /** Every line that a step printed. */
  readonly output: string[];
  /** What was logged as a warning. */
  readonly warnings: string[];
  /** A checkout with these files. */
  checkout(files: Readonly<Record<string, string>>, name?: string): Promise<string>;
  install(dir: string, plan: Partial<LaunchPlan>, more?: Partial<InstallInput>): Install;
  /** Another supervisor on the same home. */
  another(): Harness;
}

export interface Install {
  readonly result: Promise<JobResult<Environment>>;
  cancel(): void;
}

/** Reads the cause from the output: `CAUSE=<kind>`, or npm's own words. */
export const launcher: Launcher = {
  id: 'fixture',
  detect: () => true,
  plan: () => nothing,
  resolve: (view, plan) =>
    view.has('prefers-main') ? { ...plan, start: plan.start.filter(({ id }) => id === 'main') } : plan,
  explain(said) {
    const kind: string | undefined =
      /CAUSE=([a-z-]+)/.exec(said)?.[1] ?? (/in sync/.test(said) ? 'lock-out-of-date' : 'unknown');
    return { kind: kind as CauseKind, detail: `The output says ${kind}.`, hint: `Cure ${kind}.` };
  },
};

/** `launchers` know the plans again when they are explained and resolved: the test's own when left out. */
export async function createHarness(
  callerEnv: Readonly<Record<string, string>> = {},
  launchers: readonly Launcher[] = [launcher],
): Promise<Harness> {
  return harnessIn(await createHome(callerEnv), [], { launchers });
}

/** With a caller whose environment is `env` alone, and who may be offline. */
export async function createHarnessOf(
  env: (home: TestHome) => Readonly<Record<string, string>>,
  { offline = false }: { readonly offline?: boolean } = {},
): Promise<Harness> {
  const home = await createHome();
  return harnessIn({ ...home, env: env(home) }, [], { offline });
}

interface HarnessOptions {
  readonly offline?: boolean;
  readonly launchers?: readonly Launcher[];
}

function harnessIn(home: TestHome, others: Harness[], options: HarnessOptions): Harness {
  const { offline = false, launchers = [launcher] } = options;
  const output: string[] = [];
  const warnings: string[] = [];
  const log = { debug() {}, info() {}, warn: (_: object, text: string) => void warnings.push(text), error() {} };
  const shared = {
    store: createStore({ home: home.path }),
    log,
    guard: createGuard(),
    output: ({ text }: { text: string }) => void output.push(text),
    callerEnv: home.env,
    offline,
  };
  const context: ActorContext = {
    ...shared,
    launchers: async () => launchers,
    runtimes: createRuntimes(shared),
    instances: new Map(),
    limits: { maxMessage: 10_484_736, maxResult: 16_777_216, maxFiles: 200_000, maxSource: 1_073_741_824 },
  };
  const logic = createInstallActor(context);
  return {
    home,
    context,
    output,
    warnings,
    async checkout(files, name = 'checkout') {
      const dir = join(home.root, name);
      await mkdir(dir, { recursive: true });
      for (const [path, text] of Object.entries(files)) {
        await mkdir(dirname(join(dir, path)), { recursive: true });
        await writeFile(join(dir, path), text);
      }
      return dir;
    },
    install(dir, plan, more = {}) {
      const input = inputOf(dir, plan, more);
      let settle = (_: JobResult<Environment>) => {};
      const result = new Promise<JobResult<Environment>>((resolve) => {
        settle = resolve;
      });
      const parent = createActor(
        createMachine({
          invoke: { id: 'install', src: logic, input },
          on: { 'job.ended': { actions: ({ event }) => settle((event as JobEnded).result as JobResult<Environment>) } },
        }),
      ).start();
      return { result, cancel: () => parent.getSnapshot().children.install?.send({ type: 'job.cancel' } as never) };
    },
    another() {
      const other = harnessIn(home, others, options);
      others.push(other);
      return other;
    },
    [Symbol.asyncDispose]: async () => {
      for (const each of [context, ...others.map((other) => other.context)]) {
        each.guard.close();
        await each.store.ledger.close();
      }
      await expectNothingLeft(home).finally(() => home[Symbol.asyncDispose]());
    },
  };
}

function inputOf(dir: string, plan: Partial<LaunchPlan>, more: Partial<InstallInput>): InstallInput {
  const { spec } = processInputOf([]);
  return {
    plugin: 'p',
    spec,
    checkout: { dir, commit: 'c1', committedAt: null },
    plan: { ...nothing, ...plan },
    dependencies: 'declared',
    runtime: 'declared',
    because: null,
    ...more,
  };
}

export async function done(install: Install): Promise<Environment> {
  const result = await install.result;
  if (result.status === 'done') return result.value;
  throw new Error(`the install ended as ${JSON.stringify(result, null, 2)}`);
}

export async function failed(install: Install) {
  const result = await install.result;
  if (result.status === 'failed') return result.failure;
  throw new Error(`the install ended as ${JSON.stringify(result, null, 2)}`);
}

export const command = (program: string, ...args: string[]): Command => ({ program, args, cwd: '' });

/** A command that is a line of shell. */
export const sh = (line: string): Command => command('sh', '-c', line);

/** A start candidate that needs this file. */
export const starts = (entry: string | null, id = 'bin') => ({ id, command: command('node', entry ?? '-v'), entry });

export const text = (path: string): Promise<string> => readFile(path, 'utf8');
