/** Levels of log messages, from the one that tells everything on (MCP, logging). */
export const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;

export type Level = (typeof LEVELS)[number];

export const isLevel = (value: unknown): value is Level => (LEVELS as readonly unknown[]).includes(value);

/** Whether a message of that level is for whoever asked for `wanted`; one of a level that nobody knows is better told than lost. */
export function passes(level: unknown, wanted: Level): boolean {
  return !isLevel(level) || LEVELS.indexOf(level) >= LEVELS.indexOf(wanted);
}

/** The lowest of those that are said; undefined for none. */
export const lowestOf = (levels: Iterable<Level | undefined>): Level | undefined => {
  const said = new Set(levels);
  return LEVELS.find((level) => said.has(level));
};
