/** One probe actor beside the real process actor, on a fixture program; the test is their machine. */

import { vi } from 'vitest';
import { createActor, createMachine } from 'xstate';
import type { Session } from '../../actors/context.ts';
import { createProbeActor } from '../../actors/probe.ts';
import type { ProbeEvent, ProbeInput } from '../../machines/contracts.ts';
import { type Harness, inputOf, type Run, type Start } from './process-harness.ts';

export interface Probed {
  readonly run: Run;
  readonly input: ProbeInput;
  readonly events: ProbeEvent[];
  /** The probe's verdict. */
  event(): Promise<ProbeEvent>;
  ready(): Promise<Extract<ProbeEvent, { type: 'probe.ready' }>>;
  failed(): Promise<Extract<ProbeEvent, { type: 'probe.failed' }>>;
  session(): Session;
  /** As when the machine leaves the state. */
  leave(): void;
}

export interface ProbeStart extends Start {
  readonly protocol: ProbeInput['spec']['protocol'];
}

/** Spawns the program and, when it runs, probes it. */
export async function probe(
  harness: Harness,
  command: readonly string[],
  start: Partial<ProbeStart> = {},
): Promise<Probed> {
  const run = harness.run(command, start);
  run.send({ type: 'spawn' });
  await run.until('process.spawned');
  const { protocol = 'auto', ...rest } = start;
  const made = inputOf(command, rest);
  const input: ProbeInput = { ...made, spec: { ...made.spec, protocol } };
  const events: ProbeEvent[] = [];
  const parent = createActor(
    createMachine({
      invoke: { id: 'probe', src: createProbeActor(harness.context), input },
      on: { '*': { actions: ({ event }) => void events.push(event as ProbeEvent) } },
    }),
  ).start();
  const event = () =>
    vi.waitFor(
      () => {
        const verdict = events.find(({ type }) => type !== 'probe.listening');
        if (verdict) return verdict;
        throw new Error(`the probe says nothing; the program says ${JSON.stringify(harness.output.slice(-5))}`);
      },
      { timeout: 30_000, interval: 5 },
    );
  const eventOf = async (type: ProbeEvent['type']) => {
    const first = await event();
    if (first.type === type) return first as never;
    throw new Error(`not ${type} but ${JSON.stringify(first)}`);
  };
  return {
    run,
    input,
    events,
    event,
    ready: () => eventOf('probe.ready'),
    failed: () => eventOf('probe.failed'),
    session: () => harness.context.instances.get(input.plugin)!.session!,
    leave: () => parent.stop(),
  };
}
