/**
 * Which process of a plugin serves a call: the shared one, one of a pool, or the client session's own. The first instance
 * has the plugin's own name and is there as long as the plugin; the others, `name#k`, are added when they are needed. Each is
 * a plugin actor of its own, with restarts, health checks and idle time as any: here is only decided who is asked.
 */

import { instanceName, pluginOf } from '../actors/instance-name.ts';
import type { Instances as InstancesSpec, PluginSpec } from '../launchers/plan.ts';
import type { SupervisorCommand } from '../machines/events.ts';
import type { Failure } from '../machines/failure.ts';
import type { PluginState } from '../machines/states.ts';
import { supervisorError } from './errors.ts';
import type { CallOptions } from './options.ts';

/** Of one instance, as its snapshot says now. */
export interface InstanceView {
  /** Calls are written to it at once. */
  readonly open: boolean;
  readonly state: PluginState;
  readonly subState: string | null;
  /** Calls don't start it. */
  readonly stopped: boolean;
}

export interface InstancesParts {
  readonly specOf: (plugin: string) => PluginSpec | undefined;
  readonly send: (command: SupervisorCommand) => void;
  /** null: there is none of that name. */
  readonly view: (instance: string) => InstanceView | null;
  /** Calls that it works on, and calls that wait for it. */
  readonly load: (instance: string) => number;
  /** A link to it is open. */
  readonly isHeld: (instance: string) => boolean;
  /** When its last call ended, by `now`; 0: never. */
  readonly lastUse: (instance: string) => number;
  /** Milliseconds that never jump; default `performance.now`. */
  readonly now?: () => number;
}

/** Who calls. */
export type Caller = Pick<CallOptions, 'session' | 'clientCapabilities'>;

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

/** An instance besides the first. */
interface Other {
  readonly id: string;
  session: string | null;
  /** What the client of that session can be asked. */
  capabilities: CallOptions['clientCapabilities'];
  usedAt: number;
  /** It was started, so that its next rest is an end. */
  started: boolean;
  leaving: boolean;
  timer: NodeJS.Timeout | null;
}

interface Session extends Caller {
  readonly session: string;
}

interface Group {
  readonly plugin: string;
  readonly others: Map<number, Other>;
  readonly sessions: Map<string, Other>;
  /** It was ready once as it is now: another instance will probably be, too. */
  proven: boolean;
  /** Calls may start instances. */
  awake: boolean;
  /** The plugin is being removed. */
  leaving: boolean;
  /** Its first instance is gone. */
  gone: boolean;
  leftBehind: Failure | null;
}

const SHARED: InstancesSpec = { kind: 'shared' };
const instancesOf = (spec: PluginSpec | undefined): InstancesSpec => spec?.instances ?? SHARED;

/** What a client can be asked for; without any of them there is no need to take its calls one after the other. */
const QUESTIONS = ['roots', 'sampling', 'elicitation'];

/** From the best to the worst place for a call. */
const RANKS = { open: 0, starting: 1, unwell: 2, avoided: 3, parked: 4, deaf: 5 } as const;
const STARTS: readonly PluginState[] = ['absent', 'cloning', 'detecting', 'installing', 'launching', 'probing'];

/** Of one that isn't open; the names of states cost more than all the rest of a call's way. */
function rankOf(seen: InstanceView): number {
  if (seen.stopped) return RANKS.deaf;
  const { state } = seen;
  if (STARTS.includes(state)) return RANKS.starting;
  return state === 'crashed' && seen.subState === 'parked' ? RANKS.parked : RANKS.unwell;
}

