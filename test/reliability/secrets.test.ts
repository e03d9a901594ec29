/** What a plugin knows and must not be shown: wherever it turns up again, it is masked. */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { InspectionEvent } from 'xstate';
import type { PluginOptions, SupervisorOptions } from '../../src/options.ts';
import { createSupervisor } from '../../src/supervisor.ts';
import { createFixtureRepos, type FixtureRepos } from '../support/fixture-repos.ts';
import { type GitServer, startGitServer } from '../support/git-server.ts';
import { createStage, eventually, program, puppet, type Stage, textOf } from './stage.ts';

const PLAIN = 'plain-S3cret/value+1 "x"';
const RESOLVED = 'resolved-S3cret-value';
const LOGIN = 'l0gin-S3cret-value';
const PEM = ['-----BEGIN PRIVATE KEY-----', 'MIIEvQIBADANBgkqh', 'kiG9w0BAQEFAASCBK', '-----END PRIVATE KEY-----'].join(
  '\n',
);
const SECRETS = [PLAIN, RESOLVED, LOGIN, PEM];

/** Every way in which any of them might be written: the ones that are asserted to be nowhere. */
const TRACES = [
  ...SECRETS,
  // What is left of one that was cut in two.
  ...SECRETS.map((secret) => secret.slice(5)),
  ...PEM.split('\n').slice(1, 3),
  ...SECRETS.flatMap((secret) => [
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret).toString('base64url'),
  ]),
  // `user:password`, as in a Basic login.
  Buffer.from(`u:${LOGIN}`).toString('base64').slice(3, -3),
];

const leaks = (text: string): readonly string[] => TRACES.filter((trace) => text.includes(trace));
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** All that a supervisor lets out, gathered as it comes. */
async function createWatched(plugins: Record<string, PluginOptions>, more: SupervisorOptions = {}) {
  const seen: string[] = [];
  const see = (value: unknown) => void seen.push(inspect(value, { depth: 12, showHidden: true }), json(value));
  const level = (fields: object, message: string) => see([fields, message]);
  const stage = await createStage({
    plugins,
    logger: { debug: level, info: level, warn: level, error: level },
    inspect: (event: InspectionEvent) => {
      if ('event' in event) see(event.event);
      if ('snapshot' in event) see((event.snapshot as { context?: unknown }).context);
    },
    ...more,
  });
  const { supervisor } = stage;
  for (const event of ['plugin:state', 'plugin:log', 'plugin:crashed'] as const) supervisor.on(event, see);
  return {
    stage,
    supervisor,
    see,
    /** Of everything so far, and of what it tells and has written now. */
    async leaks() {
      for (const name of supervisor.list()) {
        see(supervisor.status(name));
        see(supervisor.history(name));
        see(supervisor.logs(name));
      }
      see(supervisor.metrics());
      see(supervisor.actor.getSnapshot().context);
      see(supervisor.actor.getPersistedSnapshot());
      await supervisor.close();
      return leaks(seen.join('\n'));
    },
    [Symbol.asyncDispose]: () => stage[Symbol.asyncDispose](),
  };
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}

/** An error with all that hangs on it. */
const thrownBy = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (thrown: Error & { cause?: Error }) => thrown,
  );
  expect(error).toBeInstanceOf(Error);
  return { error, words: [error?.message, error?.stack, error?.cause?.message, error?.cause?.stack, error] };
};

