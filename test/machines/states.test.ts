import { expect, test } from 'vitest';
import { pluginMachine } from '../../machines/plugin.ts';
import { PLUGIN_STATES, stateName, subState } from '../../machines/states.ts';

test.each([
  [{ absent: 'resting' }, 'absent', 'resting'],
  [{ cloning: 'queued' }, 'cloning', 'queued'],
  [{ cloning: { active: 'cancelling' } }, 'cloning', 'cancelling'],
  [{ alive: { launching: 'running' } }, 'launching', 'running'],
  [{ alive: 'ready' }, 'ready', null],
  [{ alive: { stopping: 'draining' } }, 'stopping', 'draining'],
  [{ crashed: 'parked' }, 'crashed', 'parked'],
] as const)('%o is %s with the leaf %s', (value, name, leaf) => {
  expect([stateName(value), subState(value)]).toEqual([name, leaf]);
});

test('a value that is none of the ten is a bug', () => {
  expect(() => stateName('running')).toThrow('not a plugin state');
});

test('the chart has each of the ten names once, and every invoke has an id', () => {
  const keys: string[] = [];
  const visit = (node: (typeof pluginMachine)['root']): void => {
    keys.push(node.key);
    for (const { id } of node.invoke) expect(id).not.toMatch(/^\d+\./);
    for (const child of Object.values(node.states)) visit(child as typeof node);
  };
  visit(pluginMachine.root);
  for (const name of PLUGIN_STATES) expect(keys.filter((key) => key === name)).toEqual([name]);
});
