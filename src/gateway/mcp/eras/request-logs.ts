/** Log messages for modern clients: each request says from which level on it wants them, and hears of nothing but itself. */

import { LOG_LEVEL_KEY } from '../../../../actors/mcp/meta.ts';
import type { Supervisor } from '../../../options.ts';
import type { ClientRequest } from '../contracts.ts';

const LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];

export interface RequestLogs {
  /** The level that a request names; null: it must hear no log message. */
  levelIn(params: unknown): string | null;
  /** Passes a message on if the request wants it. */
  tell(request: ClientRequest, level: string | null, params: unknown): void;
  /**
   * Over a pipe nothing says which request a message belongs to: as long as one request alone wants them, they are its own.
   * `setLevel`: a legacy server has to be told the level first. The returned function ends it.
   */
  attend(plugin: string, request: () => ClientRequest, level: string, setLevel: boolean): () => void;
  close(): void;
}

export function createRequestLogs(supervisor: Supervisor): RequestLogs {
  const wanting = new Map<string, Set<{ readonly request: () => ClientRequest; readonly level: string }>>();
  /** The lowest level that each legacy server was told, by generation. */
  const told = new Map<string, { readonly generation: number; readonly level: number }>();

  const tell: RequestLogs['tell'] = (request, level, params) => {
    if (level === null) return;
    const rank = LEVELS.indexOf((params as { level?: string } | undefined)?.level ?? '');
    if (rank < 0 || rank >= LEVELS.indexOf(level)) request.notify('notifications/message', params);
  };

  const forget = supervisor.on('plugin:message', ({ plugin, method, params }) => {
    if (method !== 'notifications/message') return;
    const all = wanting.get(plugin);
    const [only] = all ?? [];
    if (only !== undefined && all?.size === 1) tell(only.request(), only.level, params);
  });

  function lower(plugin: string, level: string): void {
    const { generation } = supervisor.status(plugin);
    const rank = LEVELS.indexOf(level);
    const before = told.get(plugin);
    if (before?.generation === generation && before.level <= rank) return;
    told.set(plugin, { generation, level: rank });
    // It goes out before the request itself; a server without logging refuses, and has nothing to tell.
    supervisor.request(plugin, 'logging/setLevel', { level }).catch(() => {});
  }

  return {
    levelIn(params) {
      const level = (params as { _meta?: Readonly<Record<string, unknown>> } | undefined)?._meta?.[LOG_LEVEL_KEY];
      return typeof level === 'string' && LEVELS.includes(level) ? level : null;
    },
    tell,
    attend(plugin, request, level, setLevel) {
      if (setLevel) lower(plugin, level);
      const entry = { request, level };
      const all = wanting.get(plugin) ?? new Set();
      wanting.set(plugin, all.add(entry));
      return () => {
        all.delete(entry);
        if (all.size === 0 && wanting.get(plugin) === all) wanting.delete(plugin);
      };
    },
    close: forget,
  };
}
