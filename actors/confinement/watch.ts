/** Milliseconds between two looks. */
const EVERY = 1000;

/**
 * Looks each second, never twice at once, until there is something to tell, and tells it once. Keeps no program alive.
 * Returns what ends it. A look that fails has seen nothing.
 */
export function watch<Found>(
  look: () => Promise<Found | null>,
  tell: (found: Found) => void,
  every = EVERY,
): () => void {
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  const next = () => {
    timer = setTimeout(async () => {
      const found = await look().catch(() => null);
      if (ended) return;
      if (found === null) next();
      else tell(found);
    }, every).unref();
  };
  next();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
