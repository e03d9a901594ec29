import type { Overrides, PluginSpec } from '../../launchers/plan.ts';
import { parseSource } from '../../src/source.ts';
import { sampleSpec } from '../../src/testing/samples.ts';

/** A plugin of a git repository of that name, with nothing said by its owner but `overrides`. */
export const createSpec = (name = 'weather', subdir = '', overrides: Overrides = {}): PluginSpec =>
  sampleSpec({
    source: { kind: 'git', url: `https://git.example/someone/${name}.git`, ref: null, subdir },
    overrides,
  });

/** A plugin of that source, with every default. */
export function specOf(text: string, overrides: Overrides = {}): PluginSpec {
  const { source, credential } = parseSource(text);
  return sampleSpec({ source, ...(credential === null ? {} : { credential }), overrides });
}
