import type { Config } from '../../config-file/contracts.ts';
import { supervisorError } from '../../errors.ts';
import type { Endpoints } from '../../gateway/contracts.ts';
import type { Endpoint } from '../../gateway/mcp/contracts.ts';
import { createView, everything } from '../../gateway/view.ts';

/** What a client on a pipe asks for: one plugin, or all, of a profile or of everything. Throws CONFIG_UNKNOWN_PLUGIN. */
export function findEndpoint(
  endpoints: Endpoints,
  { profiles }: Pick<Config, 'profiles'>,
  { plugin, profile }: { readonly plugin: string | null; readonly profile: string | null },
): Endpoint {
  const chosen = profile === null ? undefined : Object.hasOwn(profiles, profile) ? profiles[profile] : null;
  if (chosen === null) {
    const names = Object.keys(profiles);
    throw supervisorError('CONFIG_INVALID', {
      message: `There is no profile '${profile}'.`,
      hint: names.length === 0 ? 'Define it under profiles: in the configuration.' : `There are ${names.join(', ')}.`,
    });
  }
  const view = chosen === undefined || profile === null ? everything : createView(profile, chosen);
  if (plugin === null) return endpoints.all(view);
  const endpoint = endpoints.plugin(plugin, view);
  if (endpoint !== undefined) return endpoint;
  throw supervisorError('CONFIG_UNKNOWN_PLUGIN', { message: `There is no plugin '${plugin}'.` }, plugin);
}
