/** The ten names of a plugin's life: the vocabulary of chart, status, logs, metrics and page. */
export const PLUGIN_STATES = [
  'absent',
  'cloning',
  'detecting',
  'installing',
  'launching',
  'probing',
  'ready',
  'idle',
  'stopping',
  'crashed',
] as const;

export type PluginState = (typeof PLUGIN_STATES)[number];

/** The stages that a start walks through; survey names the first stale one. */
export const STAGES = ['cloning', 'detecting', 'installing', 'launching'] as const;
export type Stage = (typeof STAGES)[number];

/** A chart's state value, e.g. `{alive: {stopping: 'draining'}}`. */
type StateValue = string | { readonly [key: string]: StateValue | undefined };

const path = (value: StateValue): string[] =>
  typeof value === 'string'
    ? [value]
    : Object.entries(value).flatMap(([key, inner]) => [key, ...(inner === undefined ? [] : path(inner))]);

/** The public name of a plugin chart's state: `{alive: {stopping: 'draining'}}` is `stopping`. */
export function stateName(value: StateValue): PluginState {
  const name = path(value).find((part) => (PLUGIN_STATES as readonly string[]).includes(part));
  if (name === undefined) throw new Error(`not a plugin state: ${JSON.stringify(value)}`);
  return name as PluginState;
}

/**
 * The leaf below the public name, or null: `{alive: {stopping: 'draining'}}` is `draining`. In service it is what health
 * says (`checking`, `failing`, `rechecking`), null when all is well.
 */
export function subState(value: StateValue): string | null {
  const leaf = path(value).at(-1);
  return leaf === undefined || leaf === stateName(value) || leaf === 'well' ? null : leaf;
}
