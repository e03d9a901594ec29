/** What only the daemon's own socket offers, before the gateway: how it is, its end, waiting, and MCP as on a pipe. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { SupervisorError } from '../../errors.ts';
import type { Supervisor } from '../../options.ts';
import type { DaemonState } from './contracts.ts';
import { waitForState } from './wait-for-state.ts';

export interface FaceParts {
  readonly supervisor: Supervisor;
  readonly state: () => DaemonState;
  readonly stop: () => void;
  readonly reload: () => Promise<void>;
  /** Everything else. */
  readonly gateway: (request: IncomingMessage, response: ServerResponse) => void;
}

export function createFace({ supervisor, state, stop, reload, gateway }: FaceParts): FaceParts['gateway'] {
  return (request, response) => {
    const path = (request.url ?? '').replace(/\?.*$/, '');
    if (path !== '/daemon' && !path.startsWith('/daemon/')) return gateway(request, response);
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    answer(`${request.method} ${path}`, gone.signal).then(
      (body) =>
        reply(
          response,
          body === undefined ? 404 : 200,
          body ?? { error: { code: 'HTTP_NOT_FOUND', message: `There is no ${path}.` } },
        ),
      (error: unknown) =>
        reply(response, 503, {
          error: SupervisorError.is(error) ? error : { code: 'INTERNAL_ERROR', message: String(error) },
        }),
    );
  };

  async function answer(asked: string, signal: AbortSignal): Promise<unknown> {
    const [, plugin, wanted] = /^GET \/daemon\/wait\/([^/]+)\/([^/]+)$/.exec(asked) ?? [];
    if (plugin !== undefined && wanted !== undefined) {
      return waitForState(supervisor, decodeURIComponent(plugin), decodeURIComponent(wanted), signal);
    }
    if (asked === 'GET /daemon') return state();
    if (asked === 'POST /daemon/reload') {
      await reload();
      return state();
    }
    if (asked !== 'POST /daemon/stop') return undefined;
    const told = state();
    // The answer goes first.
    setImmediate(stop);
    return told;
  }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

/** What an `Upgrade` to `mcp-stdio` asks for: `/daemon/stdio?plugin=name&profile=name`. */
export interface Bridged {
  readonly plugin: string | null;
  readonly profile: string | null;
}

export const UPGRADE = 'mcp-stdio';

/** Null, and the socket closed with a reason, for anything else. */
export function readUpgrade(request: IncomingMessage, socket: Duplex): Bridged | null {
  const url = new URL(request.url ?? '/', 'http://localhost');
  if (url.pathname !== '/daemon/stdio' || request.headers.upgrade !== UPGRADE) {
    refuseUpgrade(socket, 400, 'Bad Request', { code: 'HTTP_BAD_REQUEST', message: 'Nothing can be upgraded here.' });
    return null;
  }
  return { plugin: url.searchParams.get('plugin'), profile: url.searchParams.get('profile') };
}

export function acceptUpgrade(socket: Duplex): void {
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${UPGRADE}\r\n\r\n`);
}

export function refuseUpgrade(socket: Duplex, status: number, words: string, error: unknown): void {
  const text = JSON.stringify({ error });
  socket.end(
    `HTTP/1.1 ${status} ${words}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
}
