/**
 * The real broker over the real machines, with scripted actors. Both have a clock of their own, and whose timer fires
 * first is drawn at random: every order in which a call, an idle timer and the end of a process can meet.
 */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Instance, Session } from '../../actors/context.ts';
import { stateName } from '../../machines/states.ts';
import { createBroker, defaultBrokerTiming } from '../../src/broker.ts';
import { createHarness } from '../../src/testing/harness.ts';

const RUNS = 10_000;
const STEPS = 14;
/** In a row on one plugin. */
const ROUNDS = 50;

/** Numerical Recipes' generator: small, and the same everywhere. */
function createRandom(seed: number) {
  let state = seed >>> 0;
  return (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** One plugin that is ready, whose calls are answered when the test says so. */
async function createWorld(trace: boolean) {
  const harness = createHarness();
  const instances = new Map<string, Instance>();
  const answers: (() => void)[] = [];
  const broker = createBroker({
    send: (command) => harness.send(command),
    view: (plugin) => {
      const snapshot = harness.child(plugin)?.getSnapshot();
      if (snapshot === undefined) return null;
      const { generation } = snapshot.context;
      return { open: snapshot.hasTag('open'), generation, state: stateName(snapshot.value) };
    },
    instances,
    callTimeout: () => undefined,
    timing: defaultBrokerTiming,
    trace,
  });
  // A session comes with each generation that is ready; its process has gone when the plugin left service.
  let live = 0;
  harness.actor.on('*', (event) => {
    if (event.type === 'plugin.entered' && event.state === 'ready' && live !== event.generation) {
      live = event.generation;
      const session = { generation: live, closed: new Promise(() => {}), close() {}, tools: [], transport: 'stdio' };
      instances.set('p', { generation: live, session } as unknown as Instance);
    }
    broker.hear(event);
  });
  harness.add('p', { idleStop: 1_000 });
  harness.send({ type: 'START', plugin: 'p' });
  await harness.walk('p', 'ready');

  /** Whatever of the plugin runs goes on by one step. */
  const proceed = () => {
    const { survey, process, probe } = harness.plugin('p');
    const state = harness.state('p');
    if (survey.running) survey.done();
    else if (probe.running) probe.ready();
    else if (state === 'launching.running') process.spawned();
    else if (state.startsWith('stopping') && process.running) process.empty();
    // A start that took too long: its backoff.
    else if (state === 'crashed.waiting') harness.clock.advance((harness.clock.next() ?? 0) - harness.clock.now());
  };
  const settled: string[][] = [];
  return {
    settled,
    call() {
      const outcome: string[] = [];
      settled.push(outcome);
      let writtenTo = 0;
      broker
        .exchange(
          'p',
          {
            repeatable: () => false,
            send: (session: Session) =>
              new Promise<void>((resolve, reject) => {
                writtenTo = session.generation;
                answers.push(() =>
                  harness.plugin('p').process.live.includes(writtenTo)
                    ? resolve()
                    : reject(new Error('its process was ended')),
                );
              }),
          },
          {},
        )
        .then(
          () => outcome.push('answered'),
          (error: Error) => outcome.push(error.message),
        );
    },
    machineTime: () => harness.clock.advance((harness.clock.next() ?? harness.clock.now()) - harness.clock.now()),
    brokerTime: () => vi.advanceTimersByTime(defaultBrokerTiming.quiet),
    answer: () => answers.shift()?.(),
    proceed,
    settle: harness.settle,
    answersLeft: () => answers.length,
    broker,
  };
}

test.each([
  ['off', false],
  ['on', true],
])('R34 a call in the same tick as the idle timer is never lost, with tracing %s', async (_, trace) => {
  for (let seed = 1; seed <= RUNS / 2 / ROUNDS; seed += 1) {
    const random = createRandom(seed);
    const world = await createWorld(trace);
    const steps = [world.call, world.machineTime, world.brokerTime, world.answer, world.proceed];
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let step = 0; step < STEPS; step += 1) {
        steps[random(steps.length)]!();
        // Sometimes nothing at all happens between two of them.
        if (random(3) > 0) await world.settle();
      }
      for (let turn = 0; turn < 30 && world.settled.some(({ length }) => length === 0); turn += 1) {
        world.proceed();
        await world.settle();
        while (world.answersLeft() > 0) world.answer();
        await world.settle();
      }
      expect(world.settled, `seed ${seed}, round ${round}`).toEqual(world.settled.map(() => ['answered']));
      world.settled.length = 0;
    }
    world.broker.close();
  }
});
