import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { createStore } from '../../actors/store/create-store.ts';
import { FLOCK, PERL } from '../../actors/store/lockers.ts';
import { createLocks } from '../../actors/store/locks.ts';
import { createHome } from '../support/home.ts';
import { bundleProgram, startProgram } from '../support/program.ts';

const forever = new AbortController().signal;
const LOCKERS = [...FLOCK, PERL];
let holdLock: string;

beforeAll(async () => {
  holdLock = await bundleProgram('actors/programs/hold-lock.ts');
});

describe('a lock', () => {
  test('is held by one caller at a time, in the order of asking, and freed when the work fails', async () => {
    await using home = await createHome();
    const store = createStore({ home: home.path });
    const seen: string[] = [];
    const work = (name: string, fails = false) =>
      store
        .withLock('one', forever, async () => {
          seen.push(`${name} in`);
          await new Promise((resolve) => setImmediate(resolve));
          seen.push(`${name} out`);
          if (fails) throw new Error('as planned');
          return name;
        })
        .catch((error: Error) => error.message);
    expect(await Promise.all([work('a'), work('b', true), work('c')])).toEqual(['a', 'as planned', 'c']);
    expect(seen).toEqual(['a in', 'a out', 'b in', 'b out', 'c in', 'c out']);
  });

  test('does not exclude work under another name', async () => {
    await using home = await createHome();
    const store = createStore({ home: home.path });
    const inner = () => store.withLock('two/../x', forever, async () => 'both');
    expect(await store.withLock('one', forever, inner)).toBe('both');
  });

  test('excludes two stores of one process', async () => {
    await using home = await createHome();
    const [first, second] = [createStore({ home: home.path }), createStore({ home: home.path })];
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside -= 1;
    };
    await Promise.all([first, second, first, second].map((store) => store.withLock('one', forever, work)));
    expect(most).toBe(1);
  });

  test('excludes other processes', async () => {
    await using home = await createHome();
    const file = join(home.root, 'count');
    await writeFile(file, '0');
    const programs = [1, 2, 3].map(() => startProgram(holdLock, [home.path, 'one', file]));
    await Promise.all(programs.map(({ output }) => output));
    expect(await readFile(file, 'utf8')).toBe('60');
  });

  test('is freed by the kernel when its holder is killed, and goes to the one that waits', async () => {
    await using home = await createHome();
    const holder = startProgram(holdLock, [home.path, 'one']);
    await holder.said('held');
    const store = createStore({ home: home.path });
    const events: string[] = [];
    const waiting = store.withLock('one', forever, async () => events.push('mine'));
    await new Promise((resolve) => setTimeout(resolve, 100));
    events.push('kill');
    holder.child.kill('SIGKILL');
    await waiting;
    expect(events).toEqual(['kill', 'mine']);
  });

  test('stops waiting with the signal, for another process and for its own', async () => {
    await using home = await createHome();
    const holder = startProgram(holdLock, [home.path, 'one']);
    await holder.said('held');
    const store = createStore({ home: home.path });
    const abort = new AbortController();
    const work = async () => 'never';
    const outcome = (held: Promise<string>) => held.catch((error: Error) => error.message);
    const first = outcome(store.withLock('one', abort.signal, work));
    const second = outcome(store.withLock('one', abort.signal, work));
    const third = store.withLock('one', forever, async () => 'third');
    await new Promise((resolve) => setTimeout(resolve, 50));
    abort.abort(new Error('enough'));
    expect(await Promise.all([first, second])).toEqual(['enough', 'enough']);
    await expect(store.withLock('one', abort.signal, work)).rejects.toThrow('enough');
    holder.child.kill('SIGKILL');
    expect(await third).toBe('third');
  });
});

describe.each(LOCKERS.map((locker) => ({ name: `${locker.program} ${locker.args[0]}`, locker })))(
  'by $name',
  ({ locker }) => {
    test('excludes holders that took it another way', async () => {
      await using home = await createHome();
      const store = createStore({ home: home.path });
      await store.open();
      const path = join(home.path, 'locks', 'one.lock');
      const others = createLocks(async () => {}, [locker]);
      const seen: string[] = [];
      let waiting: Promise<unknown> = Promise.resolve();
      await store.withLock('one', forever, async () => {
        waiting = others.withLock(path, forever, async () => seen.push('other'));
        await new Promise((resolve) => setTimeout(resolve, 100));
        seen.push('store');
      });
      await waiting;
      expect(seen).toEqual(['store', 'other']);
    });
  },
);

test('a program that can not lock is passed over, and HOME_UNUSABLE says so when none can', async () => {
  await using home = await createHome();
  const missing = { program: 'no-such-program', args: [] };
  const failing = { program: 'false', args: [] };
  const path = join(home.root, 'a.lock');
  const some = createLocks(async () => {}, [missing, failing, ...LOCKERS]);
  expect(await Promise.all([1, 2].map((each) => some.withLock(`${path}${each}`, forever, async () => each)))).toEqual([
    1, 2,
  ]);
  const none = createLocks(async () => {}, [missing, failing]);
  await expect(none.withLock(path, forever, async () => {})).rejects.toMatchObject({
    failure: { code: 'HOME_UNUSABLE' },
  });
});
