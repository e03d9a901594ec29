/**
 * Our faces as adapters of the benchmark harness: `BENCH_OURS=test/bench/gateway-adapter.mjs node 08-slices.js --only …`.
 * The gateway is the built daemon, in a process of its own. MCP_BENCH names the harness, whose clients are used, so that
 * every face is called by the same code as its rivals.
 */

import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Folder of the build under test. */
const dist = resolve(process.env.MCP_SUPERVISOR_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url)));

const harness = (file) => import(pathToFileURL(join(resolve(process.env.MCP_BENCH), file)).href);
const sourceOf = ({ command, args }) => ['--', command, ...args.map((word) => `'${word}'`)].join(' ');
const textOf = (result) => result.content[0].text;

/** `serve` on a home of its own, with these plugins ready. */
export async function startGateway(plugins) {
  const home = await mkdtemp(join(tmpdir(), 'mcps-bench-'));
  const config = join(home, 'bench.json');
  const entries = Object.entries(plugins).map(([id, plugin]) => [
    id,
    { source: sourceOf(plugin), env: plugin.env ?? {} },
  ]);
  await writeFile(config, JSON.stringify({ plugins: Object.fromEntries(entries) }));
  const port = await freePort();
  const args = [join(dist, 'src/cli/main.js'), 'serve', '--port', String(port), '--config', config];
  const env = { ...process.env, MCP_SUPERVISOR_HOME: join(home, 'home') };
  const daemon = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  daemon.stderr.on('data', (chunk) => (said = (said + chunk).slice(-4000)));
  const url = `http://127.0.0.1:${port}`;
  try {
    for (const id of Object.keys(plugins)) {
      await whenUp(() => fetch(`${url}/plugins/${id}/start`, { method: 'POST' }), daemon);
    }
  } catch (error) {
    daemon.kill('SIGKILL');
    throw new Error(`${error.message}\n${said}`, { cause: error });
  }
  return {
    port,
    url,
    pid: daemon.pid,
    async stop() {
      const over = new Promise((resolve) => daemon.once('exit', resolve));
      daemon.kill('SIGTERM');
      await over;
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function whenUp(ask, daemon) {
  for (let tries = 0; ; tries += 1) {
    try {
      const response = await ask();
      if (response.ok) return;
      throw new Error(`${response.status} ${await response.text()}`);
    } catch (error) {
      if (daemon.exitCode !== null || tries === 600) throw error;
      await sleep(50);
    }
  }
}

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

async function childrenOf(pid) {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((one) => readFile(`/proc/${one}/stat`, 'utf8').catch(() => '')));
  return pids
    .filter((_, index) => Number(stats[index].slice(stats[index].lastIndexOf(')') + 2).split(' ')[1]) === pid)
    .map(Number);
}

const gateway = (name, connect) => ({
  name,
  family: 'gateway',
  async start({ plugins }) {
    const served = await startGateway(plugins);
    const client = await connect(served, Object.keys(plugins));
    const pids = await childrenOf(served.pid);
    return {
      managerPid: served.pid,
      pluginPids: () => pids,
      call: client.call,
      async stop() {
        await client.close();
        await served.stop();
      },
    };
  },
});

const overRest = async ({ port }) => {
  const { httpClient } = await harness('floor/http-client.js');
  const client = httpClient(port);
  return {
    call: async (id, tool, args) => textOf(await client.post(`/plugins/${id}`, { tool, arguments: args })),
    close: async () => client.close(),
  };
};

const overMcp = (open) => async (served, ids) => {
  const clients = await harness('lib/mcp.js');
  const opened = await Promise.all(ids.map(async (id) => [id, await open(clients, `${served.url}/plugins/${id}/mcp`)]));
  const byId = new Map(opened);
  return {
    call: async (id, tool, args) => textOf(await byId.get(id).callTool(tool, args)),
    close: () => Promise.all(opened.map(([, client]) => client.close())),
  };
};

const embedded = {
  name: 'ours-embedded',
  family: 'embedded',
  async start({ plugins }) {
    const { createSupervisor } = await import(pathToFileURL(join(dist, 'src/index.js')).href);
    const home = await mkdtemp(join(tmpdir(), 'mcps-bench-'));
    const entries = Object.entries(plugins).map(([id, plugin]) => [
      id,
      { source: sourceOf(plugin), env: plugin.env ?? {} },
    ]);
    const supervisor = createSupervisor({ home, plugins: Object.fromEntries(entries) });
    await Promise.all(Object.keys(plugins).map((id) => supervisor.start(id)));
    return {
      managerPid: null,
      pluginPids: () => supervisor.status().flatMap(({ pid }) => pid ?? []),
      call: async (id, tool, args) => textOf(await supervisor.call(id, { tool, arguments: args })),
      async stop() {
        await supervisor.close();
        await rm(home, { recursive: true, force: true });
      },
    };
  },
};

export const createAdapters = () => [
  embedded,
  gateway('ours-rest', overRest),
  gateway(
    'ours-mcp',
    overMcp(({ v1Http }, url) => v1Http(url)),
  ),
  gateway(
    'ours-mcp-modern',
    overMcp(({ v2Http }, url) => v2Http(url, { versionNegotiation: { mode: 'auto' } })),
  ),
];
