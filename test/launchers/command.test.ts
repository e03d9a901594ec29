import { expect, it } from 'vitest';
import { isRefusal, type Overrides } from '../../launchers/plan.ts';
import { planFor } from '../../launchers/table.ts';
import { sampleSpec } from '../../src/testing/samples.ts';
import { createFileView } from '../support/file-view.ts';

function plan(argv: readonly string[], overrides: Overrides = {}) {
  const source = { kind: 'command', argv, cwd: '/users/me/work', subdir: '' } as const;
  // What lies in the folder plays no part.
  const made = planFor(createFileView({ 'package.json': '{' }), sampleSpec({ source, overrides }));
  if (isRefusal(made)) throw new Error(made.message);
  return made;
}

it.each([
  [['node', './server.js', '--x'], 'node', ['./server.js', '--x']],
  [['./bin/server'], '/users/me/work/bin/server', []],
  [['../server', 'a b'], '/users/me/server', ['a b']],
  [['/opt/server'], '/opt/server', []],
])('%j runs as it was typed, where the user is', (argv, program, args) => {
  const made = plan(argv);
  expect(made).toMatchObject({ launcher: 'binary', tools: [], install: [], build: [], confidence: 'high' });
  expect(made.start).toEqual([{ id: 'command', command: { program, args, cwd: '/users/me/work' }, entry: null }]);
});

it('takes arguments and a working folder of the options', () => {
  const made = plan(['./server'], { args: ['--port', '1'], cwd: 'inner', transport: 'http' });
  expect(made.start[0]?.command).toEqual({
    program: '/users/me/work/inner/server',
    args: ['--port', '1'],
    cwd: '/users/me/work/inner',
  });
  expect(made.transport).toBe('http');
});
