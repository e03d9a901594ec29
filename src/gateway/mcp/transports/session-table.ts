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
  /** Whoever has most makes room first, and nobody for one who has more: who opens many ends no one's but its own. */
  const makeRoom = (principal: string): boolean => {
    const counts = new Map<string, number>();
    for (const { client } of sessions.values()) counts.set(client.principal, (counts.get(client.principal) ?? 0) + 1);
    let most = counts.get(principal) ?? 0;
    let quietest: LegacySession | undefined;
    for (const session of sessions.values()) {
      const count = counts.get(session.client.principal) ?? 0;
      if (count < most || session.isBusy()) continue;
      if (count > most || session.seen < (quietest?.seen ?? Number.POSITIVE_INFINITY)) quietest = session;
      most = count;
    }
    if (quietest === undefined) return false;
    end(quietest, 'There are too many sessions.');
    return true;
  };

  return {
    get: (id) => sessions.get(id),
    add: (session) => {
      if (sessions.size >= max && !makeRoom(session.client.principal)) return false;
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
