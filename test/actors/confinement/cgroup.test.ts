import { access, chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { controllersFor, createCgroup, findCgroup, reapCgroups } from '../../../actors/confinement/cgroup.ts';

let root: string;
let proc: string;
let base: string;
const read = (...path: string[]) => readFile(join(...path), 'utf8');

/** A folder in place of `/proc`, and one in place of the cgroup that it names as ours. */
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'mcps-cgroup-'));
  proc = join(root, 'proc');
  base = join(root, 'mount', 'ours.service');
  await mkdir(join(proc, 'self'), { recursive: true });
  await mkdir(base, { recursive: true });
  await writeFile(join(proc, 'self', 'cgroup'), '9:name=systemd:/x\n0::/slice/ours.service\n');
  await writeFile(
    join(proc, 'self', 'mountinfo'),
    `20 1 0:5 / /proc rw - proc proc rw\n31 20 0:26 /slice ${join(root, 'mount')} rw,relatime shared:9 - cgroup2 cgroup2 rw\n`,
  );
  await writeFile(join(base, 'cgroup.procs'), '');
  await writeFile(join(base, 'cgroup.controllers'), 'cpu memory pids\n');
  await writeFile(join(base, 'cgroup.subtree_control'), '');
});
afterEach(() => rm(root, { recursive: true }));

describe('our part of the tree', () => {
  it('is where we are, and hands the controllers down', async () => {
    expect(findCgroup(['memory', 'pids'], proc)).toBe(base);
    expect(await read(base, 'cgroup.subtree_control')).toBe('+memory +pids');
  });

  it('is left as it is where it hands them down already', async () => {
    await writeFile(join(base, 'cgroup.subtree_control'), 'memory pids cpu\n');
    expect(findCgroup(['cpu'], proc)).toBe(base);
    expect(await read(base, 'cgroup.subtree_control')).toBe('memory pids cpu\n');
  });

  it('is the one above where systemd put us into a subgroup', async () => {
    const inner = join(base, 'supervisor');
    await mkdir(inner);
    await writeFile(join(inner, 'cgroup.procs'), '');
    await writeFile(join(inner, 'cgroup.controllers'), '');
    await writeFile(join(proc, 'self', 'cgroup'), '0::/slice/ours.service/supervisor\n');
    expect(findCgroup(['memory'], proc)).toBe(base);
  });

  it.each([
    ['lacks a controller', () => writeFile(join(base, 'cgroup.controllers'), 'cpu pids')],
    ['has no list of processes for us to write', () => rm(join(base, 'cgroup.procs'))],
    ['is outside of what is mounted', () => writeFile(join(proc, 'self', 'cgroup'), '0::/elsewhere\n')],
    ['is of version 1 alone', () => writeFile(join(proc, 'self', 'cgroup'), '9:memory:/x\n')],
    [
      'refuses (it holds processes)',
      () => rm(join(base, 'cgroup.subtree_control')).then(() => mkdir(join(base, 'cgroup.subtree_control'))),
    ],
  ])('is none where it %s', async (_, spoil) => {
    await spoil();
    expect(findCgroup(['memory'], proc)).toBeNull();
  });

  it('is not asked for where no limit needs one', () => {
    expect(controllersFor({ cpuTime: 1, files: 9 })).toEqual([]);
    expect(findCgroup([], proc)).toBeNull();
  });
});

describe('a generation’s cgroup', () => {
  const limits = { memory: 1024, cpu: 0.5, processes: 10 };
  const cookie = 'home.12-34.plugin.1.random';

  it('holds the limits, and takes in whoever runs its lines', async () => {
    const { dir, lines } = createCgroup(base, cookie, limits);
    expect(dir).toBe(join(base, `mcp-supervisor.${cookie}`));
    const files = ['memory.max', 'memory.swap.max', 'memory.oom.group', 'cpu.max', 'pids.max'];
    expect(await Promise.all(files.map((file) => read(dir, file)))).toEqual(['1024', '0', '1', '50000 100000', '1280']);
    expect(lines).toEqual([`echo 0 > '${dir}/cgroup.procs' || exit 126`]);
  });

  it('tells of what the kernel had to enforce', async () => {
    const cgroup = createCgroup(base, cookie, limits);
    expect(cgroup.breach()).toBeNull();
    await writeFile(join(cgroup.dir, 'memory.events'), 'low 0\noom 1\noom_kill 0\n');
    await writeFile(join(cgroup.dir, 'pids.events'), 'max 3\n');
    expect(cgroup.breach()).toEqual({ limit: 'processes', allowed: 10, used: null });
    await writeFile(join(cgroup.dir, 'memory.events'), 'low 0\noom 1\noom_kill 2\n');
    await writeFile(join(cgroup.dir, 'memory.peak'), '2048\n');
    expect(cgroup.breach()).toEqual({ limit: 'memory', allowed: 1024, used: 2048 });
  });

  it('is killed as a whole, and removed once it is empty', async () => {
    const cgroup = createCgroup(base, cookie, {});
    cgroup.kill();
    expect(await read(cgroup.dir, 'cgroup.kill')).toBe('1');
    // The kernel's files go with the folder; those of this one don't.
    await rm(join(cgroup.dir, 'cgroup.kill'));
    await cgroup.remove();
    await expect(access(cgroup.dir)).rejects.toThrow('ENOENT');
    await cgroup.remove();
  });

  it('is removed by the next supervisor when its owner is dead, and never when it lives or something is in it', async () => {
    for (const owner of ['1-1', '2-2', '3-3']) createCgroup(base, `home.${owner}.plugin.1.r`, {});
    createCgroup(base, 'home.3-3.plugin.2.r', { memory: 1 });
    await mkdir(join(base, 'another.service'));
    reapCgroups(base, (owner) => owner === '2-2');
    expect((await readdir(base)).filter((name) => !name.startsWith('cgroup.')).sort()).toEqual([
      'another.service',
      'mcp-supervisor.home.2-2.plugin.1.r',
      'mcp-supervisor.home.3-3.plugin.2.r',
    ]);
  });

  it('is not made where the system refuses', async () => {
    await chmod(base, 0o555);
    await rm(base, { recursive: true });
    await writeFile(base, '');
    expect(() => createCgroup(base, cookie, limits)).toThrow('ENOTDIR');
  });
});
