import type { Log } from '../actors/context.ts';

/** The user's logger, whose own errors are dropped: there is nobody left to tell, and thrown they would end the host. */
export function createQuietLog(log: Log): Log {
  const quietly = (level: keyof Log) => (fields: object, message: string) => {
    try {
      log[level](fields, message);
    } catch {
      // See above.
    }
  };
  return { debug: quietly('debug'), info: quietly('info'), warn: quietly('warn'), error: quietly('error') };
}
