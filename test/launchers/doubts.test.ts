import { expect, it } from 'vitest';
import { findDoubts, suggestManifest } from '../../launchers/doubts.ts';
import { createFileView } from '../support/file-view.ts';
import { json, planOf, SDK } from './plan-of.ts';

const SERVER = 'import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";\nnew McpServer({});\n';
const plain = {
  'package.json': json({
    name: 'acme-mcp',
    bin: { 'acme-mcp': 'server.js' },
    engines: { node: '>=20' },
    dependencies: SDK,
  }),
  'package-lock.json': '{}',
  'server.js': `#!/usr/bin/env node\n${SERVER}`,
};
const doubtsOf = (files: Readonly<Record<string, string>>) =>
  findDoubts(createFileView(files), planOf(files)).map(({ doubt }) => doubt);

it('doubts nothing but the transport of a package that declares its program, its lock and its Node', () => {
  expect(doubtsOf(plain)).toEqual(['It doesn’t declare its transport: the first start has to find it out.']);
});

it('doubts a program that was found by its file’s name', () => {
  const files = { ...plain, 'package.json': json({ name: 'acme-mcp', engines: { node: '>=20' }, dependencies: SDK }) };
  expect(doubtsOf(files)[0]).toMatch(/^Nothing declares its program: file:server\.js/);
});

it('doubts a project without a lock file, and one with the locks of two managers', () => {
  const { 'package-lock.json': _, ...unlocked } = plain;
  expect(doubtsOf(unlocked)[0]).toMatch(/^There is no lock file/);
  expect(doubtsOf({ ...plain, 'yarn.lock': '' })[0]).toBe('There are lock files of npm and Yarn.');
});

it('doubts a version of the runtime that nobody names', () => {
  const files = {
    ...plain,
    'package.json': json({ name: 'acme-mcp', bin: { 'acme-mcp': 'server.js' }, dependencies: SDK }),
  };
  expect(doubtsOf(files)[0]).toBe("It doesn't say which versions of node it runs on.");
});

it('doubts a key that the source reads and no manifest declares', () => {
  const files = { ...plain, 'server.js': `${plain['server.js']}process.env.ACME_TOKEN;\n` };
  expect(doubtsOf(files).at(-1)).toBe('It reads ACME_TOKEN, and no manifest says whether that is required.');
  const packages = [{ identifier: 'acme-mcp', environmentVariables: [{ name: 'ACME_TOKEN', isSecret: true }] }];
  expect(doubtsOf({ ...files, 'server.json': json({ packages }) }).join()).not.toContain('ACME_TOKEN');
});

it('suggests a manifest that leaves nothing to doubt, and starts the same program', () => {
  const suggested = suggestManifest(planOf(plain));
  expect(suggested).toBe('runtime: node\nentry: server.js\ntransport: stdio # or streamable-http, sse, http\n');
  const settled = { ...plain, 'mcp-supervisor.yaml': suggested };
  expect(doubtsOf(settled)).toEqual([]);
  expect(planOf(settled).start[0]?.command).toEqual(planOf(plain).start[0]?.command);
});
