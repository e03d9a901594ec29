import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

export interface HomeChoice {
  readonly home?: string | undefined;
  /** Default `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
}

/** The home folder: what was given, else `$MCP_SUPERVISOR_HOME`, else the XDG data folder. */
export function homeOf({ home, env = process.env }: HomeChoice): string {
  if (home !== undefined) return resolve(home);
  if (env.MCP_SUPERVISOR_HOME) return resolve(env.MCP_SUPERVISOR_HOME);
  return join(env.XDG_DATA_HOME || join(env.HOME || homedir(), '.local', 'share'), 'mcp-supervisor');
}
