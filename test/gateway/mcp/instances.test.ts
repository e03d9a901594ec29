import { describe, expect, it } from 'vitest';
import { everything } from '../../../src/gateway/view.ts';
import { eventually } from '../../reliability/stage.ts';
import { connect, createDesk, type Heard, library } from './desk.ts';

describe('a plugin with a process for each session', () => {
  it('tells what a process says unasked only to the client that it works for', async () => {
    await using desk = await createDesk({ one: library('one', { instances: 'per-session' }) });
    const endpoint = desk.endpoints.plugin('one', everything)!;
    const [first, second] = [connect(endpoint), connect(endpoint)] as const;
    const uri = 'one://own';
    await first.ask('resources/subscribe', { uri });
    await second.ask('resources/subscribe', { uri });
    const told = (heard: readonly Heard[]) =>
      heard.filter(({ method }) => /message|updated/.test(method)).map(({ method }) => method);
    expect(await second.call('followed')).toBe(uri);
    await second.ask('logging/setLevel', { level: 'error' });
    expect(await second.call('level')).toBe('error');
    expect(await first.call('level')).toBe('none');
    await first.call('log', { level: 'info' });
    await first.call('touch', { uri });
    await eventually(() => told(first.heard).length === 2);
    expect(told(second.heard)).toEqual([]);
    await second.call('touch', { uri });
    await eventually(() => told(second.heard).length === 1);
    expect(told(first.heard)).toHaveLength(2);
    first.leave();
    await eventually(() => desk.supervisor.status('one').instances?.length === 2);
    expect(await second.call('followed')).toBe(uri);
  });
});
