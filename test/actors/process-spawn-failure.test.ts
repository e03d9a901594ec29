import { expect, it } from 'vitest';
import { spawnFailure } from '../../actors/process/spawn-failure.ts';

const command = { program: '/usr/bin/env', args: [], cwd: '/' };
const error = (code: string) => Object.assign(new Error(code), { code });

it.each(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM'])('%s passes, so it is worth a retry', (code) => {
  const failure = spawnFailure(error(code), command, 3);
  expect(failure).toMatchObject({ code: 'LAUNCH_SPAWN', retryable: true, generation: 3, data: { error: code } });
  expect(failure.hint).toContain('ulimit');
});

it.each(['ENOENT', 'EACCES', 'ENOEXEC', 'E2BIG'])('%s stays', (code) => {
  expect(spawnFailure(error(code), command, 3)).toMatchObject({ code: 'LAUNCH_SPAWN', retryable: false });
});
