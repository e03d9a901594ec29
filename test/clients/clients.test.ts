import { execFile, spawn } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import getPort from 'get-port';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDaemon, type TestDaemon, writeConfig } from '../support/daemon.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { needsRegistries } from '../support/registries.ts';
import { npmClients, pythonClients } from './installed.ts';

needsRegistries('npm', 'pypi', 'go');

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

const TOOLS = ['go__add', 'go__echo', 'go__pid', 'node__echo', 'python__echo', 'python__pid'];
/** Names of whatever a program printed, one a line, that are tools of these plugins. */
const namesIn = (text: string) => text.split('\n').filter((line) => /^(go|node|python)__\w+$/.test(line));

/** Three plugins in three languages behind `serve`, and clients that nobody here wrote in front of it. */
describe('clients of the aggregated endpoint', { timeout: 600_000 }, () => {
  let home: TestHome;
  let gateway: TestDaemon;
  let url: string;
  let node: string;
  let python: string;
  const example = (name: string) => join(root, 'fixtures/examples', name);

  beforeAll(async () => {
    home = await createHome();
    [node, python] = await Promise.all([npmClients(), pythonClients()]);
    const plugins = { node: 'node-stdio', python: 'python-script', go: 'go-stdio' };
    await writeConfig(home, {
      plugins: Object.fromEntries(
        Object.entries(plugins).map(([name, folder]) => [name, { source: join(root, 'fixtures/plugins', folder) }]),
      ),
    });
    gateway = await startDaemon(home);
    url = gateway.url;
    // The first start of each builds it; the clients' own patience is theirs to test elsewhere.
    const ready = await fetch(`${url}/readyz?plugins=node,python,go&wait=300s`);
    expect(await ready.text()).toContain('ready');
    expect(ready.status).toBe(200);
  }, 600_000);

  afterAll(async () => {
    await gateway?.stop();
    await expectNothingLeft(home);
    await home[Symbol.asyncDispose]();
  });

  test('the MCP inspector lists and calls, in either era', async () => {
    const inspector = join(node, 'node_modules/.bin/mcp-inspector');
    for (const era of ['legacy', 'modern']) {
      const common = ['--cli', `${url}/mcp`, '--transport', 'http', '--protocol-era', era];
      const listed = await run(process.execPath, [inspector, ...common, '--method', 'tools/list'], { env: home.env });
      const names = (JSON.parse(listed.stdout) as { tools: { name: string }[] }).tools.map(({ name }) => name);
      expect(names.filter((name) => TOOLS.includes(name)).sort()).toEqual(TOOLS);
      for (const plugin of ['node', 'python', 'go']) {
        const called = await run(
          process.execPath,
          [
            ...[inspector, ...common, '--method', 'tools/call', '--tool-name', `${plugin}__echo`],
            ...['--tool-arg', `message=${era} to ${plugin}`],
          ],
          { env: home.env },
        );
        expect(JSON.parse(called.stdout)).toMatchObject({ content: [{ type: 'text', text: `${era} to ${plugin}` }] });
      }
    }
  });

  /** Where an example finds its packages, in a folder that nobody keeps. */
  async function runNode(name: string) {
    const copy = join(node, 'node_modules/.examples', name);
    cpSync(example(name), copy);
    return run(process.execPath, [copy, `${url}/mcp`], { env: home.env });
  }

  test.each([
    ['ai-sdk.mjs', 'the AI SDK'],
    ['langchain.mjs', 'LangChain'],
  ])('fixtures/examples/%s lists and calls', async (name, who) => {
    const { stdout } = await runNode(name);
    expect(namesIn(stdout)).toEqual(expect.arrayContaining(TOOLS));
    for (const plugin of ['node', 'python', 'go']) expect(stdout).toContain(`${plugin}__echo → hello from ${who}\n`);
  });

  test.each([
    ['llamaindex_tools.py', 'LlamaIndex'],
    ['fastmcp_client.py', 'FastMCP'],
  ])('fixtures/examples/%s lists and calls', async (name, who) => {
    const { stdout } = await run(python, [example(name), `${url}/mcp`], { env: home.env });
    expect(namesIn(stdout)).toEqual(expect.arrayContaining(TOOLS));
    for (const plugin of ['node', 'python', 'go']) expect(stdout).toContain(`${plugin}__echo → hello from ${who}\n`);
  });

  test('a FastAPI application calls plugins for its own users', async () => {
    const port = await getPort();
    const app = spawn(python, ['-m', 'uvicorn', 'fastapi_app:app', '--port', `${port}`, '--log-level', 'warning'], {
      cwd: join(root, 'fixtures/examples'),
      env: { ...home.env, GATEWAY: url, PYTHONDONTWRITEBYTECODE: '1' },
      stdio: 'inherit',
    });
    try {
      const call = (name: string, payload: object) =>
        fetch(`http://127.0.0.1:${port}/plugins/${name}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(payload),
        });
      await untilListening(port);
      for (const plugin of ['node', 'python', 'go']) {
        const answer = await call(plugin, { tool: 'echo', arguments: { message: `to ${plugin}` } });
        expect(await answer.json()).toMatchObject({ content: [{ type: 'text', text: `to ${plugin}` }] });
      }
      const unknown = await call('nobody', { tool: 'echo' });
      expect(unknown.status).toBe(404);
      expect(await unknown.json()).toMatchObject({ detail: { code: 'CONFIG_UNKNOWN_PLUGIN' } });
    } finally {
      const ended = new Promise((resolve) => app.once('exit', resolve));
      app.kill('SIGTERM');
      await ended;
    }
  });
});

async function untilListening(port: number): Promise<void> {
  for (;;) {
    const isUp = await fetch(`http://127.0.0.1:${port}/docs`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (isUp) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
