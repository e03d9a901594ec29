import type { RequestListener } from 'node:http';
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.ts';
import { createHome } from '../support/home.ts';
import { bothEras, serve } from '../support/remote-servers.ts';

const TOKEN = 'tok-0123456789';
const header = ['--header', 'Authorization: Bearer ${env:REMOTE_TOKEN}'];
const env = { REMOTE_TOKEN: TOKEN };

const guarded: RequestListener = (request, response) =>
  request.headers.authorization === `Bearer ${TOKEN}` ? bothEras()(request, response) : response.writeHead(401).end();

describe('a server that runs elsewhere, on the command line', () => {
  it('is named with --url, and with a word of the source grammar', async () => {
    await using server = await serve(guarded);
    await using home = await createHome();
    const url = `${server.origin}/mcp`;
    const tools = await runCli(home, ['tools', '--url', url, ...header, '--json'], { env });
    expect(tools, tools.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(tools.stdout).tools[0].name).toBe('echo');
    const called = await runCli(home, ['call', '--url', url, ...header, 'echo', 'message=hello'], { env });
    expect(called, called.stderr).toMatchObject({ exitCode: 0, stdout: 'hello\n' });
    const word = await runCli(home, ['call', `mcp+${url}`, ...header, 'echo', 'message=hello'], { env });
    expect(word, word.stderr).toMatchObject({ exitCode: 0, stdout: 'hello\n' });
  });

  it('is described without being asked anything', async () => {
    await using server = await serve(guarded);
    await using home = await createHome();
    const detected = await runCli(home, ['detect', '--url', `${server.origin}/mcp?api_key=${TOKEN}`]);
    expect(detected, detected.stderr).toMatchObject({ exitCode: 0 });
    expect(detected.stdout).toContain('nothing is fetched, installed or started');
    expect(detected.stdout).not.toContain(TOKEN);
    expect(server.requests).toEqual([]);
  });

  it.each([
    ['no login', [], 2, 'PROBE_LOGIN'],
    ['a source besides', ['./x'], 2, 'CONFIG_INVALID'],
    ['a header that is none', ['--header', TOKEN], 2, 'CONFIG_INVALID'],
  ])('with %s ends in an error that shows no secret', async (_, more, exitCode, code) => {
    await using server = await serve(guarded);
    await using home = await createHome();
    const failed = await runCli(home, ['tools', '--url', `${server.origin}/mcp`, ...more]);
    expect(failed).toMatchObject({ exitCode, stdout: '' });
    expect(failed.stderr).toContain(code);
    expect(failed.stderr).not.toContain(TOKEN);
  });
});