export function createInstances(parts: InstancesParts): Instances {
  const { specOf, send, view, load, isHeld, lastUse, now = () => performance.now() } = parts;
  /** Of the plugins that are not simply shared, and of those that have others still. */
  const groups = new Map<string, Group>();

  const present = (group: Group) => [...group.others.values()].filter(({ leaving }) => !leaving);
  const isAtRest = (instance: string) => {
    const seen = view(instance);
    return seen !== null && seen.state === 'absent' && seen.subState !== 'checking';
  };

  /** They stop on their own terms; whether calls may start them at all is decided here. */
  function specFor(plugin: string, { session, capabilities = {} }: Other): PluginSpec {
    const spec = specOf(plugin)!;
    const own = instancesOf(spec);
    if (session === null || own.kind !== 'per-session') return { ...spec, activation: 'lazy' };
    const asks = spec.interactive !== false && QUESTIONS.some((kind) => Object.hasOwn(capabilities, kind));
    return {
      ...spec,
      activation: 'lazy',
      idleStop: own.idle,
      ...(asks ? { clientCapabilities: capabilities } : {}),
    };
  }

  function add(group: Group, { session, clientCapabilities: capabilities }: Partial<Session> = {}): Other {
    let index = 1;
    while (group.others.has(index)) index += 1;
    const id = instanceName(group.plugin, index);
    const other: Other = {
      id,
      session: session ?? null,
      capabilities,
      usedAt: now(),
      started: false,
      leaving: false,
      timer: null,
    };
    group.others.set(index, other);
    if (session !== undefined) group.sessions.set(session, other);
    send({ type: 'ADD', plugin: id, spec: specFor(group.plugin, other) });
    return other;
  }

  function release(group: Group, other: Other): void {
    if (other.leaving) return;
    other.leaving = true;
    settle(other);
    if (other.session !== null && group.sessions.get(other.session) === other) group.sessions.delete(other.session);
    send({ type: 'REMOVE', plugin: other.id });
  }

  function settle(other: Other): void {
    if (other.timer !== null) clearTimeout(other.timer);
    other.timer = null;
  }

  function releaseLater(group: Group, other: Other, delay: number, isStillOver: () => boolean): void {
    settle(other);
    other.timer = setTimeout(() => {
      other.timer = null;
      if (isStillOver()) release(group, other);
    }, delay).unref();
  }

  // ---- a pool ----

  /** Starts one that rests, or one more; null when all that there may be run or are on their way. */
  function grow(group: Group, size: number): string | null {
    if (!group.proven || !group.awake) return null;
    const resting = [group.plugin, ...present(group).map(({ id }) => id)].find(isAtRest);
    const id = resting ?? (present(group).length < size - 1 ? add(group).id : null);
    if (id !== null) send({ type: 'START', plugin: id });
    return id;
  }

  /** The least busy one that is well; where all are busy the next one is started for those that come. */
  function leastLoaded(group: Group, size: number, avoid: string | null): string {
    let best = group.plugin;
    let bestRank = Number.POSITIVE_INFINITY;
    let bestLoad = 0;
    let calls = 1;
    let open = 0;
    let starting = 0;
    const weigh = (id: string) => {
      const seen = view(id);
      if (seen === null) return;
      const own = seen.open ? RANKS.open : rankOf(seen);
      const at = load(id);
      calls += at;
      if (own === RANKS.open) open += 1;
      else if (own === RANKS.starting && !isAtRest(id)) starting += 1;
      const rank = id === avoid && own < RANKS.avoided ? RANKS.avoided : own;
      if (rank > bestRank || (rank === bestRank && at >= bestLoad)) return;
      best = id;
      bestRank = rank;
      bestLoad = at;
    };
    weigh(group.plugin);
    for (const other of group.others.values()) if (!other.leaving) weigh(other.id);
    if (bestRank === RANKS.open) {
      if (bestLoad > 0 && open < size && calls > open + starting) grow(group, size);
      return best;
    }
    if (bestRank < RANKS.deaf && (bestLoad > 0 || bestRank > RANKS.starting)) return grow(group, size) ?? best;
    return best;
  }

  // ---- one for each session ----

  function ofSession(group: Group, caller: Session, max: number, avoid: string | null): string {
    const { plugin } = group;
    const { session } = caller;
    const own = group.sessions.get(session);
    if (own !== undefined) {
      settle(own);
      own.usedAt = now();
      return own.id;
    }
    // Its instance has gone meanwhile, and perhaps its client: only a call of its own starts another one.
    if (avoid !== null) return avoid;
    if (!group.awake) return plugin;
    const all = present(group);
    if (all.length < max) return add(group, caller).id;
    const quiet = all.filter(({ id }) => load(id) === 0 && !isHeld(id));
    // Before all others those that are about to go by themselves.
    const since = (other: Other) => (other.timer !== null ? 0 : Math.max(other.usedAt, lastUse(other.id)));
    const [longest] = quiet.sort((a, b) => since(a) - since(b));
    if (longest === undefined) {
      throw supervisorError(
        'CALL_QUEUE_FULL',
        {
          message: `Each of the ${max} instances that ${plugin} may have works for another session.`,
          hint: 'Try again later, or raise `max` of `instances: { perSession: { max } }`.',
          data: { fate: 'not-sent', max },
        },
        plugin,
      );
    }
    return giveTo(group, longest, caller);
  }

  /** Its process ends, and with it what the other session left in it; a new one takes its place, never beside it. */
  function giveTo(group: Group, other: Other, { session, clientCapabilities }: Session): string {
    settle(other);
    if (other.session !== null) group.sessions.delete(other.session);
    other.session = session;
    other.capabilities = clientCapabilities;
    other.usedAt = now();
    other.started = false;
    group.sessions.set(session, other);
    send({ type: 'UPDATE', plugin: other.id, spec: specFor(group.plugin, other), restarts: true });
    return other.id;
  }

  // ---- what happens ----

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

  /** An eager pool is there as a whole, once it is known to work. */
  function fill(group: Group): void {
    const spec = specOf(group.plugin);
    const own = instancesOf(spec);
    if (own.kind !== 'pool' || spec?.activation !== 'eager' || !group.proven || !group.awake) return;
    while (present(group).length < own.size - 1) send({ type: 'START', plugin: add(group).id });
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
