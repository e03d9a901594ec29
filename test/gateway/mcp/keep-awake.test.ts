import { describe, expect, it } from 'vitest';
import { everything } from '../../../src/gateway/view.ts';
import { connect, createDesk, library } from './desk.ts';

const idleStop = { idleStop: 50 };

describe('a plugin that a connected client has used', () => {
  it('stays awake until the client leaves', async () => {
    await using desk = await createDesk({ one: library('one', idleStop), other: library('other', idleStop) });
    const client = connect(desk.endpoints.plugin('one', everything)!);
    await client.call('echo');
    // Used by nobody's session, it is stopped meanwhile.
    await desk.supervisor.call('other', { tool: 'echo' });
    await desk.supervisor.waitFor('other', 'absent');
    expect(desk.supervisor.status('one').state).toBe('ready');
    client.leave();
    await desk.supervisor.waitFor('one', 'absent');
  });

  it('is let go some time after its last use', async () => {
    await using desk = await createDesk({ one: library('one', idleStop) }, { keepAwake: 10 });
    const client = connect(desk.endpoints.plugin('one', everything)!);
    await client.call('echo');
    await desk.supervisor.waitFor('one', 'absent');
    expect(await client.call('echo', { a: 1 })).toBe('{"a":1}');
  });
});
