import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLI, runCli as run } from '../support/cli.ts';
import { createHome, type TestHome } from '../support/home.ts';

let home: TestHome;
beforeAll(async () => {
  home = await createHome();
});
afterAll(() => home[Symbol.asyncDispose]());
const runCli = async (argv: readonly string[]) => {
  const { exitCode: code, stdout, stderr } = await run(home, argv);
  return { code, stdout, stderr };
};

describe('help', () => {
  it('lists the commands on stdout', async () => {
    const { code, stdout, stderr } = await runCli(['--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const command of ['detect', 'tools', 'call', 'run'])
      expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    expect(stdout).toContain('Exit codes: 0 ok');
  });

  it.each(['detect', 'tools', 'call', 'run'])('of %s names every option of a source', async (command) => {
    const { code, stdout } = await runCli([command, '--help']);
    expect(code).toBe(0);
    const options = [
      'json',
      'ref',
      'subdir',
      'env',
      'env-file',
      'command',
      'transport',
      'endpoint',
      'timeout',
      'home',
      'verbose',
    ];
    for (const option of options) expect(stdout).toMatch(new RegExp(`^ {2}--${option}\\b`, 'm'));
    expect(stdout).toContain('--timeout <seconds>');
  });

  it('comes on stderr, with the exit code of a mistake, when there is no command', async () => {
    const { code, stdout, stderr } = await runCli([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: mcp-supervisor');
  });

  it('goes no further than the version for --version', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
    expect(await runCli(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
  });
});

describe('a mistake on the command line ends with 2 and says what would be right', () => {
  it.each([
    [['cal', './x', 'echo'], "Unknown command 'cal'.", 'Did you mean call?'],
    [['tools', './x', '--jsn'], "Unknown option '--jsn'.", 'Did you mean --json?'],
    [['tools', './x', '--root', '/'], "Unknown option '--root'.", 'arguments for the plugin itself go after --.'],
    [['tools', './x', './y'], "Too many arguments for 'tools'", 'go after --'],
    [['call', './x'], "Missing required argument 'tool'.", 'See mcp-supervisor call --help.'],
    [['tools'], "Missing required argument 'source'.", 'See mcp-supervisor tools --help.'],
    [['tools', './x', '--transport', 'tcp'], 'Allowed choices are auto, stdio, streamable-http, sse, http.', ''],
    [['tools', './x', '--timeout', '1m'], 'Expected seconds, more than 0 and at most 86400.', ''],
    [['tools', './x', '--timeout', '0'], 'Expected seconds', ''],
    [['tools', './x', '--env', '1A=b'], "'1A' is not the name of a variable.", '--env NAME=value'],
    [['tools', './x', '--env', 'NOT_SET_ANYWHERE'], 'there is no such variable in your environment', ''],
    [['tools', 'ftp://host/x.git'], '', ''],
    [['tools', ''], '', ''],
    [['call', './x', 'echo', 'hello'], "'hello' is not an argument", 'name=value'],
    [['call', './x', 'echo', '{"a":'], 'expected JSON', 'Quote JSON for the shell'],
    [['call', './x', '{"tool":'], 'expected JSON', ''],
    [['call', './x', '{"a": 1}', 'b=2'], "'b=2' can't follow a payload.", ''],
  ])('%j', async (argv, message, hint) => {
    const { code, stdout, stderr } = await runCli(argv);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^✗ (wrong input|call failed) · (CONFIG|CALL)_/);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);

    const asJson = await runCli([...argv, '--json']);
    expect(asJson.code).toBe(2);
    expect(JSON.parse(asJson.stderr)).toMatchObject({ phase: expect.stringMatching(/config|call/), stderrTail: [] });
  });
});

describe('a stdout that takes nothing', () => {
  it('is quiet when its reader has gone', async () => {
    const child = spawn(process.execPath, [CLI, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(stderr).toBe('');
  });

  it.skipIf(!existsSync('/dev/full'))('is an error of ours when the disk is full', async () => {
    const full = await open('/dev/full', 'w');
    const child = spawn(process.execPath, [CLI, '--help'], { stdio: ['ignore', full.fd, 'pipe'] });
    let stderr = '';
    child.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    expect(await once(child, 'close')).toEqual([1, null]);
    await full.close();
    expect(stderr).toContain('HOME_DISK_FULL');
  });
});
