export * from 'node:fs';

/** Only the command `tier-check` of the suite calls it. */
export const globSync = () => [];
