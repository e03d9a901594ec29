/** `serve --stdio` of another process: its pipe, carried through the daemon's socket to an endpoint here. */

import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Config } from '../../config-file/contracts.ts';
import type { Gateway } from '../../gateway/contracts.ts';
import { acceptUpgrade, readUpgrade, refuseUpgrade } from '../daemon/face.ts';
import { findEndpoint } from './find-endpoint.ts';
import type { Report } from './report.ts';
import { supervisorLog } from './supervisor-log.ts';

export interface CarryParts {
  readonly gateway: Gateway;
  readonly config: () => Config;
  readonly report: Report;
}

export function carryUpgrades(server: Server, { gateway, config, report }: CarryParts): void {
  const log = supervisorLog(report);
  server.on('upgrade', (request, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const asked = readUpgrade(request, socket);
    if (asked === null) return;
    try {
      const endpoint = findEndpoint(gateway, asked, Object.keys(config().profiles));
      acceptUpgrade(socket);
      if (head.length > 0) socket.unshift(head);
      void carry(endpoint, socket);
    } catch (error) {
      refuseUpgrade(socket, 404, 'Not Found', error);
    }
  });

  async function carry(endpoint: ReturnType<typeof findEndpoint>, socket: Duplex): Promise<void> {
    const gone = new AbortController();
    socket.once('close', () => gone.abort());
    try {
      const { serveStdio } = await import('../../gateway/mcp/transports/stdio.ts');
      await serveStdio({ endpoint, input: socket, output: socket, log, signal: gone.signal });
    } catch (error) {
      log.warn({ err: error }, 'a client on stdio was lost');
    } finally {
      socket.end();
    }
  }
}
