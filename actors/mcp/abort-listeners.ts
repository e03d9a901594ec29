/**
 * Many listeners on one signal at the price of one: Node warns on stderr of a leak from the eleventh on, and a caller may
 * well give one signal to a hundred calls.
 */
export interface AbortListeners {
  /** The returned function forgets the listener. It is called at most once. */
  add(signal: AbortSignal, listener: () => void): () => void;
}

export function createAbortListeners(): AbortListeners {
  const signals = new Map<AbortSignal, { readonly listeners: Set<() => void>; readonly tell: () => void }>();

  const open = (signal: AbortSignal) => {
    const listeners = new Set<() => void>();
    const tell = () => {
      for (const listener of [...listeners]) listener();
    };
    const entry = { listeners, tell };
    signals.set(signal, entry);
    signal.addEventListener('abort', tell, { once: true });
    return entry;
  };

  return {
    add(signal, listener) {
      const { listeners, tell } = signals.get(signal) ?? open(signal);
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0 || signals.get(signal)?.listeners !== listeners) return;
        signals.delete(signal);
        signal.removeEventListener('abort', tell);
      };
    },
  };
}
