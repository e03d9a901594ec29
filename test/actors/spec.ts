import type { Overrides, PluginSpec } from '../../launchers/plan.ts';
import { createSecrets } from '../../src/credential.ts';
import { parseSource } from '../../src/source.ts';

/** A plugin of that source, with every default. */
export function specOf(text: string, overrides: Overrides = {}): PluginSpec {
  const { source, credential } = parseSource(text);
  return {
    source,
    ...(credential === null ? {} : { credential }),
    overrides,
    env: createSecrets({}),
    envPolicy: 'minimal',
    restart: 'transient',
    activation: 'lazy',
    idleStop: null,
    protocol: 'auto',
    timeouts: {},
  };
}
