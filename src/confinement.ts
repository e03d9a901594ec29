/** Limits and sandbox as an owner writes them, and as the spec has them. */

import { isFields } from '../actors/fields.ts';
import type { ResourceLimits, Sandbox } from '../launchers/plan.ts';

/** Memory also as text: `512M`, `2G`. Cores, seconds and counts are numbers. */
export interface LimitOptions extends Omit<ResourceLimits, 'memory'> {
  readonly memory?: number | string;
}

/** One word will do; the object says more of it. */
export type SandboxOptions = boolean | 'bubblewrap' | Partial<Sandbox>;

const isPositive = (value: unknown) => typeof value === 'number' && Number.isFinite(value) && value > 0;
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0;

/** What each takes. A limit of less than 1 MiB, or no file besides the three pipes, ends any program before it begins. */
const LIMITS: Readonly<Record<keyof LimitOptions, (value: unknown) => boolean>> = {
  memory: (value) => (bytesOf(value) ?? 0) >= 1024 * 1024,
  cpu: (value) => isPositive(value) && (value as number) >= 0.01,
  cpuTime: isPositive,
  processes: isCount,
  files: (value) => isCount(value) && (value as number) > 3,
};

export const LIMITS_EXPECTED =
  "an object of limits: memory (bytes, or '512M'), cpu (cores), cpuTime (seconds), processes, files";

export const areLimits = (value: unknown): boolean =>
  isFields(value) &&
  Object.entries(value).every(
    ([name, limit]) =>
      limit === undefined || (Object.hasOwn(LIMITS, name) && LIMITS[name as keyof LimitOptions](limit)),
  );

/** Bytes, or a number with K, M, G or T (of 1024, 1024² …; `MB` and `MiB` too); null for anything else. */
export function bytesOf(value: unknown): number | null {
  if (isPositive(value)) return Math.round(value as number);
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(String(value)) ?? [];
  if (number === undefined) return null;
  return Math.round(Number(number) * 1024 ** ' kmgt'.indexOf(unit.toLowerCase() || ' '));
}

export function toLimits({ memory, ...limits }: LimitOptions): ResourceLimits {
  const bytes = memory === undefined ? null : bytesOf(memory);
  return { ...limits, ...(bytes === null ? {} : { memory: bytes }) };
}

export const SANDBOX_EXPECTED =
  "true, 'bubblewrap', false, or an object of network ('on', 'off'), read and write (lists of paths, absolute or ~/…)";

export function isSandbox(value: unknown): boolean {
  if (typeof value === 'boolean' || value === 'bubblewrap') return true;
  if (!isFields(value)) return false;
  const { network = 'on', read = [], write = [], ...others } = value;
  const arePaths = (paths: unknown) =>
    Array.isArray(paths) && paths.every((path) => typeof path === 'string' && /^(\/|~\/)/.test(path));
  return (
    (network === 'on' || network === 'off') && arePaths(read) && arePaths(write) && Object.keys(others).length === 0
  );
}

/** Null for none. */
export function toSandbox(given: SandboxOptions): Sandbox | null {
  if (given === false) return null;
  const { network = 'on', read = [], write = [] } = typeof given === 'object' ? given : {};
  return { network, read, write };
}

/** Names of variables, or globs of them. */
export const areNames = (value: unknown): boolean =>
  Array.isArray(value) && value.every((name) => typeof name === 'string' && /^[A-Za-z_*][A-Za-z0-9_*]*$/.test(name));

/** A name, a uid or uid:gid. */
export const isUser = (value: unknown): boolean =>
  typeof value === 'string' && /^([a-z_][\w.-]*\$?|\d+(:\d+)?)$/i.test(value);
