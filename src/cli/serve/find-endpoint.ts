import { supervisorError } from '../../errors.ts';
import type { Gateway } from '../../gateway/contracts.ts';
import type { Endpoint } from '../../gateway/mcp/contracts.ts';
import { everything } from '../../gateway/view.ts';

/** What a client on a pipe asks for: one plugin, or all, of a profile or of everything. Throws CONFIG_UNKNOWN_PLUGIN. */
export function findEndpoint(
  { endpoints, profile: viewOf }: Pick<Gateway, 'endpoints' | 'profile'>,
  { plugin, profile }: { readonly plugin: string | null; readonly profile: string | null },
  /** Of all profiles, for who names none of them. */
  names: readonly string[],
): Endpoint {
  const view = profile === null ? everything : viewOf(profile);
  if (view === undefined) {
    throw supervisorError('CONFIG_INVALID', {
      message: `There is no profile '${profile}'.`,
      hint: names.length === 0 ? 'Define it under profiles: in the configuration.' : `There are ${names.join(', ')}.`,
    });
  }
  if (plugin === null) return endpoints.all(view);
  const endpoint = endpoints.plugin(plugin, view);
  if (endpoint !== undefined) return endpoint;
  throw supervisorError('CONFIG_UNKNOWN_PLUGIN', { message: `There is no plugin '${plugin}'.` }, plugin);
}
