/** What a caller may see of all plugins: everything, or a profile's part. What a view hides is neither listed nor callable. */

import { createToolFilter } from '../tool-filter.ts';
import type { Profile } from './options.ts';

export interface View {
  /** Name of the profile; null for everything. */
  readonly profile: string | null;
  /** Whether it may hide tools of plugins that it shows. */
  readonly limitsTools: boolean;
  hasPlugin(plugin: string): boolean;
  /** Whether that tool of that plugin is in it; the plugin's own filter is the supervisor's affair. */
  hasTool(plugin: string, tool: string): boolean;
}

export const everything: View = { profile: null, limitsTools: false, hasPlugin: () => true, hasTool: () => true };

export function createView(profile: string, { plugins, tools }: Profile): View {
  const plugin = createToolFilter(plugins === undefined ? {} : { allow: plugins });
  const { allow, deny } = tools ?? {};
  const allowed = allow && createToolFilter({ allow });
  const denied = deny && createToolFilter({ allow: deny });
  const either = (matches: (name: string) => boolean, of: string, tool: string) =>
    matches(tool) || matches(`${of}__${tool}`);
  return {
    profile,
    limitsTools: tools !== undefined,
    hasPlugin: plugin,
    hasTool: (of, tool) =>
      plugin(of) && (!allowed || either(allowed, of, tool)) && !(denied && either(denied, of, tool)),
  };
}
