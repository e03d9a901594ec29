import type { Overrides, PluginSpec } from '../../launchers/plan.ts';
import { createSecrets } from '../../src/credential.ts';

/** A plugin of a git repository of that name, with nothing said by its owner but `overrides`. */
export const createSpec = (name = 'weather', subdir = '', overrides: Overrides = {}): PluginSpec => ({
  source: { kind: 'git', url: `https://git.example/someone/${name}.git`, ref: null, subdir },
  overrides,
  env: createSecrets({}),
  envPolicy: 'minimal',
  restart: 'transient',
  activation: 'lazy',
  idleStop: null,
  protocol: 'auto',
  timeouts: {},
});
