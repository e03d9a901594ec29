import type { Instances } from '../launchers/plan.ts';
import type { InstanceOptions } from './options.ts';

export const INSTANCES_EXPECTED = "'shared', 'per-session', { pool: N } or { perSession: { max, idle } }";

/** Instances of one plugin: each costs a process. */
const MAX_POOL = 64;
const DEFAULT_MAX = 8;
const DEFAULT_IDLE = 5 * 60_000;

const isCount = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) > 0 && (value as number) <= MAX_POOL;
const isDuration = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0;

export function isInstances(value: unknown): value is InstanceOptions {
  if (value === 'shared' || value === 'per-session') return true;
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return false;
  const { pool, perSession } = value as { pool?: unknown; perSession?: unknown };
  if (pool !== undefined) return isCount(pool);
  if (typeof perSession !== 'object' || perSession === null) return false;
  return Object.entries(perSession).every(
    ([name, number]) => (name === 'max' && isCount(number)) || (name === 'idle' && isDuration(number)),
  );
}

export function toInstances(options: InstanceOptions): Instances {
  if (options === 'shared') return { kind: 'shared' };
  if (options === 'per-session') return { kind: 'per-session', max: DEFAULT_MAX, idle: DEFAULT_IDLE };
  if ('pool' in options) return { kind: 'pool', size: options.pool };
  const { max = DEFAULT_MAX, idle = DEFAULT_IDLE } = options.perSession;
  return { kind: 'per-session', max, idle };
}
