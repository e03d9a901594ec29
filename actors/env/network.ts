/** What the caller's variables lack for the way to the registries, read from the user's own settings. */

import type { ActorContext } from '../context.ts';
import { trustEnv } from './certificates.ts';
import { OFFLINE_JOB, OFFLINE_PLUGIN } from './offline.ts';
import { pluginProxyEnv } from './proxy.ts';
import { uvEnv } from './uv-settings.ts';
import { yarnEnv } from './yarn-settings.ts';

type NetworkContext = Pick<ActorContext, 'callerEnv' | 'store' | 'offline'>;

/**
 * For installs, builds and the fetching of tools, over `jobEnv`. Values are secrets: an index's address may hold a login.
 */
export async function jobNetworkEnv(context: NetworkContext): Promise<Record<string, string>> {
  const { callerEnv, offline } = context;
  const parts = await Promise.all([trustEnv(context, { isJob: true }), uvEnv(callerEnv), yarnEnv(callerEnv)]);
  return Object.assign({}, ...parts, offline === true ? OFFLINE_JOB : {});
}

/** For a plugin with the minimal environment. */
export async function pluginNetworkEnv(context: NetworkContext): Promise<Record<string, string>> {
  const { callerEnv, offline } = context;
  return {
    ...pluginProxyEnv(callerEnv),
    ...(await trustEnv(context, { isJob: false })),
    ...(offline === true ? OFFLINE_PLUGIN : {}),
  };
}
