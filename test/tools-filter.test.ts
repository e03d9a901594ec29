import { describe, expect, it } from 'vitest';
import { createToolFilter } from '../src/tool-filter.ts';
import { createStage, eventually, failureOf, puppet, textOf } from './reliability/stage.ts';

const namesOf = (list: unknown) => (list as { tools: { name: string }[] }).tools.map(({ name }) => name);
const only = (...allow: string[]) => puppet('', { tools: { allow } });

describe('a filter of tools', () => {
  it.each([
    [{}, 'anything', true],
    [{ allow: [] }, 'anything', false],
    [{ allow: ['echo'] }, 'echo', true],
    [{ allow: ['echo'] }, 'echo2', false],
    [{ allow: ['read_*'] }, 'read_', true],
    [{ allow: ['*'], deny: ['*delete*'] }, 'do_delete_all', false],
    [{ deny: ['a.b'] }, 'axb', true],
    [{ allow: ['*'] }, undefined as never, false],
    [{ deny: ['x'] }, 7 as never, false],
    [{ allow: ['ab*ba'] }, 'aba', false],
    [{ allow: ['ab*ba'] }, 'abba', true],
    [{ allow: ['*a*b*a'] }, 'aba', true],
    [{ allow: ['*a*b*a'] }, 'ab', false],
    [{ allow: ['a*'] }, 'a\nb', true],
  ])('%j of %s: %s', (filter, name, passes) => {
    expect(createToolFilter(filter)(name)).toBe(passes);
  });

  it('is done with a name of any length', () => {
    expect(createToolFilter({ allow: ['*read*file*now'] })('read'.repeat(1e6))).toBe(false);
  });

  it('hides them from every list', async () => {
    await using stage = await createStage({ plugins: { p: only('echo', 'pi*') } });
    const { supervisor } = stage;
    expect((await supervisor.tools('p')).map(({ name }) => name)).toEqual(['echo', 'pid']);
    expect(namesOf(await supervisor.request('p', 'tools/list'))).toEqual(['echo', 'pid']);
    expect(namesOf(await supervisor.call('p', { method: 'tools/list' }))).toEqual(['echo', 'pid']);
    const link = await supervisor.open('p');
    expect(link.tools.map(({ name }) => name)).toEqual(['echo', 'pid']);
    expect(namesOf(await link.request('tools/list'))).toEqual(['echo', 'pid']);
    link.close();
    expect(supervisor.status('p').tools).toBe(2);
  });

  it('leaves a list alone of which it hides nothing', async () => {
    await using stage = await createStage({
      plugins: { p: puppet('', { tools: { deny: ['nothing'] } }), q: puppet() },
    });
    const { supervisor } = stage;
    expect(await supervisor.request('p', 'tools/list')).toEqual(await supervisor.request('q', 'tools/list'));
  });

  it('refuses what is hidden on every way, as if it were not there', async () => {
    await using stage = await createStage({ plugins: { p: only('echo') } });
    const { supervisor } = stage;
    const params = { name: 'pid', arguments: {} };
    const refused = {
      code: 'CALL_UNKNOWN_TOOL',
      plugin: 'p',
      message: "p has no tool 'pid'.",
      data: { fate: 'not-sent' },
    };
    expect(await failureOf(supervisor.call('p', { tool: 'pid' }))).toMatchObject(refused);
    // Nothing was started for it.
    expect(supervisor.status('p').generation).toBe(0);
    expect(await failureOf(supervisor.call('p', { method: 'tools/call', params }))).toMatchObject(refused);
    expect(await failureOf(supervisor.request('p', 'tools/call', params))).toMatchObject(refused);
    const link = await supervisor.open('p');
    expect(await failureOf(link.request('tools/call', params))).toMatchObject(refused);
    link.close();
    expect(textOf(await supervisor.call('p', { tool: 'echo', arguments: { message: 'seen' } }))).toBe('seen');
    expect(supervisor.metrics()[0]!.calls).toMatchObject({ ok: 1, failed: { CALL_UNKNOWN_TOOL: 4 } });
  });

  it('is not to be got round by a name that becomes one only at the plugin', async () => {
    await using stage = await createStage({ plugins: { p: only('echo'), open: puppet() } });
    const { supervisor } = stage;
    const params = { name: ['pid'], arguments: {} };
    const refused = { code: 'CALL_UNKNOWN_TOOL', plugin: 'p' };
    expect(await failureOf(supervisor.call('p', { method: 'tools/call', params }))).toMatchObject(refused);
    expect(await failureOf(supervisor.request('p', 'tools/call', params))).toMatchObject(refused);
    const link = await supervisor.open('p');
    expect(await failureOf(link.request('tools/call', params))).toMatchObject(refused);
    link.close();
    // Where nothing is hidden it is the plugin's own affair.
    expect(textOf((await supervisor.request('open', 'tools/call', params)) as never)).toBe(
      `${supervisor.status('open').pid}`,
    );
  });

  it('counts at once when it changes, without a restart; who listens hears of it', async () => {
    await using stage = await createStage({ plugins: { p: only('echo') } });
    const { supervisor } = stage;
    const link = await supervisor.open('p');
    const heard: string[] = [];
    supervisor.on('plugin:configured', ({ plugin }) => heard.push(plugin));
    const pid = supervisor.status('p').pid;
    expect(await supervisor.configure({ p: only('pid') })).toMatchObject({ updated: ['p'], restarted: [] });
    expect(heard).toEqual(['p']);
    expect(textOf(await supervisor.call('p', { tool: 'pid' }))).toBe(`${pid}`);
    expect(link.tools.map(({ name }) => name)).toEqual(['pid']);
    expect(await failureOf(supervisor.call('p', { tool: 'echo' }))).toMatchObject({ code: 'CALL_UNKNOWN_TOOL' });
    link.close();
  });
});

describe('a request by method', () => {
  it('of a tool that only reads is repeated, of another one not', async () => {
    await using stage = await createStage({ plugins: { p: puppet() }, restartPolicy: { minDelay: 1 } });
    const { supervisor } = stage;
    const request = (name: string) => supervisor.request('p', 'tools/call', { name, arguments: {} });
    expect(await failureOf(request('poison'))).toMatchObject({ code: 'CALL_INTERRUPTED' });
    // Twice: it says that it only reads.
    await eventually(() => supervisor.metrics()[0]!.crashes === 2);
    expect(await failureOf(request('exit'))).toMatchObject({ code: 'CALL_INTERRUPTED' });
    await request('pid');
    await eventually(() => supervisor.metrics()[0]!.crashes === 3);
  });
});
