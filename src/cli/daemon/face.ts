/** What only the daemon's own socket offers, before the gateway: how it is, its end, waiting, and MCP as on a pipe. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { SupervisorError } from '../../errors.ts';
import { hintFor, statusFor } from '../../gateway/hint.ts';
import { HttpError } from '../../gateway/http/http-error.ts';
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
          body ?? told(new HttpError('HTTP_NOT_FOUND', `There is no ${path}.`)),
        ),
      (error: unknown) =>
        reply(response, 503, {
          error: SupervisorError.is(error)
            ? { ...error.toJSON(), hint: hintFor(error.hint) }
            : { code: 'INTERNAL_ERROR', message: String(error) },
        }),
    );
  };

  async function answer(asked: string, signal: AbortSignal): Promise<unknown> {
    const [, plugin, wanted] = /^GET \/daemon\/wait\/([^/]+)\/([^/]+)$/.exec(asked) ?? [];
    if (plugin !== undefined && wanted !== undefined) {
      return statusFor(await waitForState(supervisor, decodeURIComponent(plugin), decodeURIComponent(wanted), signal));
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

const told = ({ code, message, hint }: HttpError) => ({ error: { code, phase: 'http', message, hint } });

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
  const asked = request.url ?? '/';
  const url = URL.canParse(asked, 'http://localhost') ? new URL(asked, 'http://localhost') : null;
  if (url?.pathname !== '/daemon/stdio' || request.headers.upgrade !== UPGRADE) {
    const { error } = told(new HttpError('HTTP_BAD_REQUEST', 'Nothing can be upgraded here.'));
    refuseUpgrade(socket, 400, 'Bad Request', error);
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
