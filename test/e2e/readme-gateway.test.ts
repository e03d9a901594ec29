import { readFileSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { PLUGIN_OPTIONS } from '../../src/config.ts';
import type { ServerOptions } from '../../src/config-file/contracts.ts';
import { CLI } from '../support/cli.ts';
import { startDaemon } from '../support/daemon.ts';
import { createHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';
import { needsRegistries } from '../support/registries.ts';

needsRegistries('npm');

const root = resolve(import.meta.dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const section = /## The gateway\n([\s\S]*?)\n## /.exec(readme)![1]!;
const block = (language: string) => new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(section)![1]!;

/** A folder in which the README's relative paths mean what they mean in a clone. */
async function cloneFor(home: { readonly root: string }) {
  const folder = join(home.root, 'clone');
  await mkdir(join(folder, 'fixtures/plugins'), { recursive: true });
  await cp(join(root, 'fixtures/plugins/node-stdio'), join(folder, 'fixtures/plugins/node-stdio'), { recursive: true });
  return folder;
}

test('the line for AI clients starts the plugin as it is', async () => {
  await using home = await createHome();
  const { demo } = (JSON.parse(block('json')) as { mcpServers: Record<string, { command: string; args: string[] }> })
    .mcpServers;
  const [, , ...args] = demo!.args;
  expect([demo!.command, ...demo!.args.slice(0, 2)]).toEqual(['npx', '-y', 'mcp-supervisor']);
  const client = new Client({ name: 'readme', version: '1' });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [CLI, ...args],
      cwd: await cloneFor(home),
      env: { ...home.env },
      stderr: 'ignore',
    }),
  );
  const listed = new Promise<void>((resolve) => {
    client.setNotificationHandler('notifications/tools/list_changed', () => resolve());
  });
  const names = async () => (await client.listTools()).tools.map(({ name }) => name);
  // An install that takes longer than clients wait: the stand-ins first, then word of the real ones.
  if (!(await names()).includes('echo')) await listed;
  expect(await names()).toContain('echo');
  const { content } = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
  expect(content).toEqual([{ type: 'text', text: 'hello' }]);
  await client.close();
  await expectNothingLeft(home);
});

test('the configuration serves what the curl line asks for', async () => {
  await using home = await createHome();
  const clone = await cloneFor(home);
  await writeFile(join(clone, 'config.yaml'), block('yaml'));
  expect(section).toContain('`mcp-supervisor serve --config config.yaml`');
  await using gateway = await startDaemon(home, ['--config', 'config.yaml'], { cwd: clone });
  const command = block('sh').trim();
  const { stdout } = await execa('sh', ['-c', command.replace('http://127.0.0.1:7420', gateway.url)]);
  expect(stdout).toBe(/```sh[\s\S]*?```\s*```\n([\s\S]*?)\n```/.exec(section)![1]);
  await gateway.stop();
  await expectNothingLeft(home);
});

test('the table of the file names every option, and none that is not there', () => {
  const row = (start: string) => {
    const cells = section.split('\n').find((line) => line.startsWith(`| \`${start}\``)) as string;
    return [...cells.slice(start.length + 5).matchAll(/`([^`]*)`/g)].flatMap(([, words]) => words!.split(' '));
  };
  // `type` is a word of pasted configurations; `disabled` and `envFile` are the file's alone.
  const { type: _, ...options } = Object.fromEntries(PLUGIN_OPTIONS.map((name) => [name, true]));
  expect(row('plugins.<name>').sort()).toEqual([...Object.keys(options), 'disabled', 'envFile'].sort());
  const server: Record<keyof ServerOptions, true> = {
    host: true,
    port: true,
    tokens: true,
    auth: true,
    allowHost: true,
    allowOrigin: true,
    trustedProxy: true,
    rateLimit: true,
    maxBody: true,
    maxToolName: true,
    legacySse: true,
    basePath: true,
  };
  expect(row('server').sort()).toEqual(
    Object.keys(server)
      .filter((name) => name !== 'basePath')
      .sort(),
  );
});
