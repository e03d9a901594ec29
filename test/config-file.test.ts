import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findConfig } from '../src/config-file/find.ts';
import { loadConfig, readConfig } from '../src/config-file/load.ts';
import { watchConfig } from '../src/config-file/watch.ts';
import { SupervisorError } from '../src/errors.ts';

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'mcps-config-')));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const read = (text: string, env: Record<string, string> = { HOME: '/home/me' }) =>
  readConfig(text, '/etc/mcp/config.yaml', env);
const json = (value: unknown) => read(JSON.stringify(value));

async function errorOf(text: string): Promise<SupervisorError> {
  const error = await read(text).catch((thrown: unknown) => thrown);
  if (!SupervisorError.is(error)) throw new Error(`no SupervisorError: ${error}`);
  return error;
}

describe('our own shape', () => {
  it('has plugins, defaults, profiles and a server', async () => {
    const config = await read(`
plugins:
  time: owner/name#v1:src/time
  notes: { source: ./notes, idleStop: 5m, env: { LEVEL: 3 }, tools: { deny: [delete_*] } }
defaults: { timeouts: { call: 30s } }
profiles:
  web: { plugins: [time], tools: { allow: [get_*] } }
server: { port: 0, tokens: ['\${env:TOKEN}'], maxBody: 2M, allowHost: box.example }
`);
    expect(config).toEqual({
      file: '/etc/mcp/config.yaml',
      plugins: {
        time: { source: 'owner/name#v1:src/time' },
        notes: { source: '/etc/mcp/notes', idleStop: 300_000, env: { LEVEL: '3' }, tools: { deny: ['delete_*'] } },
      },
      defaults: { timeouts: { call: 30_000 } },
      profiles: { web: { plugins: ['time'], tools: { allow: ['get_*'] } } },
      server: { port: 0, tokens: [{ token: `\${env:TOKEN}` }], maxBody: 2 * 1024 * 1024, allowHost: ['box.example'] },
      isBlank: false,
      warnings: [],
    });
  });

  it('takes profiles below server, too, and a list as the plugins of one', async () => {
    const { profiles } = await read('plugins: { a: npm:a }\nserver: { profiles: { some: [a] } }');
    expect(profiles).toEqual({ some: { plugins: ['a'] } });
  });

  it.each([
    ['500', 500],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5h', 5_400_000],
    ['false', false],
  ])('reads idleStop: %s', async (text, value) => {
    const { plugins } = await read(`plugins: { a: { source: npm:a, idleStop: ${text} } }`);
    expect(plugins.a?.idleStop).toBe(value);
  });

  it('places a bare command and its relative words in the folder of the file', async () => {
    const { plugins } = await read('plugins: { a: -- node ./server.js, b: { command: ./run.sh, cwd: sub } }');
    expect(plugins.a).toEqual({ source: '-- node ./server.js', cwd: '/etc/mcp' });
    expect(plugins.b).toEqual({ source: '-- ./run.sh', cwd: '/etc/mcp/sub' });
  });

  it('leaves out what is disabled', async () => {
    expect((await read('plugins: { a: { source: npm:a, disabled: true } }')).plugins).toEqual({});
  });

  it('says of an empty file that it is empty', async () => {
    const { plugins, isBlank, warnings } = await read('# nothing yet\n');
    expect({ plugins, isBlank }).toEqual({ plugins: {}, isBlank: true });
    expect(warnings).toEqual([expect.stringContaining('there are no plugins')]);
  });
});

