/**
 * An instance is called `name#k`; the first one (shared, the pool's first, the one of calls without a session) like the
 * plugin itself. No plugin's own name holds a `#`. What is on the disk is the plugin's and serves all its instances.
 */
export function pluginOf(instance: string): string {
  const end = instance.indexOf('#');
  return end < 0 ? instance : instance.slice(0, end);
}

export const instanceName = (plugin: string, index: number): string => `${plugin}#${index}`;
