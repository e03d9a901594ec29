import type { Supervisor } from '../options.ts';

/** It can be called at once. */
export function isRunning(supervisor: Supervisor, plugin: string): boolean {
  try {
    const { state } = supervisor.status(plugin);
    return state === 'ready' || state === 'idle';
  } catch {
    return false;
  }
}
