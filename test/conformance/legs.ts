/** The ways in which the conformance suite reaches our fixture: by itself, and behind the gateway. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { createGateway } from '../../src/gateway/gateway.ts';
import type { PluginOptions } from '../../src/options.ts';
import { createSupervisor } from '../../src/supervisor.ts';
import { createHome } from '../support/home.ts';
import type { Requirements } from './suite.ts';

export interface Leg {
  readonly name: string;
  readonly requirements: Requirements;
  /** The plugin behind `/plugins/:name/mcp`; null: the fixture itself, without us. */
  readonly plugin: keyof typeof plugins | null;
}

const program = resolve('fixtures/plugins/conformance/server.mjs');
const stdio: PluginOptions = { source: `-- node ${program}`, transport: 'stdio' };
const http: PluginOptions = { source: `-- node ${program} http`, transport: 'streamable-http', endpoint: '/mcp' };

export const plugins = {
  stdio,
  'stdio-interactive': { ...stdio, interactive: true },
  'stdio-modern': { ...stdio, protocol: 'modern' },
  'stdio-legacy-only': { ...stdio, source: `${stdio.source} --legacy`, interactive: true },
  http,
  'http-interactive': { ...http, interactive: true },
  'http-modern': { ...http, protocol: 'modern' },
} as const satisfies Record<string, PluginOptions>;

export const legs: readonly Leg[] = [
  { name: 'the fixture itself, 2025-11-25', requirements: '2025-11-25', plugin: null },
  { name: 'the fixture itself, 2026-07-28', requirements: '2026-07-28', plugin: null },
  { name: '2025-11-25, stdio, interactive', requirements: '2025-11-25', plugin: 'stdio-interactive' },
  { name: '2025-11-25, stdio, default settings', requirements: '2025-11-25', plugin: 'stdio' },
  { name: '2025-11-25, stdio, modern plugin', requirements: '2025-11-25', plugin: 'stdio-modern' },
  { name: '2025-11-25, HTTP, interactive', requirements: '2025-11-25', plugin: 'http-interactive' },
  { name: '2025-11-25, HTTP, default settings', requirements: '2025-11-25', plugin: 'http' },
  { name: '2026-07-28, stdio, modern', requirements: '2026-07-28', plugin: 'stdio-modern' },
  { name: '2026-07-28, stdio, default settings', requirements: '2026-07-28', plugin: 'stdio' },
  { name: '2026-07-28, stdio, legacy plugin', requirements: '2026-07-28', plugin: 'stdio-legacy-only' },
  { name: '2026-07-28, HTTP, modern', requirements: '2026-07-28', plugin: 'http-modern' },
  { name: '2026-07-28, HTTP, default settings', requirements: '2026-07-28', plugin: 'http' },
];

export interface Course extends AsyncDisposable {
  urlOf(leg: Leg): string;
}

/** One gateway for all legs, and the fixture on a port of its own. */
export async function createCourse(): Promise<Course> {
  const home = await createHome();
  const supervisor = createSupervisor({ home: home.path, env: home.env, plugins });
  const gateway = createGateway(supervisor);
  const server = createServer(gateway.handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const fixture = await startFixture();
  return {
    urlOf: ({ plugin }) => (plugin === null ? fixture.url : `http://127.0.0.1:${port}/plugins/${plugin}/mcp`),
    async [Symbol.asyncDispose]() {
      fixture.child.kill();
      await gateway.close();
      server.close();
      server.closeAllConnections();
      await supervisor.close();
      await home[Symbol.asyncDispose]();
    },
  };
}

function startFixture(): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = spawn(process.execPath, [program, 'http'], { stdio: ['ignore', 'ignore', 'pipe'] });
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      const url = /http:\S+(?=\s)/.exec(said)?.[0];
      if (url !== undefined) resolve({ child, url });
    });
    child.once('exit', () => reject(new Error(`the fixture ended: ${said}`)));
  });
}
