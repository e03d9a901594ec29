import { describe, expect, it } from 'vitest';
import { findEndpoint } from '../../../src/cli/serve/find-endpoint.ts';
import { createGateway } from '../../../src/gateway/gateway.ts';
import type { Supervisor } from '../../../src/options.ts';
import { createStage } from '../../reliability/stage.ts';
import { connect, library } from './desk.ts';

/** Listeners that are there now. */
function counted(supervisor: Supervisor): { readonly supervisor: Supervisor; readonly listeners: () => number } {
  let listeners = 0;
  const on: Supervisor['on'] = (event, listener) => {
    const stop = supervisor.on(event, listener);
    listeners += 1;
    return () => {
      listeners -= 1;
      stop();
    };
  };
  return { supervisor: { ...supervisor, on } as Supervisor, listeners: () => listeners };
}

describe('an endpoint', () => {
  it('goes with its profile or its plugin, once nobody uses it any more', async () => {
    await using stage = await createStage({ plugins: { one: library('one') } });
    const { supervisor, listeners } = counted(stage.supervisor);
    const gateway = createGateway(supervisor, { profiles: { part: { plugins: ['one'] } } });
    const { endpoints } = gateway;
    const before = listeners();
    const part = gateway.profile('part')!;
    const session = connect(endpoints.all(part));
    await session.ask('ping');
    endpoints.plugin('one', part);
    await gateway.update({ profiles: { part: { plugins: ['one'] } } });
    expect(gateway.profile('part')).toBe(part);
    const inUse = listeners();
    await gateway.update({ profiles: { part: { plugins: ['*'] } } });
    expect(gateway.profile('part')).not.toBe(part);
    expect(before).toBeLessThan(listeners());
    expect(listeners()).toBeLessThan(inUse);
    session.leave();
    endpoints.plugin('one', gateway.profile('part')!);
    await supervisor.remove('one');
    expect(listeners()).toBe(before);
    await gateway.close();
    expect(listeners()).toBe(0);
  });

  it('is one for all clients of a profile, on a pipe too', async () => {
    await using stage = await createStage({ plugins: { one: library('one') } });
    const gateway = createGateway(stage.supervisor, { profiles: { part: { plugins: ['one'] } } });
    const find = (profile: string) => findEndpoint(gateway, { plugin: null, profile }, ['part']);
    expect(find('part')).toBe(find('part'));
    expect(find('part')).toBe(gateway.endpoints.all(gateway.profile('part')!));
    expect(() => find('other')).toThrow("There is no profile 'other'.");
    await gateway.close();
  });
});