describe("a client's shape", () => {
  const server = { command: 'node', args: ['server.js'] };

  it.each([
    ['mcpServers', { mcpServers: { a: server } }],
    ['VS Code', { inputs: [], servers: { a: { type: 'stdio', ...server } } }],
    ["VS Code's settings", { 'editor.fontSize': 12, mcp: { servers: { a: server } } }],
    ['OpenCode', { mcp: { a: { type: 'local', command: ['node', 'server.js'], enabled: true } } }],
    ['a bare map', { a: server }],
  ])('is read: %s', async (_name, value) => {
    expect((await json(value)).plugins).toEqual({ a: { source: '-- node server.js', cwd: '/etc/mcp' } });
  });

  it('is JSON with comments, tabs and trailing commas', async () => {
    const { plugins } = await read(
      '{\n\t// mine\n\t"mcpServers": {\n\t\t"a": {"command": "node", "args": ["a\\tb//c"],},\n\t},\n}',
    );
    expect(plugins.a?.source).toBe(`-- node 'a\tb//c'`);
  });

  it.each([
    [['npx', '-y', '@scope/name@1.2', '/data'], 'npx -y @scope/name@1.2 /data'],
    [['uvx', '--from', 'name==1', 'program'], 'uvx --from name==1 program'],
  ])('makes a package of %j', async ([command, ...args], source) => {
    expect((await json({ mcpServers: { a: { command, args } } })).plugins.a).toEqual({ source });
  });

  it('keeps what is no package as the command that it is', async () => {
    const { plugins } = await json({ mcpServers: { a: { command: 'docker', args: ['run', '-i', 'an image'] } } });
    expect(plugins.a).toEqual({ source: "-- docker run -i 'an image'", cwd: '/etc/mcp' });
  });

  it('has headers and an address for what runs elsewhere', async () => {
    const { plugins } = await json({
      servers: { a: { type: 'http', url: 'https://host/mcp', headers: { Authorization: `Bearer \${KEY}` } } },
    });
    expect(plugins.a).toEqual({
      type: 'http',
      url: 'https://host/mcp',
      headers: { Authorization: `Bearer \${env:KEY}` },
    });
  });

  it('reads envFile, env and a choice of tools', async () => {
    await writeFile(join(folder, '.env'), 'A=1\nB=2\n');
    const text = JSON.stringify({
      mcpServers: {
        a: { ...server, envFile: `\${workspaceFolder}/.env`, env: { B: `\${SECRET}` }, disabledTools: ['rm'] },
      },
    });
    const { plugins } = await readConfig(text, join(folder, 'mcp.json'), {});
    expect(plugins.a).toMatchObject({ env: { A: '1', B: `\${env:SECRET}` }, tools: { deny: ['rm'] } });
  });

  it('fills variables of arguments, and names one that is not set', async () => {
    const text = JSON.stringify({ mcpServers: { a: { command: 'x', args: [`\${userHome}/a`, `\${PORT:-80}`] } } });
    expect((await read(text)).plugins.a?.source).toBe('-- x /home/me/a 80');
    const error = await errorOf('{"mcpServers": {"a": {"command": "x", "args": ["${NOWHERE}"]}}}');
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('NOWHERE is not set') });
  });

  it('passes over what only that client knows, and warns of what nobody knows', async () => {
    const { plugins, warnings } = await json({ mcpServers: { a: { ...server, autoApprove: ['x'], tiemout: 3 } } });
    expect(Object.keys(plugins)).toEqual(['a']);
    expect(warnings).toEqual([expect.stringMatching(/tiemout.*did you mean timeout/)]);
  });

  it('is taken from a mistyped root key, with a warning', async () => {
    const { plugins, warnings } = await read('mcpServer:\n  a: { command: node }\n');
    expect(Object.keys(plugins)).toEqual(['a']);
    expect(warnings).toEqual([expect.stringContaining("'mcpServer' is no key of this file")]);
  });
});

