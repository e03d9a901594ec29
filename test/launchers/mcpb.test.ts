// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the variables of MCPB are written so
import { describe, expect, it } from 'vitest';
import { createSpec } from '../support/spec.ts';
import { json, planOf, starts } from './plan-of.ts';

const manifest = (server: unknown, more: Record<string, unknown> = {}) =>
  json({ manifest_version: '0.3', name: 'acme', version: '1.0.0', server, ...more });
const node = {
  type: 'node',
  entry_point: 'server/index.js',
  mcp_config: { command: 'node', args: ['${__dirname}/server/index.js', '--level=${user_config.level}'] },
};

describe('a whole bundle', () => {
  const files = {
    'manifest.json': manifest(node, { user_config: { level: { type: 'string', default: 'high' } } }),
    'server/index.js': '',
    'server/node_modules/x/index.js': '',
  };

  it('is started as its manifest says, and installs nothing', () => {
    const plan = planOf(files);
    expect(plan).toMatchObject({
      launcher: 'mcpb',
      runtime: 'node',
      install: [],
      confidence: 'high',
      transport: 'stdio',
    });
    expect(starts(plan)).toEqual(['node server/index.js --level=high']);
    expect(plan.tools).toEqual([{ name: 'node', version: null }]);
  });

  it('leaves out a word that needs what nobody gave, and what would be a place of the user’s own', () => {
    const args = ['${__dirname}/server/index.js', '--key=${user_config.key}', '${HOME}/Desktop', '${user_config.dirs}'];
    const server = { ...node, mcp_config: { command: 'node', args } };
    const user_config = {
      key: { type: 'string', required: true },
      dirs: { multiple: true, default: ['a', '${HOME}'] },
    };
    expect(starts(planOf({ ...files, 'manifest.json': manifest(server, { user_config }) }))).toEqual([
      'node server/index.js a',
    ]);
  });

  it('names its settings, and fixes only what it knows itself', () => {
    const env = {
      MODE: 'local',
      LIBRARY: '${__dirname}/lib',
      ACME_KEY: '${user_config.key}',
      STOLEN: '${env:AWS_SECRET}',
    };
    const server = { ...node, mcp_config: { command: 'node', args: ['${__dirname}/server/index.js'], env } };
    const user_config = { key: { type: 'string', required: true, sensitive: true, description: 'From the console' } };
    const plan = planOf({ ...files, 'manifest.json': manifest(server, { user_config }) });
    expect(plan.env).toEqual({ MODE: 'local', LIBRARY: './lib' });
    const about = { required: true, secret: true, description: 'From the console' };
    expect(plan.wants).toContainEqual({ name: 'ACME_KEY', ...about });
  });

  it('runs a program of its own', () => {
    const server = {
      type: 'binary',
      entry_point: 'bin/acme',
      mcp_config: { command: '${__dirname}/bin/acme', args: ['stdio'] },
    };
    expect(starts(planOf({ 'manifest.json': manifest(server), 'bin/acme': '' }))).toEqual(['bin/acme stdio']);
  });

  it.each(['../../bin/sh', '/bin/sh'])('refuses the command %s', (command) => {
    const server = { ...node, mcp_config: { command, args: ['-c', 'true'] } };
    expect(() => planOf({ ...files, 'manifest.json': manifest(server) })).toThrow('DETECT_BAD_MANIFEST');
  });
});

describe('a manifest in a clone', () => {
  const files = {
    'manifest.json': manifest(node),
    'package.json': json({
      name: 'acme-mcp',
      bin: { 'acme-mcp': 'dist/index.js' },
      scripts: { build: 'tsc' },
      dependencies: { '@modelcontextprotocol/sdk': '1' },
    }),
  };

  it('does not count where its entry point is yet to be packed', () => {
    expect(planOf(files)).toMatchObject({ launcher: 'node' });
  });

  it('stands behind a package that names its own program', () => {
    expect(planOf({ ...files, 'server/index.js': '' })).toMatchObject({ launcher: 'node' });
  });

  it('names the program where the package names none, and the runtime installs', () => {
    const quiet = json({ name: 'acme', dependencies: { '@modelcontextprotocol/sdk': '1' } });
    const plan = planOf({ ...files, 'package.json': quiet, 'server/index.js': 'process.stdin' });
    expect(plan).toMatchObject({ launcher: 'mcpb', runtime: 'node' });
    expect(plan.install.length).toBeGreaterThan(0);
    expect(starts(plan)[0]).toMatch(/^node server\/index\.js/);
  });
});

it('takes a browser extension’s manifest for none (trap 30)', () => {
  const chrome = json({ manifest_version: 3, name: 'x', background: { service_worker: 'server/index.js' } });
  expect(() => planOf({ 'manifest.json': chrome, 'server/index.js': '' }, { name: createSpec().source.kind })).toThrow(
    'DETECT_NOT_A_SERVER',
  );
});
