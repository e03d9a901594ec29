import { homeOf } from '../../home.ts';
import type { CommandContext } from '../session.ts';

/** As commander hands them over. */
export interface PluginFlags {
  readonly json?: boolean;
  readonly home?: string;
  readonly all?: boolean;
  /** `logs`: lines. */
  readonly lines?: number;
  readonly follow?: boolean;
  /** `wait`: the state. */
  readonly for?: string;
  /** Seconds. */
  readonly timeout?: number;
}

/** A command on plugins by name. */
export interface PluginsInvocation {
  readonly names: readonly string[];
  readonly flags: PluginFlags;
}

export const homeFor = ({ flags }: PluginsInvocation, { env }: Pick<CommandContext, 'env'>): string =>
  homeOf({ home: flags.home, env });
