/** What several of the supervisor's actions do in the same way. */

import type { Slot } from '../events.ts';
import type { Failure } from '../failure.ts';
import type { PluginInput } from '../plugin/context.ts';
import { decideRestart, timerDelay } from '../policy.ts';
import { freeSlot, type Served, type SlotQueue, serveSlots } from '../slots.ts';
import type { supervisorBase } from './base.ts';
import { memberOf, pastOf, type SupervisorContext, withMember } from './context.ts';

export type Enqueue = Pick<
  Parameters<Parameters<typeof supervisorBase.enqueueActions>[0]>[0]['enqueue'],
  'assign' | 'cancel' | 'raise' | 'sendTo'
>;

/**
 * Ids of timers are strings: XState never cancels by a function. A timer set under an id that is in use would leave the
 * earlier one running and out of reach, so each is cancelled before it is set.
 */
export const retryTimer = (plugin: string): string => `retry:${plugin}`;
const launchTimer = (plugin: string): string => `launch:${plugin}`;

const SPAWN_TIMER = 'spawns';

/** Changes the queues and tells the plugins whose turn has come; spawns over the limit wait until the window has room. */
export function enqueueQueues(
  enqueue: Enqueue,
  context: SupervisorContext,
  change: (queue: SlotQueue, slot: Slot, budget: number) => Served,
): void {
  const { spawnWindow } = context.restartPolicy;
  // With none at all whoever waits would wait for ever.
  const maxSpawns = Math.max(1, context.restartPolicy.maxSpawns);
  const now = context.now();
  const recent = context.spawns.filter((time) => time > now - spawnWindow);
  const budget = maxSpawns - recent.length;
  const install = change(context.queues.install, 'install', Number.POSITIVE_INFINITY);
  const launch = change(context.queues.launch, 'launch', budget);
  const spawns = [...recent, ...launch.granted.map(() => now)];
  enqueue.assign({ queues: { install: install.queue, launch: launch.queue }, spawns });
  const [oldest] = spawns;
  if (spawns.length >= maxSpawns && launch.queue.waiting.length > 0 && oldest !== undefined) {
    enqueue.cancel(SPAWN_TIMER);
    enqueue.raise({ type: 'spawns.allowed' }, { id: SPAWN_TIMER, delay: timerDelay(oldest + spawnWindow - now) });
  }
  for (const plugin of install.granted) enqueue.sendTo(plugin, { type: 'slot.granted', slot: 'install' });
  for (const plugin of launch.granted) {
    enqueue.sendTo(plugin, { type: 'slot.granted', slot: 'launch' });
    const delay = timerDelay(context.timing.launchSlot);
    enqueue.cancel(launchTimer(plugin));
    enqueue.raise({ type: 'launch.expired', plugin }, { id: launchTimer(plugin), delay });
  }
}

/** The window has room again: whoever waits is served. */
export const enqueueWaiting = (enqueue: Enqueue, context: SupervisorContext): void =>
  enqueueQueues(enqueue, context, (queue, _, budget) => serveSlots(queue, budget));

/** Takes a plugin out of the queues, or of those named. */
export function enqueueFreed(
  enqueue: Enqueue,
  context: SupervisorContext,
  plugin: string,
  slots: readonly Slot[] = ['install', 'launch'],
): void {
  if (slots.includes('launch')) enqueue.cancel(launchTimer(plugin));
  enqueueQueues(enqueue, context, (queue, slot, budget) =>
    slots.includes(slot) ? freeSlot(queue, plugin, budget) : { queue, granted: [] },
  );
}

/** Answers a crash: a timer for the next start, or the park with its trial. */
export function enqueueRestart(enqueue: Enqueue, context: SupervisorContext, plugin: string, failure: Failure): void {
  const member = memberOf(context, plugin);
  if (member === undefined) return;
  const { generation } = pastOf(context, plugin);
  const now = context.now();
  const { history, decision } = decideRestart(member.history, context.restartPolicy, {
    failure,
    restart: member.spec.restart,
    now,
    random: context.random(),
  });
  enqueue.assign(({ context: current }) => withMember(current, plugin, () => ({ history })));
  enqueue.cancel(retryTimer(plugin));
  const schedule = (purpose: 'retry' | 'trial', ms: number) =>
    enqueue.raise(
      { type: 'retry.elapsed', plugin, generation, purpose },
      { id: retryTimer(plugin), delay: timerDelay(ms) },
    );
  if (decision.kind === 'retry') {
    enqueue.sendTo(plugin, { type: 'retry.scheduled', at: now + decision.delay });
    schedule('retry', decision.delay);
  } else {
    enqueue.sendTo(plugin, { type: 'retry.parked', trialAt: decision.trial === null ? null : now + decision.trial });
    if (decision.trial !== null) schedule('trial', decision.trial);
  }
}

/** A plugin actor continues from the one before it. */
export const pluginInput = (context: SupervisorContext, plugin: string): PluginInput => ({
  plugin,
  spec: memberOf(context, plugin)!.spec,
  timing: context.timing,
  bounds: context.bounds,
  ...pastOf(context, plugin),
});
