/** Log messages for modern clients: each request says from which level on it wants them, and hears of nothing but itself. */

import { LOG_LEVEL_KEY } from '../../../../actors/mcp/meta.ts';
import type { Supervisor } from '../../../options.ts';
import type { ClientRequest } from '../contracts.ts';
import { isLevel, type Level, passes } from '../log-levels.ts';

export interface RequestLogs {
  /** The level that a request names; null: it must hear no log message. */
  levelIn(params: unknown): Level | null;
  /** Passes a message on if the request wants it. */
  tell(request: ClientRequest, level: Level | null, params: unknown): void;
  /**
   * Over a pipe nothing says which request a message belongs to: as long as one request alone wants them, they are its own.
   * The returned function ends it.
   */
  attend(plugin: string, request: () => ClientRequest, level: Level): () => void;
  close(): void;
}

export function createRequestLogs(supervisor: Supervisor): RequestLogs {
  const wanting = new Map<string, Set<{ readonly request: () => ClientRequest; readonly level: Level }>>();

  const tell: RequestLogs['tell'] = (request, level, params) => {
    if (level === null) return;
    const told = (params as { level?: unknown } | undefined)?.level;
    if (passes(told, level)) request.notify('notifications/message', params);
  };

  const forget = supervisor.on('plugin:message', ({ plugin, method, params }) => {
    if (method !== 'notifications/message') return;
    const all = wanting.get(plugin);
    const [only] = all ?? [];
    if (only !== undefined && all?.size === 1) tell(only.request(), only.level, params);
  });

  return {
    levelIn(params) {
      const level = (params as { _meta?: Readonly<Record<string, unknown>> } | undefined)?._meta?.[LOG_LEVEL_KEY];
      return isLevel(level) ? level : null;
    },
    tell,
    attend(plugin, request, level) {
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
