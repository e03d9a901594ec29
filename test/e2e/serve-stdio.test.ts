import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect, test } from 'vitest';
import { CLI, runCli } from '../support/cli.ts';
import { PUPPET, startDaemon, writeConfig } from '../support/daemon.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { expectNothingLeft } from '../support/leftovers.ts';

const root = resolve(import.meta.dirname, '../..');

type Message = {
  readonly id?: unknown;
  readonly method?: string;
  readonly result?: Record<string, unknown>;
  readonly error?: Record<string, unknown>;
};

/** An AI client on the pipe of `serve --stdio`. */
interface PipeClient {
  readonly child: ChildProcess;
  readonly stderr: () => string;
  request(method: string, params?: unknown): Promise<Message>;
  initialize(): Promise<Message>;
  /** Ends stdin; resolves with the exit code. */
  end(): Promise<number | null>;
}

function connect(home: TestHome, args: readonly string[] = []): PipeClient {
  const child = spawn(process.execPath, [CLI, 'serve', '--stdio', ...args], {
    env: home.env,
    cwd: home.root,
    stdio: 'pipe',
  });
  const waiting = new Map<unknown, (message: Message) => void>();
  let ids = 0;
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // Whatever is no message breaks the test here: stdout is the protocol's alone.
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line) as Message;
    if (message.method === undefined) waiting.get(message.id)?.(message);
  });
  child.stdin.on('error', () => {});
  const exit = once(child, 'exit');
  const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const request = (method: string, params: unknown = {}) => {
    ids += 1;
    const id = ids;
    const answer = new Promise<Message>((resolve) => waiting.set(id, resolve));
    send({ id, method, params });
    const early = exit.then(() => {
      throw new Error(`it ended before it answered ${method}: ${stderr}`);
    });
    return Promise.race([answer, early]);
  };
  return {
    child,
    stderr: () => stderr,
    request,
    async initialize() {
      const clientInfo = { name: 'test', version: '1' };
      const hello = await request('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo });
      send({ method: 'notifications/initialized' });
      return hello;
    },
    async end() {
      child.stdin.end();
      const [code] = await exit;
      return code as number | null;
    },
  };
}

const toolNames = ({ result = {} }: Message) => (result.tools as { name: string }[]).map(({ name }) => name);
const call = (client: PipeClient, name: string, args: object = {}) =>
  client.request('tools/call', { name, arguments: args });
/** A first list may be that of the stand-ins, where the machine is slow. */
async function listed(client: PipeClient, name: string): Promise<readonly string[]> {
  for (;;) {
    const names = toolNames(await client.request('tools/list'));
    if (names.includes(name)) return names;
    await sleep(50);
  }
}
const HELLO = { content: [{ type: 'text', text: 'hello' }] };

