import type { ActorRefFrom } from 'xstate';
import type { pluginMachine } from '../machines/plugin.ts';
import { subState } from '../machines/states.ts';

type PluginActor = ActorRefFrom<typeof pluginMachine>;

/** Since when each plugin is in its present sub-state: its machine tells of states alone. */
export interface Steps {
  /** Called at every state change; a plugin whose actor was built anew is followed from then on. */
  follow(plugin: string, actor: PluginActor | undefined): void;
  /** Epoch milliseconds; undefined while nothing is known. */
  since(plugin: string): number | undefined;
  forget(plugin: string): void;
}

interface Followed {
  readonly actor: PluginActor;
  readonly stop: () => void;
  /** The chart's own state value, to compare by identity. */
  seen: unknown;
  value: string;
  at: number;
}

export function createSteps(now: () => number): Steps {
  const plugins = new Map<string, Followed>();
  const forget = (plugin: string) => {
    plugins.get(plugin)?.stop();
    plugins.delete(plugin);
  };
  const stepOf = ({ value }: ReturnType<PluginActor['getSnapshot']>) => `${JSON.stringify(value)} ${subState(value)}`;
  return {
    follow(plugin, actor) {
      if (plugins.get(plugin)?.actor === actor) return;
      forget(plugin);
      if (actor === undefined) return;
      const subscription = actor.subscribe({
        next(snapshot) {
          // Most of what it hears changes nothing here.
          if (snapshot.value === followed.seen) return;
          followed.seen = snapshot.value;
          const value = stepOf(snapshot);
          if (value === followed.value) return;
          followed.value = value;
          followed.at = now();
        },
        // The supervisor machine looks after an actor that breaks.
        error: () => {},
      });
      const followed: Followed = {
        actor,
        stop: () => subscription.unsubscribe(),
        seen: actor.getSnapshot().value,
        value: stepOf(actor.getSnapshot()),
        at: now(),
      };
      plugins.set(plugin, followed);
    },
    since: (plugin) => plugins.get(plugin)?.at,
    forget,
  };
}
