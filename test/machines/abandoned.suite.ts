import { describe, expect, test } from 'vitest';
import { createFailure } from '../../machines/failure.ts';
import { sampleSurvey } from '../../src/testing/samples.ts';
import { createPlugin, reach } from './covered.ts';

describe('abandoned processes', () => {
  const abandon = async () => {
    const plugin = await reach(createPlugin(), 'stopping.sweeping');
    plugin.process.abandoned([41, 42]);
    return plugin;
  };

  test('park the plugin with their pids', async () => {
    const plugin = await abandon();
    expect(plugin.state()).toBe('crashed.parked');
    expect(plugin.context().failure).toMatchObject({ code: 'STOP_ABANDONED', data: { pids: [41, 42] } });
  });

  test('keep it from absent: STOP and REMOVE are answered where it is, RESET does nothing', async () => {
    for (const type of ['STOP', 'KILL', 'REMOVE', 'RESET'] as const) {
      const plugin = await abandon();
      plugin.send({ type });
      expect(plugin.state()).toBe('crashed.parked');
      expect(plugin.reports.at(-1)?.type).toBe(type === 'RESET' ? 'plugin.entered' : 'stop.done');
    }
  });

  test('refuse a START until survey finds them gone', async () => {
    const plugin = await abandon();
    plugin.send({ type: 'START' });
    expect(plugin.survey.inputs.at(-1)?.abandoned).toEqual([41, 42]);
    plugin.survey.done(sampleSurvey('cloning', { blocked: createFailure('STOP_ABANDONED') }));
    await plugin.settle();
    expect(plugin.state()).toBe('crashed.parked');
    plugin.send({ type: 'START' });
    plugin.survey.done(sampleSurvey('launching'));
    await plugin.settle();
    expect(plugin.state()).toBe('launching.queued');
    expect(plugin.context().abandoned).toEqual([]);
  });

  test.each(['STOP', 'KILL', 'REMOVE'] as const)('make a %s while checking wait for what survey says', async (type) => {
    const gone = await abandon();
    gone.send({ type: 'START' });
    gone.send({ type });
    expect(gone.state()).toBe('absent.checking');
    gone.survey.done(sampleSurvey('launching'));
    await gone.settle();
    expect(gone.state()).toBe('absent.resting');
    expect(gone.reports.at(-1)?.type).toBe('stop.done');
  });
});
