import type { LegacySession } from './legacy-session.ts';

export interface SessionTable {
  get(id: string): LegacySession | undefined;
  /** False when the table is full of sessions that are in use. */
  add(session: LegacySession): boolean;
  end(session: LegacySession, reason: string): void;
  readonly size: number;
  close(reason: string): void;
}

export interface SessionTableOptions {
  readonly max: number;
  /** Milliseconds without traffic after which a session ends. */
  readonly idle: number;
}

export function createSessionTable({ max, idle }: SessionTableOptions): SessionTable {
  const sessions = new Map<string, LegacySession>();
  let timer: NodeJS.Timeout | null = null;

  const end = (session: LegacySession, reason: string) => {
    if (!sessions.delete(session.id)) return;
    session.end(reason);
    if (sessions.size > 0 || timer === null) return;
    clearInterval(timer);
    timer = null;
  };
  const sweep = () => {
    const since = Date.now() - idle;
    for (const session of [...sessions.values()]) {
      if (session.seen < since && !session.isBusy()) end(session, 'The session was idle for too long.');
    }
  };
  const makeRoom = (): boolean => {
    let quietest: LegacySession | undefined;
    for (const session of sessions.values()) {
      if (!session.isBusy() && session.seen < (quietest?.seen ?? Number.POSITIVE_INFINITY)) quietest = session;
    }
    if (quietest === undefined) return false;
    end(quietest, 'There are too many sessions.');
    return true;
  };

  return {
    get: (id) => sessions.get(id),
    add: (session) => {
      if (sessions.size >= max && !makeRoom()) return false;
      sessions.set(session.id, session);
      timer ??= setInterval(sweep, Math.min(idle / 4, 60_000)).unref();
      return true;
    },
    end,
    get size() {
      return sessions.size;
    },
    close: (reason) => {
      for (const session of [...sessions.values()]) end(session, reason);
    },
  };
}
