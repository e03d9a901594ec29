import type { PluginStatus } from '../options.ts';

/**
 * Hints speak of the command line; whoever sits behind a gateway, often an AI client, has a configuration: its own with
 * "env" and "args", or ours with the same words.
 */
export const hintFor = (hint: string): string =>
  hint
    .replace(
      /\bPass it with --env(?: (?:NAME|([^\s=]+))=value)?/,
      (_, name) => `Set ${name ?? 'it'} under "env" where this server is configured`,
    )
    .replace(', or arguments after --.', ', or its arguments under "args".')
    .replace('Pass the arguments after --.', 'Set its arguments under "args" where this server is configured.')
    .replace(/\b(Then run|Run) start\b/, (_, words) => (words === 'Run' ? 'Start it again' : 'Then start it again'));

/** A status, its instances included, with advice in those words. */
export const statusFor = (status: PluginStatus): PluginStatus => {
  const { next, failure, instances } = status;
  return {
    ...status,
    next: hintFor(next),
    failure: failure === null ? null : { ...failure, hint: hintFor(failure.hint) },
    ...(instances === undefined ? {} : { instances: instances.map(statusFor) }),
  };
};
