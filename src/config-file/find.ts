import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export interface FindOptions {
  /** `--config`, else `$MCP_SUPERVISOR_CONFIG`; then nothing else counts. */
  readonly config?: string | undefined;
  /** The home folder. */
  readonly home: string;
  /** Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The first one counts. */
const NAMES = ['config.yaml', 'config.yml', 'config.json', 'config.jsonc'];

/** Every place in the order in which they are looked at; one alone when it was named. */
export function configPlaces({ config: given, home, env = process.env }: FindOptions): readonly string[] {
  const config = given ?? (env.MCP_SUPERVISOR_CONFIG || undefined);
  if (config !== undefined) return [resolve(config)];
  const user = join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'mcp-supervisor');
  return [home, user].flatMap((folder) => NAMES.map((name) => join(folder, name)));
}

/** The file that counts, there or not when it was named; null when there is none. */
export function findConfig(options: FindOptions): string | null {
  const places = configPlaces(options);
  if (places.length === 1) return places[0] ?? null;
  return places.find((place) => existsSync(place)) ?? null;
}
