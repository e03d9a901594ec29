import { spawn } from 'node:child_process';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createCookie } from '../../actors/cookie.ts';
import { COOKIE_VARIABLE, endPids, isAlive, pidsWithCookie, processIdentity } from '../../actors/groups.ts';
import { createStore } from '../../actors/store/create-store.ts';
import { createHome, type TestHome } from '../support/home.ts';
import { bundleProgram, startProgram } from '../support/program.ts';

let ownLedger: string;

beforeAll(async () => {
  ownLedger = await bundleProgram('actors/programs/own-ledger.ts');
});

/** A supervisor in another process, with one child that has a child elsewhere, and a bystander that it does not own. */
async function startSupervisor(home: TestHome, how: 'intended' | 'recorded') {
  const program = startProgram(ownLedger, [home.path, how]);
  /** SIGKILL; resolves with what it had told. */
  const die = async (): Promise<{ cookie: string; child: number; bystander: number }> => {
    program.child.kill('SIGKILL');
    return JSON.parse(await program.output);
  };
  onTestFinished(async () => {
    const { cookie, bystander } = await die();
    await endPids({ cookies: [cookie], pids: [bystander] }, { grace: 0 });
  });
  await program.said('}');
  return { die };
}

const entriesOf = (home: TestHome, folder: string) => readdir(join(home.path, folder)).catch(() => []);

describe('reap', () => {
  test.each(['intended', 'recorded'] as const)(
    'ends what a killed supervisor %s, escapees too, and nothing else',
    async (how) => {
      await using home = await createHome();
      const { cookie, child, bystander } = await (await startSupervisor(home, how)).die();
      const before = pidsWithCookie(cookie);
      expect(before.length).toBeGreaterThanOrEqual(3);
      expect(await entriesOf(home, 'tmp')).toHaveLength(1);

      const ended = await createStore({ home: home.path }).ledger.reap();
      expect([...ended].sort()).toEqual([...before].sort());
      expect(ended).toContain(child);
      expect(pidsWithCookie(cookie)).toEqual([]);
      expect(isAlive(bystander)).toBe(true);
      expect(await entriesOf(home, 'ledger')).toEqual([]);
      expect(await entriesOf(home, 'tmp')).toEqual([]);
      expect(await createStore({ home: home.path }).ledger.reap()).toEqual([]);
    },
  );

  test('touches nothing of a supervisor that lives', async () => {
    await using home = await createHome();
    const supervisor = await startSupervisor(home, 'recorded');
    expect(await createStore({ home: home.path }).ledger.reap()).toEqual([]);
    expect(await entriesOf(home, 'tmp')).toHaveLength(1);
    expect(await entriesOf(home, 'ledger')).toHaveLength(1);
    const { cookie } = await supervisor.die();
    expect(pidsWithCookie(cookie).length).toBeGreaterThanOrEqual(3);
    await createStore({ home: home.path }).ledger.reap();
  });

  test('spares a process that has the pid of a dead one', async () => {
    await using home = await createHome();
    const bystander = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
    onTestFinished(() => void bystander.kill('SIGKILL'));
    const identity = processIdentity(bystander.pid!)!;
    await writeDeadLedger(home, { ...identity, startTime: '1' });
    expect(await createStore({ home: home.path }).ledger.reap()).toEqual([]);
    expect(isAlive(bystander.pid!)).toBe(true);
    expect(await entriesOf(home, 'ledger')).toEqual([]);
  });

  test('finds the processes of an entry that was half written', async () => {
    await using home = await createHome();
    const cookie = createCookie({ home: home.path, plugin: 'torn', generation: 1 });
    const child = spawn('sleep', ['300'], {
      detached: true,
      stdio: 'ignore',
      env: { [COOKIE_VARIABLE]: cookie, PATH: process.env.PATH },
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const folder = await writeDeadLedger(home, null);
    await writeFile(join(folder, `${cookie}.json`), '{"plugin":"to');
    await expect.poll(() => pidsWithCookie(cookie)).toEqual([child.pid]);
    expect(await createStore({ home: home.path }).ledger.reap()).toEqual([child.pid]);
  });

  test('leaves what another container or an earlier boot wrote for a day', async () => {
    await using home = await createHome();
    const store = createStore({ home: home.path });
    await store.open();
    const foreign = [
      join(home.path, 'ledger', '17-4711-0badc0de'),
      join(home.path, 'tmp', 'clone-ab12cd34-17-4711-0badc0de'),
    ];
    for (const path of foreign) await mkdir(path, { recursive: true });
    await store.ledger.reap();
    expect(await entriesOf(home, 'ledger')).toHaveLength(1);
    expect(await entriesOf(home, 'tmp')).toHaveLength(1);
    const old = Date.now() / 1000 - 25 * 60 * 60;
    for (const path of foreign) await utimes(path, old, old);
    await store.ledger.reap();
    expect(await entriesOf(home, 'ledger')).toEqual([]);
    expect(await entriesOf(home, 'tmp')).toEqual([]);
  });
});

describe('a supervisor’s own ledger', () => {
  test('has an entry from intent to clear, and is gone after close', async () => {
    await using home = await createHome();
    const { ledger } = createStore({ home: home.path });
    await ledger.intend({ plugin: 'some', generation: 3, cookie: 'a.b.c.3.d' });
    const [own] = await entriesOf(home, 'ledger');
    expect(own).toMatch(new RegExp(`^${process.pid}-`));
    expect(await entriesOf(home, join('ledger', own!))).toEqual(['a.b.c.3.d.json']);
    await ledger.record('a.b.c.3.d', processIdentity(process.pid)!);
    await ledger.clear('a.b.c.3.d');
    expect(await entriesOf(home, join('ledger', own!))).toEqual([]);
    await ledger.close();
    expect(await entriesOf(home, 'ledger')).toEqual([]);
  });

  test('keeps the entries of another supervisor in the same process at close', async () => {
    await using home = await createHome();
    const [first, second] = [createStore({ home: home.path }).ledger, createStore({ home: home.path }).ledger];
    await first.intend({ plugin: 'some', generation: 1, cookie: 'first' });
    await second.intend({ plugin: 'some', generation: 1, cookie: 'second' });
    await first.close();
    const [own] = await entriesOf(home, 'ledger');
    expect(await entriesOf(home, join('ledger', own!))).toEqual(['second.json']);
    await second.close();
  });

  test('takes no identity for what was never intended', async () => {
    await using home = await createHome();
    const { ledger } = createStore({ home: home.path });
    await ledger.record('unknown', processIdentity(process.pid)!);
    expect(await entriesOf(home, 'ledger')).toEqual([]);
  });
});

/** The ledger of a process that is gone: our own name, with another start time. */
async function writeDeadLedger(home: TestHome, leader: unknown): Promise<string> {
  const { ledger } = createStore({ home: home.path });
  await ledger.intend({ plugin: 'some', generation: 1, cookie: 'a' });
  const [own = ''] = await entriesOf(home, 'ledger');
  await ledger.close();
  const folder = join(home.path, 'ledger', own.replace(/-\w+-/, '-1-'));
  await mkdir(folder, { recursive: true });
  const entry = { plugin: 'some', generation: 1, cookie: 'nobody.has.this', leader };
  if (leader !== null) await writeFile(join(folder, 'nobody.has.this.json'), JSON.stringify(entry));
  return folder;
}
