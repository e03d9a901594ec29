/** The instances of a plugin besides its first one: how they come, change hands and go. */

import { instanceName } from '../../actors/instance-name.ts';
import type { PluginSpec } from '../../launchers/plan.ts';
import { type Group, type InstancesParts, instancesOf, type Other, type SessionCaller } from './parts.ts';

export interface Members {
  /** Those that are not on their way out. */
  present(group: Group): Other[];
  specFor(plugin: string, other: Other): PluginSpec;
  add(group: Group, session?: Partial<SessionCaller>): Other;
  /** It works for that session from now on: its process ends, and with it what the other session left in it. */
  giveTo(group: Group, other: Other, session: SessionCaller): string;
  release(group: Group, other: Other): void;
  /** After `delay` milliseconds, if it is still over then. */
  releaseLater(group: Group, other: Other, delay: number, isStillOver: () => boolean): void;
  /** It is not about to be released any more. */
  settle(other: Other): void;
}

/** What a client can be asked for; without any of them there is no need to take its calls one after the other. */
const QUESTIONS = ['roots', 'sampling', 'elicitation'];

export function createMembers({ specOf, send, now = () => performance.now() }: InstancesParts): Members {
  const present = (group: Group) => [...group.others.values()].filter(({ leaving }) => !leaving);

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

  function add(group: Group, { session, clientCapabilities: capabilities }: Partial<SessionCaller> = {}): Other {
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

  /** Its process ends, and with it what the other session left in it; a new one takes its place, never beside it. */
  function giveTo(group: Group, other: Other, { session, clientCapabilities }: SessionCaller): string {
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

  return { present, specFor, add, giveTo, release, releaseLater, settle };
}
