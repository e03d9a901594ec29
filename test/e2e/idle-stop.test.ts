import { expect, test } from 'vitest';
import { createSupervisor } from '../../src/index.ts';
import { fixtureFolder } from '../support/fixture-repos.ts';
import { createHome, environmentsOf } from '../support/home.ts';
import { expectNothingLeft, leftoversOf } from '../support/leftovers.ts';

test('an idle plugin is stopped without a trace, and the next call only launches it', async () => {
  await using home = await createHome();
  const supervisor = createSupervisor({
    home: home.path,
    env: home.env,
    plugins: { family: { source: fixtureFolder('family'), idleStop: 200 } },
  });
  const statesSince = (start: number) =>
    supervisor
      .history('family')
      .slice(start)
      .map(({ state }) => state);
  try {
    const first = await supervisor.call('family', { tool: 'pid' });
    expect(statesSince(0)).toEqual(
      expect.arrayContaining(['cloning', 'detecting', 'installing', 'launching', 'ready']),
    );
    const environments = await environmentsOf(home);

    const { pid, failure } = await supervisor.waitFor('family', 'absent');
    expect({ pid, failure }).toEqual({ pid: null, failure: null });
    expect(statesSince(0).slice(-3)).toEqual(['idle', 'stopping', 'absent']);
    const owned = (await leftoversOf(home)).processes.filter(
      ({ command }) => command.includes('-e') || command.includes('server.js'),
    );
    expect(owned).toEqual([]);

    const before = supervisor.history('family').length;
    const second = await supervisor.call('family', { tool: 'pid' });
    expect(second).not.toEqual(first);
    expect(
      statesSince(before)
        .filter((state) => state !== 'absent')
        .slice(0, 3),
    ).toEqual(['launching', 'probing', 'ready']);
    expect(await environmentsOf(home)).toEqual(environments);
    expect(supervisor.status('family').generation).toBe(2);
  } finally {
    await supervisor.close();
  }
  await expectNothingLeft(home);
});

test('a call in flight and an open link keep a plugin from idling', async () => {
  await using home = await createHome();
  const supervisor = createSupervisor({
    home: home.path,
    env: home.env,
    plugins: { family: { source: fixtureFolder('family'), idleStop: 200 } },
  });
  try {
    const link = await supervisor.open('family');
    const stopped = supervisor.waitFor('family', 'absent').then(() => 'stopped');
    const waiting = supervisor.call('family', { tool: 'wait' }, { timeout: 2_500 }).catch((error: Error) => error);
    expect(await Promise.race([stopped, waiting])).toMatchObject({ code: 'CALL_TIMEOUT' });
    expect(supervisor.status('family').state).toBe('ready');
    link.close();
    expect(await stopped).toBe('stopped');
  } finally {
    await supervisor.close();
  }
  await expectNothingLeft(home);
});
