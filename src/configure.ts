import type { PluginSpec } from '../launchers/plan.ts';
import type { SupervisorCommand } from '../machines/events.ts';
import { launchesAlike, saysTheSame } from './config.ts';
import type { Changes } from './options.ts';

export interface ConfigureParts {
  /** The plugins that there are; changed here where they are added or get another spec. */
  readonly specs: Map<string, PluginSpec>;
  readonly send: (command: SupervisorCommand) => void;
  /** Resolves when it is gone, or the supervisor closed. */
  readonly remove: (name: string) => Promise<void>;
  /** It is being removed. */
  readonly isLeaving: (name: string) => boolean;
  /** Another spec counts for one that was there before. */
  readonly changed: (name: string, before: PluginSpec, restarts: boolean) => void;
  /** Throws once the supervisor closes. */
  readonly refuseWhenClosing: () => void;
}

/** Makes the plugins those that are wanted, touching only what differs. Resolves when the others are gone. */
export async function configure(parts: ConfigureParts, wanted: ReadonlyMap<string, PluginSpec>): Promise<Changes> {
  const { specs, send, remove, isLeaving, changed, refuseWhenClosing } = parts;
  // One that is on its way out is not the one that is wanted; while it goes another one may be sent away.
  for (;;) {
    const leaving = [...specs.keys()].filter(isLeaving);
    if (leaving.length === 0) break;
    await Promise.all(leaving.map(remove));
    refuseWhenClosing();
  }
  const changes: Record<keyof Changes, string[]> = {
    added: [],
    restarted: [],
    updated: [],
    removed: [],
    unchanged: [],
  };
  for (const [name, spec] of wanted) {
    const before = specs.get(name);
    if (before !== undefined && saysTheSame(before, spec)) {
      changes.unchanged.push(name);
      continue;
    }
    specs.set(name, spec);
    if (before === undefined) {
      send({ type: 'ADD', plugin: name, spec });
      changes.added.push(name);
    } else {
      const restarts = !launchesAlike(before, spec);
      send({ type: 'UPDATE', plugin: name, spec, restarts });
      changed(name, before, restarts);
      changes[restarts ? 'restarted' : 'updated'].push(name);
    }
  }
  changes.removed.push(...[...specs.keys()].filter((name) => !wanted.has(name)));
  await Promise.all(changes.removed.map(remove));
  return changes;
}
