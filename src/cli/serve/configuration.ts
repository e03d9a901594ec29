/** The configuration file while the daemon runs: what counts now, and what is wrong with what does not. */

import { existsSync } from 'node:fs';
import { type Config, emptyConfig } from '../../config-file/contracts.ts';
import { loadConfig } from '../../config-file/load.ts';
import { type ConfigWatch, watchConfig } from '../../config-file/watch.ts';
import { type SupervisorError, supervisorError } from '../../errors.ts';
import { asSupervisorError } from '../render-error.ts';

export interface ConfigurationParts {
  /** The first that exists counts. */
  readonly places: readonly string[];
  /** It was named, and has to be there. */
  readonly required: boolean;
  readonly env: NodeJS.ProcessEnv;
  /** Another good one was read: makes it count. What it rejects with is a problem of the file. */
  readonly apply: (config: Config) => Promise<void>;
  /** What is in the file does not count, or counts again (null). */
  readonly problem: (error: SupervisorError | null) => void;
}

export interface Configuration {
  /** What counts. */
  current(): Config;
  problem(): SupervisorError | null;
  reload(): Promise<void>;
  close(): void;
}

/** Reads it at first: rejects with what is wrong in it. From then on a bad file changes nothing. */
export async function createConfiguration(parts: ConfigurationParts): Promise<Configuration> {
  const { places, required, env, apply } = parts;
  let current: Config = emptyConfig;
  let problem: SupervisorError | null = null;
  let begun = false;

  async function read(): Promise<Config> {
    const file = places.find((place) => existsSync(place)) ?? (required ? places[0] : undefined);
    if (file !== undefined) return loadConfig(file, env);
    if (current.file === null) return emptyConfig;
    // Removed, or about to be written anew: nobody says by that that all plugins shall go.
    return loadConfig(current.file, env);
  }

  async function changed(): Promise<void> {
    if (!begun) return;
    const before = problem;
    try {
      const next = await read();
      if (next.isBlank && Object.keys(current.plugins).length > 0) throw emptied(next.file);
      await apply(next);
      current = next;
      problem = null;
      if (before !== null) parts.problem(null);
    } catch (error) {
      problem = asSupervisorError(error);
      if (problem.message !== before?.message) parts.problem(problem);
    }
  }

  // Watched before it is read: no edit in between is missed.
  const watch: ConfigWatch = watchConfig({ places, changed });
  try {
    current = await read();
    begun = true;
  } catch (error) {
    watch.close();
    throw error;
  }
  return {
    current: () => current,
    problem: () => problem,
    reload: () => watch.reload(),
    close: () => watch.close(),
  };
}

/** Some programs empty a file before they write it: no plugin is stopped for that. */
const emptied = (file: string | null) =>
  supervisorError('CONFIG_INVALID', {
    message: `${file}: the file is empty.`,
    hint: 'To serve no plugin at all, write `plugins: {}`.',
    data: { file },
  });
