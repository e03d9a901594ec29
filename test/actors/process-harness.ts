/** One process actor on a real fixture program, with a real store, guard and ledger; the test is its machine. */

import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { createActor, createMachine } from 'xstate';
import type { ActorContext, ProcessHandle } from '../../actors/context.ts';
import { createGuard } from '../../actors/guard.ts';
import { createProcessActor } from '../../actors/process.ts';
import { createStore } from '../../actors/store/create-store.ts';
import type { Launcher, LaunchPlan, PluginSpec } from '../../launchers/plan.ts';
import type { Attempt, ProcessCommand, ProcessEvent, ProcessInput } from '../../machines/contracts.ts';
import { createSecrets } from '../../src/credential.ts';
import { samplePlan, sampleSpec } from '../../src/testing/samples.ts';
import { createHome } from '../support/home.ts';

export const programs = fileURLToPath(new URL('../../fixtures/processes', import.meta.url));

export interface Harness extends AsyncDisposable {
  readonly context: ActorContext;
  /** `plugin stream text` of every line that reached the log. */
  readonly output: string[];
  /** What was logged as a warning or an error. */
  readonly complaints: string[];
  run(command: readonly string[], more?: Partial<Start>): Run;
}

export interface Start {
  readonly plugin: string;
  readonly generation: number;
  readonly plan: Partial<LaunchPlan>;
  readonly attempt: Partial<Attempt>;
  readonly env: Readonly<Record<string, string>>;
  readonly programs: Readonly<Record<string, string>>;
  readonly dir: string;
  readonly spec: Partial<PluginSpec>;
}

export interface Run {
  readonly events: ProcessEvent[];
  send(command: ProcessCommand): void;
  /** The event of that type, once it has come. */
  until<Type extends ProcessEvent['type']>(type: Type): Promise<Extract<ProcessEvent, { type: Type }>>;
  /** Resolves with the line once a line of either stream contains the text. */
  line(text: string): Promise<string>;
  handle(): ProcessHandle;
  /** As when its machine breaks: XState stops the actor. */
  stop(): void;
}

/** Spawned, and `ready` printed. */
export async function started(run: Run): Promise<ProcessHandle & { readonly pid: number }> {
  run.send({ type: 'spawn' });
  await run.until('process.spawned');
  await run.line('ready');
  return run.handle() as ProcessHandle & { readonly pid: number };
}

const patient = { timeout: 30_000, interval: 5 };

export async function createHarness(options: { launchers?: readonly Launcher[] } = {}): Promise<Harness> {
  const home = await createHome();
  const output: string[] = [];
  const complaints: string[] = [];
  const complain = (fields: object, message: string) => complaints.push(`${message} ${JSON.stringify(fields)}`);
  const context: ActorContext = {
    store: createStore({ home: home.path }),
    log: { debug() {}, info() {}, warn: complain, error: complain },
    launchers: async () => options.launchers ?? [],
    runtimes: { check: async () => [], provide: () => Promise.reject(new Error('no runtimes here')) },
    guard: createGuard(),
    instances: new Map(),
    output: ({ plugin, stream, text }) => output.push(`${plugin} ${stream} ${text}`),
    callerEnv: home.env,
    limits: { maxMessage: 10_484_736, maxResult: 16_777_216, maxFiles: 200_000, maxSource: 1_073_741_824 },
  };
  const logic = createProcessActor(context);
  const actors = new Set<{ stop(): void }>();
  return {
    context,
    output,
    complaints,
    run: (command, start = {}) => {
      const events: ProcessEvent[] = [];
      const listeners = new Set<() => void>();
      const heard = (event: ProcessEvent) => {
        events.push(event);
        for (const listener of listeners) listener();
      };
      const input = inputOf(command, start);
      const parent = createActor(
        createMachine({
          invoke: { id: 'process', src: logic, input },
          on: { '*': { actions: ({ event }) => heard(event as ProcessEvent) } },
        }),
      ).start();
      actors.add(parent);
      // Not polled: a thousand restarts would spend their time on it.
      const until: Run['until'] = (type) =>
        new Promise((resolve, reject) => {
          const look = () => {
            const event = events.find((each) => each.type === type);
            if (event === undefined) return;
            clearTimeout(timer);
            listeners.delete(look);
            resolve(event as never);
          };
          const givesUp = () => reject(new Error(`no ${type} among ${JSON.stringify(events)}`));
          const timer = setTimeout(givesUp, patient.timeout);
          listeners.add(look);
          look();
        });
      return {
        events,
        until,
        send: (each) => parent.getSnapshot().children.process?.send(each as never),
        line: (text) =>
          vi.waitFor(() => {
            const line = output.find((each) => each.startsWith(`${input.plugin} `) && each.includes(text));
            if (line !== undefined) return line;
            throw new Error(`no line with "${text}" among ${JSON.stringify(output.slice(-20))}`);
          }, patient),
        handle: () => context.instances.get(input.plugin)!.process,
        stop: () => {
          parent.stop();
          actors.delete(parent);
        },
      };
    },
    [Symbol.asyncDispose]: async () => {
      for (const actor of actors) actor.stop();
      await vi.waitFor(() => {
        if (context.instances.size > 0) throw new Error('a process was left by a test');
      }, patient);
      context.guard.close();
      await context.store.ledger.close();
      await home[Symbol.asyncDispose]();
    },
  };
}

export const plan = samplePlan({
  launcher: 'fixture',
  tools: [],
  start: [],
  transport: 'auto',
  port: { env: [], args: [], fixed: null },
  evidence: [],
});

export function inputOf(command: readonly string[], start: Partial<Start> = {}): ProcessInput {
  const [program = '', ...args] = command;
  const dir = start.dir ?? programs;
  return {
    plugin: start.plugin ?? 'p',
    generation: start.generation ?? 1,
    spec: sampleSpec({
      source: { kind: 'folder', path: dir, subdir: '' },
      env: createSecrets(start.env ?? {}),
      idleStop: null,
      ...start.spec,
    }),
    environment: {
      key: 'k',
      dir,
      programs: { node: process.execPath, ...start.programs },
      path: [],
      rung: null,
      fallbacks: [],
      plan: { ...plan, start: [{ id: 'test', command: { program, args, cwd: '' }, entry: null }], ...start.plan },
    },
    attempt: {
      candidate: 0,
      port: 'none',
      transport: 'auto',
      endpoint: null,
      era: 'auto',
      dependencies: 'declared',
      runtime: 'declared',
      ...start.attempt,
    },
  };
}
