import { expect, test } from 'vitest';
import type { PluginOptions } from '../../src/options.ts';
import { createStage, eventually, puppet, statesOf, textOf } from './stage.ts';

test('a new configuration touches only what differs, and lets calls in flight end first', async () => {
  const plugins = { changed: puppet(), kept: puppet(), gone: puppet() };
  await using stage = await createStage({ plugins });
  const { supervisor } = stage;
  const pid = async (name: string) => textOf(await supervisor.call(name, { tool: 'pid' }));
  const before = await Promise.all(Object.keys(plugins).map(pid));
  const inFlight = supervisor.call('changed', { tool: 'slow', arguments: { ms: 500 } });

  const changes = await supervisor.configure({
    changed: puppet('', { env: { EXTRA: 'new' } }),
    kept: { ...puppet(), idleStop: 60_000 },
    added: puppet(),
  });
  expect(changes).toEqual({
    added: ['added'],
    restarted: ['changed'],
    updated: ['kept'],
    removed: ['gone'],
    unchanged: [],
  });
  expect(textOf(await inFlight)).toBe('slept');
  expect(supervisor.list()).toEqual(['changed', 'kept', 'added']);
  expect(await pid('kept')).toBe(before[1]);
  expect(await pid('changed')).not.toBe(before[0]);
  const environment = textOf(await supervisor.call('changed', { tool: 'environment' }));
  expect(JSON.parse(environment)).toMatchObject({ EXTRA: 'new' });
  expect(await pid('added')).toMatch(/^\d+$/);
  expect(statesOf(supervisor, 'changed')).not.toContain('crashed');
  await expect(supervisor.call('gone', { tool: 'pid' })).rejects.toMatchObject({ code: 'CONFIG_UNKNOWN_PLUGIN' });
});

test('the same configuration once more touches nothing', async () => {
  const plugins = { a: puppet(), b: puppet() };
  await using stage = await createStage({ plugins });
  const { supervisor } = stage;
  const pid = textOf(await supervisor.call('a', { tool: 'pid' }));
  expect((await supervisor.configure({ a: puppet(), b: puppet() })).unchanged).toEqual(['a', 'b']);
  expect(textOf(await supervisor.call('a', { tool: 'pid' }))).toBe(pid);
  expect(statesOf(supervisor, 'a')).not.toContain('stopping');
});

test('an invalid configuration is refused as a whole: the last good one stays', async () => {
  await using stage = await createStage({ plugins: { a: puppet(), b: puppet() } });
  const { supervisor } = stage;
  const pid = textOf(await supervisor.call('a', { tool: 'pid' }));
  const wrong = { a: puppet('stubborn'), c: { source: './x', restart: 'sometimes' } as unknown as PluginOptions };
  await expect(supervisor.configure(wrong)).rejects.toMatchObject({ code: 'CONFIG_INVALID', plugin: 'c' });
  expect(supervisor.list()).toEqual(['a', 'b']);
  expect(textOf(await supervisor.call('a', { tool: 'pid' }))).toBe(pid);
});

test('what was parked for its old configuration starts with its new one', async () => {
  await using stage = await createStage({ plugins: { p: { ...puppet(), command: './no-such-program' } } });
  const { supervisor } = stage;
  await expect(supervisor.call('p', { tool: 'pid' })).rejects.toMatchObject({ code: 'INSTALL_ENTRY_MISSING' });
  await eventually(() => supervisor.status('p').subState === 'parked');
  await supervisor.configure({ p: puppet() });
  expect(textOf(await supervisor.call('p', { tool: 'pid' }))).toMatch(/^\d+$/);
});

test('one that is being removed and is wanted again comes back', async () => {
  await using stage = await createStage({ plugins: { p: puppet() } });
  const { supervisor } = stage;
  const pid = textOf(await supervisor.call('p', { tool: 'pid' }));
  const removed = supervisor.remove('p');
  expect((await supervisor.configure({ p: puppet() })).added).toEqual(['p']);
  await removed;
  expect(textOf(await supervisor.call('p', { tool: 'pid' }))).not.toBe(pid);
});

test('one that is removed while another one still goes comes back, too', async () => {
  const timing = { inputClose: 200, terminate: 200 };
  await using stage = await createStage({ timing, plugins: { a: puppet(), b: puppet('stubborn') } });
  const { supervisor } = stage;
  const pids = await Promise.all(['a', 'b'].map(async (name) => textOf(await supervisor.call(name, { tool: 'pid' }))));
  const removed = supervisor.remove('a');
  const changed = supervisor.configure({ b: puppet() });
  const removedToo = supervisor.remove('b');
  expect((await changed).added).toEqual(['b']);
  await Promise.all([removed, removedToo]);
  expect(textOf(await supervisor.call('b', { tool: 'pid' }))).not.toBe(pids[1]);
});

test('a removal is over, and its counters are gone, though whoever hears of it adds another one of that name', async () => {
  await using stage = await createStage({ plugins: { p: puppet() } });
  const { supervisor } = stage;
  await supervisor.call('p', { tool: 'pid' });
  supervisor.on('plugin:removed', ({ plugin }) => supervisor.add(plugin, puppet()));
  const interrupted = supervisor.call('p', { tool: 'never' });
  const settled = expect(interrupted).rejects.toMatchObject({ code: 'CALL_INTERRUPTED' });
  await supervisor.remove('p');
  await settled;
  expect(supervisor.list()).toEqual(['p']);
  expect(supervisor.status('p')).toMatchObject({ state: 'absent', generation: 1 });
});
