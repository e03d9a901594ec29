/**
 * Which process of a plugin serves a call: the shared one, one of a pool, or the client session's own. The first instance
 * has the plugin's own name and is there as long as the plugin; the others, `name#k`, are added when they are needed. Each is
 * a plugin actor of its own, with restarts, health checks and idle time as any: here is only decided who is asked.
 */

import { pluginOf } from '../actors/instance-name.ts';
import type { PluginSpec } from '../launchers/plan.ts';
import type { Failure } from '../machines/failure.ts';
import type { PluginState } from '../machines/states.ts';
import { createMembers } from './instances/members.ts';
import { type Caller, type Group, type InstancesParts, instancesOf } from './instances/parts.ts';
import { createOfSession } from './instances/per-session.ts';
import { createPool } from './instances/pool.ts';

export interface Instances {
  /**
   * The instance that takes a call now; `avoid` is taken only where there is no other one. Throws CALL_QUEUE_FULL where each
   * session has an instance of its own, and there are as many as may be, all of them in use.
   */
  route(plugin: string, options: Caller, avoid: string | null): string;
  /** All that there are of it, its first one first, those on their way out too. */
  of(plugin: string): readonly string[];
  /** Those of them besides its first one that are not on their way out. */
  others(plugin: string): readonly string[];
  /** The plugin was added. */
  added(plugin: string): void;
  /** It has another spec; its first instance was told. */
  configured(plugin: string, before: PluginSpec, restarts: boolean): void;
  /** What the command to its first instance means for the others: a stop sends them away; restarts are told to each. */
  commanded(plugin: string, command: 'START' | 'STOP' | 'RESTART' | 'RESET' | 'REMOVE'): void;
  /** It is being removed. */
  isLeaving(plugin: string): boolean;
  entered(instance: string, state: PluginState, failure: Failure | null): void;
  /** That instance is gone; true when nothing is left of the plugin either. */
  removed(instance: string): boolean;
  /** What an instance that was sent away had to leave behind (STOP_ABANDONED); told once. */
  leftBehind(plugin: string): Failure | null;
  /** Nobody calls for that session any more: its instances end after `grace` milliseconds, unless it is heard of again. */
  endSession(session: string, grace: number): void;
  close(): void;
}

export function createInstances(parts: InstancesParts): Instances {
  const { specOf, send, view, load } = parts;
  const members = createMembers(parts);
  const { present, specFor, release, releaseLater, settle } = members;
  const { leastLoaded, fill } = createPool(parts, members);
  const ofSession = createOfSession(parts, members);
  /** Of the plugins that are not simply shared, and of those that have others still. */
  const groups = new Map<string, Group>();

  function groupOf(plugin: string): Group {
    let group = groups.get(plugin);
    if (group === undefined) {
      const seen = view(plugin);
      group = {
        plugin,
        others: new Map(),
        sessions: new Map(),
        proven: seen?.open ?? false,
        awake: seen?.stopped === false,
        leaving: false,
        gone: false,
        leftBehind: null,
      };
      groups.set(plugin, group);
    }
    return group;
  }

  function forgetIfPlain(group: Group): void {
    const isPlain = instancesOf(specOf(group.plugin)).kind === 'shared' && !group.leaving && group.leftBehind === null;
    if (isPlain && group.others.size === 0) groups.delete(group.plugin);
  }

  return {
    route(plugin, caller, avoid) {
      // The usual case: one process for everybody.
      const group = groups.get(plugin);
      if (group === undefined || group.leaving) return plugin;
      const own = instancesOf(specOf(plugin));
      if (own.kind === 'pool') return leastLoaded(group, own.size, avoid);
      const { session } = caller;
      if (own.kind !== 'per-session' || session === undefined) return plugin;
      return ofSession(group, { ...caller, session }, own.max, avoid);
    },
    of: (plugin) => [plugin, ...[...(groups.get(plugin)?.others.values() ?? [])].map(({ id }) => id)],
    others(plugin) {
      const group = groups.get(plugin);
      return group === undefined ? [] : present(group).map(({ id }) => id);
    },
    added(plugin) {
      if (instancesOf(specOf(plugin)).kind !== 'shared') groupOf(plugin);
    },
    configured(plugin, before, restarts) {
      const spec = specOf(plugin);
      const own = instancesOf(spec);
      if (own.kind === 'shared' && !groups.has(plugin)) return;
      const group = groupOf(plugin);
      if (restarts) group.proven = false;
      const stays = own.kind === instancesOf(before).kind;
      for (const [at, other] of present(group).entries()) {
        if (!stays || (own.kind === 'pool' && at >= own.size - 1)) release(group, other);
        else send({ type: 'UPDATE', plugin: other.id, spec: specFor(plugin, other), restarts });
      }
      fill(group);
      forgetIfPlain(group);
    },
    commanded(plugin, command) {
      const group = groups.get(plugin);
      if (group === undefined || group.leaving) return;
      if (command === 'START' || command === 'RESTART') group.awake = true;
      if (command === 'STOP') {
        group.awake = false;
        group.leftBehind = null;
      }
      if (command === 'REMOVE') group.leaving = true;
      for (const other of present(group)) {
        if (command === 'STOP' || command === 'REMOVE') release(group, other);
        else if (command === 'RESET' || (command === 'START' && view(other.id)?.state === 'crashed'))
          send({ type: command, plugin: other.id });
      }
    },
    isLeaving: (plugin) => groups.get(plugin)?.leaving === true,
    entered(instance, state, failure) {
      const group = groups.get(pluginOf(instance));
      if (group === undefined) return;
      if (state === 'ready' && failure === null) {
        group.proven = true;
        fill(group);
      }
      const other = [...group.others.values()].find(({ id }) => id === instance);
      if (other === undefined) return;
      if (other.leaving && failure?.code === 'STOP_ABANDONED') group.leftBehind = failure;
      const own = instancesOf(specOf(group.plugin));
      if (other.session === null || other.leaving || own.kind !== 'per-session') return;
      if (state === 'launching') other.started = true;
      if (state === 'absent' && other.started && load(instance) === 0) release(group, other);
      // Where it is parked no idle time runs.
      if (state === 'crashed') {
        const isOver = () => view(instance)?.state === 'crashed' && load(instance) === 0;
        releaseLater(group, other, own.idle, isOver);
      }
    },
    removed(instance) {
      const plugin = pluginOf(instance);
      const group = groups.get(plugin);
      if (group === undefined) return true;
      if (instance === plugin) group.gone = true;
      for (const [index, { id }] of group.others) if (id === instance) group.others.delete(index);
      if (group.gone && group.others.size === 0) {
        groups.delete(plugin);
        return true;
      }
      forgetIfPlain(group);
      return false;
    },
    leftBehind(plugin) {
      const group = groups.get(plugin);
      const failure = group?.leftBehind ?? null;
      if (group !== undefined && failure !== null) {
        group.leftBehind = null;
        forgetIfPlain(group);
      }
      return failure;
    },
    endSession(session, grace) {
      for (const group of groups.values()) {
        const other = group.sessions.get(session);
        if (other !== undefined) releaseLater(group, other, grace, () => true);
      }
    },
    close() {
      for (const { others } of groups.values()) for (const other of others.values()) settle(other);
    },
  };
}
