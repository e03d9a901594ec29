import { fromPromise } from 'xstate';
import type { SweepActor, SweepInput } from '../machines/contracts.ts';
import type { ActorContext } from './context.ts';
import { pluginCookies } from './cookie.ts';
import { endPids } from './groups.ts';

/**
 * Ends everything of a plugin whose machine broke (a bug of ours): its process group and whatever carries a cookie of it,
 * jobs included. Resolves when nothing is left; rejects naming the pids that outlive SIGKILL.
 */
export function createSweepActor(context: ActorContext): SweepActor {
  return fromPromise<void, SweepInput>(async ({ input: { plugin } }) => {
    const group = context.instances.get(plugin)?.process.pid ?? undefined;
    const survivors = await endPids({
      groups: group === undefined ? [] : [group],
      cookies: [pluginCookies(context.store.home, plugin)],
    });
    if (survivors.length > 0) throw new Error(`processes of ${plugin} outlived SIGKILL: ${survivors.join(', ')}`);
    if (group !== undefined) context.guard.unwatch(group);
    if ((context.instances.get(plugin)?.process.pid ?? undefined) === group) context.instances.delete(plugin);
  });
}
