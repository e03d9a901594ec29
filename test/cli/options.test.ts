import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { refuseFlags } from '../../src/cli/named.ts';
import { addServeOptions, addSourceOptions, toPluginOptions } from '../../src/cli/options.ts';

const options = (flags: Parameters<typeof toPluginOptions>[0]['flags'], pluginArgs: string[] = []) =>
  toPluginOptions({ source: './x', flags, pluginArgs }, { MINE: 'from me', EMPTY: '' });

it('says nothing that was not said', async () => {
  expect(await options({})).toEqual({ source: './x' });
});

it('hands the options on to the library, seconds as milliseconds', async () => {
  const flags = {
    ref: 'v1',
    subdir: 'a/b',
    command: 'node x.js',
    transport: 'sse',
    endpoint: '/mcp',
    timeout: 1.5,
    allowScripts: ['a,@b/c', 'd'],
  } as const;
  expect(await options(flags, ['--root', '/'])).toEqual({
    source: './x',
    ref: 'v1',
    subdir: 'a/b',
    command: 'node x.js',
    args: ['--root', '/'],
    transport: 'sse',
    endpoint: '/mcp',
    allowScripts: ['a', '@b/c', 'd'],
    timeouts: { clone: 1500, install: 1500, start: 1500, call: 1500 },
  });
});

it('lets all install scripts run', async () => {
  expect(await options({ allowScripts: ['a', 'all'] })).toEqual({ source: './x', allowScripts: true });
});

it('confines the plugin as far as it is asked to, one flag for each word', async () => {
  expect(await options({ sandbox: true, user: 'nobody', envPolicy: 'inherit' })).toEqual({
    ...{ source: './x', sandbox: true, user: 'nobody', envPolicy: 'inherit' },
  });
  expect(await options({ envPolicy: 'AWS_*,GH_TOKEN' })).toEqual({ source: './x', envPolicy: ['AWS_*', 'GH_TOKEN'] });
  expect(await options({ limit: ['memory=512M', 'processes=50', 'cpu=0.5'] })).toEqual({
    source: './x',
    limits: { memory: '512M', processes: 50, cpu: 0.5 },
  });
  // Commander says so of a `--no-…` that was not given.
  expect(await options({ network: true })).toEqual({ source: './x' });
  expect(await options({ network: false, allowRead: ['~/a'], allowWrite: ['/b', 'c'] })).toEqual({
    source: './x',
    sandbox: { network: 'off', read: ['~/a'], write: ['/b', resolve('c')] },
  });
});

it('refuses a limit that is none', async () => {
  await expect(options({ limit: ['memory'] })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: '--limit memory: expected name=value.',
  });
});

it('takes variables from files, then from --env; a bare name takes the one of the caller', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cli-options-'));
  try {
    await writeFile(join(folder, 'a'), '# comment\nA=1\nB="two words"\n');
    await writeFile(join(folder, 'b'), 'A=2\nC=3\n');
    const { env } = await options({
      envFile: [join(folder, 'a'), join(folder, 'b')],
      env: ['C=x=y', 'MINE', 'EMPTY', 'NONE='],
    });
    expect(env).toEqual({ A: '2', B: 'two words', C: 'x=y', MINE: 'from me', EMPTY: '', NONE: '' });
  } finally {
    await rm(folder, { recursive: true });
  }
});

it.each([
  [{ env: ['1A=secret'] }, "'1A' is not the name of a variable."],
  [{ env: ['=secret'] }, "'' is not the name of a variable."],
  [{ env: ['NOT_THERE'] }, '--env NOT_THERE: there is no such variable in your environment.'],
  [{ envFile: ['/no/such/file'] }, '--env-file /no/such/file: there is no such file.'],
  [{ envFile: ['/'] }, '--env-file /: EISDIR.'],
])('%j is refused without showing a value', async (flags, message) => {
  await expect(options(flags)).rejects.toMatchObject({ code: 'CONFIG_INVALID', message });
});

it('are the same for a source that is served', () => {
  const flagsOf = (command: Command) => command.options.map(({ long }) => long);
  const served = flagsOf(addServeOptions(new Command('serve')));
  // An address is a source: mcp+https://host/mcp.
  expect(flagsOf(addSourceOptions(new Command('call'))).filter((flag) => !served.includes(flag))).toEqual(['--url']);
});

it('are refused where there is no source that they could be about', () => {
  expect(() => refuseFlags(null, { env: ['A=b'] })).toThrow('--env is for a source, and none was given.');
  expect(() => refuseFlags('time', { network: false })).toThrow("--no-network is for sources, and 'time' is a plugin");
  expect(() => refuseFlags('time', { header: ['A: b'] })).toThrow('--header');
  expect(() => refuseFlags(null, { network: true, timeout: 3, home: '/tmp' })).not.toThrow();
});