describe('what is wrong', () => {
  it.each([
    [
      'an option',
      'plugins:\n  a:\n    source: npm:a\n    idelStop: 5m\n',
      4,
      'plugins.a.idelStop',
      'Did you mean idleStop?',
    ],
    ['a value', 'plugins:\n  a: { source: npm:a }\n  b:\n    source: npm:b\n    port: high\n', 5, 'plugins.b.port', ''],
    ['a default', 'defaults:\n  restart: often\n', 2, 'defaults.restart', ''],
    ['a key of server', 'server:\n  prot: 1\n', 2, 'server.prot', 'Did you mean port?'],
    ['a value of server', 'server:\n  host: h\n  port: 70000\n', 3, 'server.port', ''],
    ['a root key', 'pluginz: {}\n', 1, 'pluginz', 'Did you mean plugins?'],
    ['a profile of a token', 'server:\n  tokens:\n    - { token: x, profile: nobody }\n', 3, 'server.tokens[0]', ''],
    ['a source', 'plugins:\n\n  a: "what is this?"\n', 3, 'plugins.a', ''],
    ['a plugin that is none', 'plugins:\n  a: [1]\n', 2, 'plugins.a', ''],
    ['a profile', 'profiles:\n  p: { tols: {} }\n', 2, 'profiles.p.tols', 'Did you mean tools?'],
  ])('is named with its line and key: %s', async (_what, text, line, key, hint) => {
    const error = await errorOf(text);
    expect(error.data).toMatchObject({ file: '/etc/mcp/config.yaml', line, key });
    expect(error.message).toContain(`/etc/mcp/config.yaml:${line}: ${key}: `);
    expect(error.hint).toContain(hint);
    expect(error.whose).toBe('input');
  });

  it('is a text that is no YAML, with the line', async () => {
    expect((await errorOf('plugins:\n  a: [\n')).data).toMatchObject({ line: 3 });
    expect((await errorOf('plugins: {a: npm:a}\nplugins: {}\n')).data).toMatchObject({ line: 2 });
  });

  it('is a file of which nothing is known', async () => {
    expect((await errorOf('{"settings": {"x": 1}}')).message).toContain("expected 'plugins' or 'mcpServers'");
  });

  it('is a file that is not there', async () => {
    await expect(loadConfig(join(folder, 'none.yaml'))).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining('there is no such file'),
    });
  });

  it('never shows a secret', async () => {
    const secret = 'hunter2hunter2hunter2';
    for (const text of [
      `plugins: { a: { source: npm:a, env: { KEY: { x: ${secret} } } } }`,
      `plugins: { a: { url: 'https://h/mcp', headers: { KEY: [${secret}] } } }`,
      `server: { tokens: [{ token: ${secret}, profil: x }] }`,
    ]) {
      expect(JSON.stringify(await errorOf(text))).not.toContain(secret);
    }
  });
});

describe('the file that counts', () => {
  it('is the named one, else the first of home and XDG folder', async () => {
    const home = join(folder, 'home');
    const xdg = join(folder, 'xdg');
    await mkdir(home);
    await mkdir(join(xdg, 'mcp-supervisor'), { recursive: true });
    const env = { XDG_CONFIG_HOME: xdg };
    expect(findConfig({ home, env })).toBeNull();
    const theirs = join(xdg, 'mcp-supervisor', 'config.json');
    await writeFile(theirs, '{}');
    expect(findConfig({ home, env })).toBe(theirs);
    await writeFile(join(home, 'config.yml'), '');
    expect(findConfig({ home, env })).toBe(join(home, 'config.yml'));
    expect(findConfig({ home, env, config: '/x/y.yaml' })).toBe('/x/y.yaml');
  });
});

describe('watching', () => {
  /** Resolves when the watch told of another text. */
  async function watched(places: readonly string[]) {
    let told = 0;
    const watch = watchConfig({
      places,
      quiet: 20,
      look: 200,
      changed: async () => {
        told += 1;
      },
    });
    // What it compares with is what it finds first.
    await sleep(100);
    const next = async (change: () => Promise<unknown>) => {
      const before = told;
      await change();
      while (told === before) await sleep(10);
    };
    return { watch, next, told: () => told };
  }

  it('hears of a file that appears, is written, replaced, and comes back', async () => {
    const place = join(folder, 'watched', 'config.yaml');
    await mkdir(join(folder, 'watched'));
    const { watch, next, told } = await watched([place]);
    try {
      await next(() => writeFile(place, 'a'));
      await next(() => writeFile(place, 'b'));
      await next(async () => {
        await writeFile(`${place}.swp`, 'c');
        await rename(`${place}.swp`, place);
      });
      await next(() => rm(place));
      await next(() => writeFile(place, 'd'));
      const before = told();
      await writeFile(place, 'd');
      await watch.reload();
      expect(told(), 'asked for, it is told without a change, too').toBe(before + 1);
    } finally {
      watch.close();
    }
  });

  it('hears of a link that is turned over, as mounted configurations are', async () => {
    const root = join(folder, 'mounted');
    for (const version of ['1', '2']) {
      await mkdir(join(root, `..${version}`), { recursive: true });
      await writeFile(join(root, `..${version}`, 'config.yaml'), version);
    }
    await symlink('..1', join(root, '..data'));
    await symlink('..data/config.yaml', join(root, 'config.yaml'));
    const { watch, next } = await watched([join(root, 'config.yaml')]);
    try {
      await next(async () => {
        await symlink('..2', join(root, '..data_tmp'));
        await rename(join(root, '..data_tmp'), join(root, '..data'));
      });
    } finally {
      watch.close();
    }
  });
});
