import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sandboxWords } from '../../../actors/confinement/sandbox.ts';
import { shownPaths } from '../../../actors/confinement/shown.ts';
import { createTcpWatch } from '../../../actors/confinement/tcp-watch.ts';
import { findBubblewrap } from '../../../actors/confinement/trial.ts';

const parts = {
  program: '/usr/bin/bwrap',
  network: 'on',
  hidden: ['/home', '/home/me', '/run'],
  temporary: ['/tmp'],
  shown: ['/home/me/mcp/envs/p/k', '/home/me/.nvm/v1'],
  writable: ['/home/me/mcp/data/p'],
  cwd: '/home/me/mcp/envs/p/k/tree',
  changesUser: false,
} as const;
const words = (changes: object = {}) => sandboxWords({ ...parts, ...changes }).join(' ');

describe('the words of a sandbox', () => {
  it('hide first, then show, and make what is hidden read-only at last', () => {
    const all = words();
    const order = [
      '--ro-bind / /',
      '--tmpfs /home',
      '--perms 0755 --dir /home/me/mcp/envs/p',
      '--ro-bind /home/me/mcp/envs/p/k /home/me/mcp/envs/p/k',
      '--remount-ro /home',
      '--chdir /home/me/mcp/envs/p/k/tree --',
    ];
    const places = order.map((each) => all.indexOf(each));
    expect(places.every((place) => place >= 0)).toBe(true);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
    expect(all).not.toContain('--tmpfs /home/me');
    expect(all).not.toContain('--remount-ro /tmp');
    expect(all).toContain('--bind /home/me/mcp/data/p /home/me/mcp/data/p');
  });

  it('take root its powers, but for those that it takes to become another user', () => {
    expect(words()).toContain('--cap-drop ALL');
    expect(words()).not.toContain('--cap-add');
    expect(words({ changesUser: true })).toContain('--cap-add CAP_SETUID --cap-add CAP_SETGID');
  });

  it('take the network away only when they are to', () => {
    expect(words()).not.toContain('--unshare-net');
    expect(words({ network: 'off' })).toContain('--unshare-net');
  });

  it('leave the session as it is: the leader has to stay the leader of its group', () => {
    expect(words()).not.toContain('--new-session');
  });
});

describe('what is shown of hidden folders', () => {
  let root: string;
  const file = async (path: string) => {
    await mkdir(join(root, path, '..'), { recursive: true });
    await writeFile(join(root, path), '', { mode: 0o755 });
    return join(root, path);
  };
  beforeEach(async () => {
    root = await realpath(await mkdtemp(join(tmpdir(), 'mcps-shown-')));
  });
  afterEach(() => rm(root, { recursive: true }));
  const shown = (more: object) =>
    shownPaths({
      home: join(root, 'mcp'),
      environment: { dir: join(root, 'mcp/envs/p/k/tree'), programs: {}, path: [] },
      command: { program: 'node', args: [], cwd: join(root, 'mcp/envs/p/k/tree') },
      env: {},
      owners: {},
      hidden: [root],
      ...more,
    });

  it('is the environment as a whole, of the home nothing else', async () => {
    await file('mcp/envs/p/k/tree/server.js');
    await file('mcp/plugins/p/facts.json');
    expect(await shown({})).toEqual([join(root, 'mcp/envs/p/k')]);
  });

  it('is the runtime behind every link', async () => {
    const python = await file('uv/python/3.12.1/bin/python3.12');
    await symlink(join(root, 'uv/python/3.12.1'), join(root, 'uv/python/3.12'));
    await mkdir(join(root, 'mcp/envs/p/k/tree/.venv/bin'), { recursive: true });
    const script = await file('mcp/envs/p/k/tree/.venv/bin/server');
    await symlink(join(root, 'uv/python/3.12/bin/python3.12'), join(script, '../python'));
    expect(await shown({ command: { program: script, args: [], cwd: '/' } })).toEqual(
      expect.arrayContaining([join(root, 'mcp/envs/p/k'), join(root, 'uv/python/3.12'), join(python, '../..')]),
    );
  });

  it('is where a command of the user runs', async () => {
    await file('work/server.js');
    expect(await shown({ command: { program: 'node', args: ['server.js'], cwd: join(root, 'work') } })).toEqual([
      join(root, 'work'),
    ]);
  });

  it('never is a hidden folder as a whole', async () => {
    const program = await file('bin/tool');
    expect(await shown({ command: { program, args: [], cwd: '/' } })).toEqual([join(root, 'bin')]);
    const beside = await file('tool');
    expect(await shown({ command: { program: beside, args: [], cwd: '/' } })).toEqual([join(root, 'bin/..', 'tool')]);
  });

  it('are certificates, and the files that the owner names; no other file of the environment', async () => {
    const [ca, key, other] = [await file('ca.pem'), await file('key.json'), await file('other')];
    const env = { SSL_CERT_FILE: ca, OTHER: other };
    expect([...(await shown({ env, owners: { KEY: key } }))].sort()).toEqual([ca, key].sort());
  });
});

describe('bubblewrap', () => {
  it('is named with the way to get it where it is not installed', async () => {
    await expect(findBubblewrap('on', '/no/such/folder')).rejects.toMatchObject({
      failure: { code: 'CONFIG_SANDBOX', hint: expect.stringContaining('apt install bubblewrap') },
    });
  });

  it.runIf(process.platform === 'linux')('is told by what it says where it may make none', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mcps-bwrap-'));
    try {
      await writeFile(
        join(folder, 'bwrap'),
        '#!/bin/sh\necho "bwrap: No permissions to create new namespace" >&2\nexit 1\n',
        {
          mode: 0o755,
        },
      );
      await expect(findBubblewrap('on', folder)).rejects.toMatchObject({
        failure: { code: 'CONFIG_SANDBOX', message: expect.stringContaining('No permissions to create new namespace') },
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('a plugin that waits for callers on TCP without a network', () => {
  let root: string;
  const LISTENS = '   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n';
  const connected = LISTENS.replace(' 0A ', ' 01 ');
  const process = async (pid: string, network: string, tcp: string) => {
    await mkdir(join(root, pid, 'ns'), { recursive: true });
    await mkdir(join(root, pid, 'net'));
    await symlink(network, join(root, pid, 'ns/net'));
    await writeFile(join(root, pid, 'net/tcp'), tcp);
  };
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'mcps-tcp-'));
    await process('self', 'net:[1]', LISTENS);
    await process('10', 'net:[1]', LISTENS);
    await process('11', 'net:[2]', LISTENS);
    await process('12', 'net:[2]', connected);
  });
  afterEach(() => rm(root, { recursive: true }));

  it('is told after some looks in a row', () => {
    const look = createTcpWatch(() => false, root);
    expect([1, 2, 3].map(() => look([10, 11]))).toEqual([null, null, null]);
    expect(look([10, 11])).toMatchObject({ code: 'CONFIG_SANDBOX_NETWORK' });
  });

  it('is not one that is ready, that opened none, or whose neighbours on our network did', () => {
    const looks = [
      createTcpWatch(() => true, root),
      createTcpWatch(() => false, root),
      createTcpWatch(() => false, root),
    ];
    const pids = [[11], [12], [10]];
    for (let round = 0; round < 6; round += 1) {
      expect(looks.map((look, at) => look(pids[at]!))).toEqual([null, null, null]);
    }
  });
});
