import { expect, it } from 'vitest';
import { leavingTree } from '../../launchers/confine.ts';
import type { Command, LaunchPlan } from '../../launchers/plan.ts';
import { samplePlan } from '../../src/testing/samples.ts';

const command = (program: string, args: readonly string[] = [], cwd = ''): Command => ({ program, args, cwd });
const starting = (made: Command, entry: string | null = null): Partial<LaunchPlan> => ({
  start: [{ id: 'x', command: made, entry }],
});

it.each<[string, Partial<LaunchPlan>]>([
  ['a program above', starting(command('../bin/sh'))],
  ['a program above, from below', starting(command('a/../../bin/sh'))],
  ['a program of the machine', starting(command('/bin/sh'))],
  ['an entry above', starting(command('node', ['x.js']), '../x.js')],
  ['a working folder above', starting(command('node', ['x.js'], '..'))],
  ['a working folder of the machine', starting(command('node', ['x.js'], '/tmp'))],
  ['a script above', starting(command('node', ['--inspect', '../x.js']))],
  ['a script above its working folder', starting(command('python3', ['../../x.py'], 'inner'))],
  ['a script of the machine', starting(command('sh', ['-e', '/tmp/x.sh']))],
  ['a project above', { projectDir: '..' }],
  ['an install step above', { install: [{ id: 'x', cures: 'any', steps: [command('../x.sh')] }] }],
  ['a later install step above', { install: [{ id: 'x', cures: 'any', steps: [], afterwards: [command('/x.sh')] }] }],
  ['a build step above', { build: [command('a/../../x.sh')] }],
])('%s leaves the tree', (_, plan) => {
  expect(leavingTree(samplePlan(plan))).toMatchObject({
    code: 'DETECT_BAD_MANIFEST',
    message: expect.stringContaining('outside'),
  });
});

it.each<[string, Partial<LaunchPlan>]>([
  ['a tool', starting(command('node', ['dist/x.js', '/data', '../other']))],
  ['a program of the tree', starting(command('.venv/bin/python', ['-m', 'x']), '.venv/bin/python')],
  ['a script above its working folder and inside', starting(command('node', ['../x.js'], 'packages/a'))],
  ['a folder with dots in its name', starting(command('..name/run'))],
  ['a tool with paths for arguments', starting(command('npx', ['-y', 'x', '/data']))],
])('%s stays', (_, plan) => {
  expect(leavingTree(samplePlan(plan))).toBeNull();
});