/** Every file of the home, as text. */
async function filesOf({ home }: Stage): Promise<string> {
  const entries = await readdir(home.path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return (await Promise.all(files.map((file) => readFile(file, 'latin1').catch(() => '')))).join('\n');
}

const env = {
  PLAIN,
  RESOLVED: '${cmd:printf %s-%s resolved-S3cret value}',
  PEM,
};

describe('secrets', () => {
  let repos: FixtureRepos;
  let server: GitServer;
  const withLogin = (password: string) => `${server.url.replace('//', `//u:${password}@`)}/puppet.git`;
  beforeAll(async () => {
    repos = await createFixtureRepos();
    await repos.add('puppet');
    server = await startGitServer({ root: repos.root, auth: { username: 'u', password: LOGIN } });
  });
  afterAll(async () => {
    await server.close();
    await repos[Symbol.asyncDispose]();
  });

  test('that a server prints, throws and dies with are in nothing that anyone sees', async () => {
    await using watched = await createWatched({ leaky: { source: withLogin(LOGIN), env } });
    const { supervisor, see, stage } = watched;
    const tool = (name: string, args: object) => supervisor.call('leaky', { tool: name, arguments: { ...args } });
    const print = (text: string, stream = 'stderr') => tool('raw', { base64: base64(text), stream });

    // By design: a result is passed on as it is.
    expect(JSON.parse(textOf(await tool('environment', {})))).toMatchObject({ PLAIN, RESOLVED, PEM });

    for (const secret of SECRETS) {
      await print(`loaded ${secret} from the environment\n`);
      await print(`token ${secret}\n`, 'stdout');
      await print(`${JSON.stringify({ token: secret })}\n`, 'stdout');
      await print(`https://host/?key=${encodeURIComponent(secret)}\n`);
      await print(`Authorization: Basic ${base64(`u:${secret}`)} ${base64(secret)}\n`);
      // In two chunks.
      await print(`half a ${secret.slice(0, 8)}`);
      await print(`${secret.slice(8)} and the other\n`);
      // In a line so long that it comes in pieces, over the end of the first.
      await print(`${'x'.repeat(64 * 1024 - 5)}${secret} ${'y'.repeat(100)}\n`);
    }
    await print('the last line\n');
    await eventually(() => supervisor.logs('leaky').some(({ text }) => text === 'the last line'));

    const error = {
      code: -32000,
      message: `no access with ${SECRETS.join(', ')}`,
      data: { tried: SECRETS, [PLAIN]: 1 },
    };
    const message = JSON.stringify({ jsonrpc: '2.0', id: 'ID', error }).replace('"ID"', 'ID');
    const refused = await thrownBy(tool('chunks', { base64: [base64(`${message}\n`)] }));
    expect(refused.error).toMatchObject({ code: 'CALL_PROTOCOL_ERROR', data: { code: -32000 } });
    see(refused.words);

    await print(`fatal: ${SECRETS.join(' ')}\n`);
    const died = await thrownBy(tool('exit', { code: 3 }));
    expect(died.error).toMatchObject({ code: 'CALL_INTERRUPTED', exit: { code: 3 } });
    expect(JSON.stringify(died.error)).toContain('[redacted]');
    see(died.words);
    await eventually(() => supervisor.history('leaky').some(({ state }) => state === 'crashed'));

    expect(await watched.leaks()).toEqual([]);
    const files = await filesOf(stage);
    expect(files).toContain('loaded [redacted] from the environment');
    expect(leaks(files)).toEqual([]);
  });

  test('that a program quotes before it is ready are not in its failure', async () => {
    const script = (text: string) => program(['node', '-e', text], { env, restart: 'temporary', protocol: 'legacy' });
    const answer = (body: string) =>
      script(`process.stdin.once('data', () => console.log(JSON.stringify({ jsonrpc: '2.0', id: 1, ${body} })))`);
    await using watched = await createWatched({
      dies: program(['sh', '-c', 'echo "Error: cannot use $PLAIN and $RESOLVED" >&2; echo "$PEM" >&2; exit 1'], {
        env,
        restart: 'temporary',
      }),
      refuses: answer('error: { code: 1, message: process.env.PLAIN, data: process.env }'),
      raves: answer("result: { text: 'x'.repeat(170) + process.env.RESOLVED }"),
    });
    const { supervisor, see, stage } = watched;
    const codes = { dies: 'LAUNCH_EXITED', refuses: 'PROBE_PROTOCOL', raves: 'PROBE_PROTOCOL' };
    for (const [name, code] of Object.entries(codes)) {
      const { error, words } = await thrownBy(supervisor.start(name));
      expect(error).toMatchObject({ code });
      expect(JSON.stringify(error)).toContain(name === 'raves' ? '[redact' : '[redacted]');
      see(words);
    }
    expect(await watched.leaks()).toEqual([]);
    expect(leaks(await filesOf(stage))).toEqual([]);
  });

  test('that a plain HTTP service answers with are not in the error', async () => {
    const script = `require('node:http').createServer((request, response) => {
      if (request.url === '/') return response.end('ok');
      response.writeHead(500, { location: '/' + encodeURIComponent(process.env.PLAIN) });
      response.end('x'.repeat(490) + process.env.RESOLVED);
    }).listen(process.env.PORT, '127.0.0.1')`;
    await using watched = await createWatched({ web: program(['node', '-e', script], { env, transport: 'http' }) });
    const { error, words } = await thrownBy(watched.supervisor.call('web', { path: '/fails' }));
    expect(error).toMatchObject({ code: 'CALL_HTTP_ERROR', data: { status: 500, location: '/[redacted]' } });
    watched.see(words);
    // The start of a body is quoted: not the first half of a secret with it.
    expect(JSON.stringify(error)).not.toContain(RESOLVED.slice(0, 8));
    expect(await watched.leaks()).toEqual([]);
  });

  test('that an installer inherits and prints are not in its failure', async () => {
    vi.stubEnv('VAULT_TOKEN', RESOLVED);
    await using watched = await createWatched({
      made: puppet('', {
        env: { TOKEN: '${env:VAULT_TOKEN}' },
        install: [['sh', '-c', 'echo "$VAULT_TOKEN"; exit 1']],
      }),
    });
    vi.unstubAllEnvs();
    const { error, words } = await thrownBy(watched.supervisor.start('made'));
    expect(error).toMatchObject({ code: 'INSTALL_FAILED', stderrTail: ['[redacted]'] });
    watched.see(words);
    expect(await watched.leaks()).toEqual([]);
    expect(leaks(await filesOf(watched.stage))).toEqual([]);
  });

  test('of an address that is refused are not in the failure', async () => {
    await using watched = await createWatched({
      closed: { source: withLogin(`${LOGIN}-wrong`), restart: 'temporary' },
    });
    const { error, words } = await thrownBy(watched.supervisor.start('closed'));
    expect(error).toMatchObject({ code: 'CLONE_AUTH' });
    watched.see(words);
    expect(await watched.leaks()).toEqual([]);
    expect(leaks(await filesOf(watched.stage))).toEqual([]);
  });

  test.each([
    `https://u:${LOGIN}@host:bad/path`,
    `https://u:${LOGIN}@`,
    `u:${LOGIN}@host:o/n`,
    `ftp://u:${LOGIN}@host/x`,
    `https://u:${LOGIN}@host/x.zip#sha256=zz`,
    `https://u:${LOGIN}@ho st/x`,
  ])('of a source that is none are not in the error: %#', (source) => {
    let thrown: unknown;
    try {
      createSupervisor({ plugins: { a: source } });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'CONFIG_SOURCE' });
    expect(leaks(`${inspect(thrown)} ${json(thrown)}`)).toEqual([]);
  });
});
