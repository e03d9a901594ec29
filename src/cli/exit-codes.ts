import type { SupervisorError } from '../errors.ts';

/** What a shell sees; documented in the help and the README. */
export const EXIT = { ok: 0, us: 1, input: 2, plugin: 3, toolError: 4 } as const;

/** 128 + the signal's number, as shells report it. */
export const SIGNAL_EXIT = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
export type EndingSignal = keyof typeof SIGNAL_EXIT;

export const exitCodeOf = (error: SupervisorError): number => EXIT[error.whose];