describe('serve --stdio', { timeout: 120_000 }, () => {
  test('one source is that plugin: its own names and identity', async () => {
    await using home = await createHome();
    const args = ['--', ...PUPPET.split(' ').slice(1)];
    const first = connect(home, args);
    await first.initialize();
    await listed(first, 'echo');
    expect((await call(first, 'echo', { message: 'hello' })).result).toMatchObject(HELLO);
    expect(await first.end()).toBe(0);
    // Nobody waits for a name longer than a second; from the second start on it is known.
    const client = connect(home, args);
    expect((await client.initialize()).result?.serverInfo).toMatchObject({ name: expect.stringContaining('puppet') });
    expect(await client.end()).toBe(0);
    await expectNothingLeft(home);
  });

  test('a name is that plugin of the configuration; nothing is all of them; a profile is a part', async () => {
    await using home = await createHome();
    await writeConfig(home, {
      plugins: { one: PUPPET, two: PUPPET },
      profiles: { half: { plugins: ['two'], tools: { allow: ['echo'] } } },
    });
    for (const [args, tool, count] of [
      [['one'], 'echo', null],
      [[], 'two__echo', null],
      [['--profile', 'half'], 'two__echo', 1],
    ] as const) {
      const client = connect(home, args);
      await client.initialize();
      const names = await listed(client, tool);
      if (count !== null) expect(names).toHaveLength(count);
      expect((await call(client, tool, { message: 'hello' })).result).toMatchObject(HELLO);
      expect(await client.end()).toBe(0);
    }
    await expectNothingLeft(home);
  });

  test('what it can not serve is said on stderr, and nothing on stdout', async () => {
    await using home = await createHome();
    await writeConfig(home, { plugins: { one: PUPPET } });
    for (const [args, said] of [
      [['nobody'], 'Known plugins: one'],
      [['--profile', 'nobody'], "no profile 'nobody'"],
    ] as const) {
      const result = await runCli(home, ['serve', '--stdio', ...args]);
      expect(result).toMatchObject({ exitCode: 2, stdout: '' });
      expect(result.stderr).toContain(said);
    }
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('a %s ends it with everything that it started', async (signal) => {
    await using home = await createHome();
    const client = connect(home, ['--', ...PUPPET.split(' ').slice(1)]);
    await client.initialize();
    await call(client, 'pid');
    client.child.kill(signal);
    await once(client.child, 'exit');
    await expectNothingLeft(home);
  });

  test('ten at once on one home all work, and none is the daemon', async () => {
    await using home = await createHome();
    await writeConfig(home, { plugins: { one: PUPPET } });
    const clients = Array.from({ length: 10 }, () => connect(home, ['one']));
    const pids = await Promise.all(
      clients.map(async (client) => {
        await client.initialize();
        return JSON.stringify((await call(client, 'pid')).result);
      }),
    );
    expect(new Set(pids).size).toBe(10);
    expect(await Promise.all(clients.map((client) => client.end()))).toEqual(Array(10).fill(0));
    await expectNothingLeft(home);
  });
});

describe('with a daemon on that home', { timeout: 120_000 }, () => {
  test('every pipe reaches the daemon’s own plugin', async () => {
    await using home = await createHome();
    await writeConfig(home, { plugins: { one: PUPPET } });
    await using daemon = await startDaemon(home);
    const clients = [connect(home, ['one']), connect(home)];
    const [own, all] = clients as [PipeClient, PipeClient];
    await own.initialize();
    await all.initialize();
    expect((await call(own, 'pid')).result).toEqual((await call(all, 'one__pid')).result);
    for (const client of clients) expect(await client.end()).toBe(0);
    await daemon.stop();
    await expectNothingLeft(home);
  });

  test('a client that says all at once and closes its pipe is answered', async () => {
    await using home = await createHome();
    await writeConfig(home, { plugins: { one: PUPPET } });
    await using daemon = await startDaemon(home);
    const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    const lines = [
      { id: 1, method: 'initialize', params: hello },
      { id: 2, method: 'tools/call', params: { name: 'pid' } },
    ].map((message) => JSON.stringify({ jsonrpc: '2.0', ...message }));
    const { exitCode, stdout } = await runCli(home, ['serve', '--stdio', 'one'], { input: `${lines.join('\n')}\n` });
    const answers = stdout.trim().split('\n');
    expect(answers.map((line) => (JSON.parse(line) as Message).id)).toEqual([1, 2]);
    expect(exitCode).toBe(0);
    await daemon.stop();
  });

  test('a restart of the daemon loses what was open, and nothing else', async () => {
    await using home = await createHome();
    await writeConfig(home, { plugins: { one: PUPPET } });
    await using first = await startDaemon(home);
    const client = connect(home, ['one']);
    await client.initialize();
    await call(client, 'pid');
    const open = call(client, 'never');
    // It was taken by the plugin before the daemon goes.
    await call(client, 'pid');
    first.process.child.kill('SIGKILL');
    expect((await open).error).toMatchObject({ data: { fate: 'sent-unknown' } });
    const late = call(client, 'echo', { message: 'hello' });
    await using _second = await startDaemon(home);
    expect((await late).result).toMatchObject(HELLO);
    expect(await client.end()).toBe(0);
  });
});

describe('a client that can be asked', () => {
  const asks = ['--', process.execPath, join(root, 'fixtures/processes/mcp/asks.mjs')];
  const textOf = (result: { readonly content: unknown }) =>
    JSON.parse((result.content as { readonly text: string }[])[0]!.text) as unknown;

  test('is told to the server of its line as it declares itself, and answers for each of its calls', async () => {
    await using home = await createHome();
    const client = new Client(
      { name: 'test', version: '1' },
      { capabilities: { elicitation: { form: {} }, roots: {} } },
    );
    client.setRequestHandler('elicitation/create', async ({ params }) => ({
      action: 'accept',
      content: { heard: params.message },
    }));
    await client.connect(
      new StdioClientTransport({
        command: process.execPath,
        args: [CLI, 'serve', '--stdio', ...asks],
        cwd: home.root,
        env: { ...home.env },
        stderr: 'ignore',
      }),
    );
    expect(textOf(await client.callTool({ name: 'declared', arguments: {} }))).toEqual({ elicitation: { form: {} } });
    const ask = async (message: string) => {
      const requestedSchema = { type: 'object', properties: { heard: { type: 'string' } } };
      const args = { method: 'elicitation/create', params: { mode: 'form', message, requestedSchema } };
      return textOf(await client.callTool({ name: 'asks', arguments: args }));
    };
    const heard = (message: string) => ({ result: { action: 'accept', content: { heard: message } } });
    expect(await Promise.all([ask('one'), ask('two')])).toEqual([heard('one'), heard('two')]);
    await client.close();
    await expectNothingLeft(home);
  });

  test('is not made up: who declares nothing is asked nothing', async () => {
    await using home = await createHome();
    const client = connect(home, asks);
    await client.initialize();
    const { result } = await client.request('tools/call', { name: 'declared', arguments: {} });
    expect(textOf(result as { content: unknown })).toEqual({});
    await client.end();
    await expectNothingLeft(home);
  });
});
