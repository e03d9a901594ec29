import { expect, it } from 'vitest';
import { containerWords } from '../../../actors/process/container.ts';

it('gives a container its limits, its user and its sandbox as the engine takes them', () => {
  const limits = { memory: 1024, cpu: 0.5, cpuTime: 1.5, processes: 9, files: 99 };
  expect(containerWords({ limits, user: 'nobody' }, true)).toEqual([
    ...['--memory=1024', '--cpus=0.5', '--ulimit=cpu=2', '--pids-limit=9', '--ulimit=nofile=99:99', '--user=nobody'],
  ]);
  expect(containerWords({ sandbox: { network: 'off', read: ['/a'], write: ['/b'] } }, false)).toEqual([
    ...['--network=none', '--volume=/a:/a:ro', '--volume=/b:/b'],
  ]);
  expect(containerWords({}, true)).toEqual([]);
});

it('refuses to take the network from one that is reached by a port', () => {
  const sandbox = { network: 'off', read: [], write: [] } as const;
  expect(() => containerWords({ sandbox }, true)).toThrow(
    expect.objectContaining({ failure: expect.objectContaining({ code: 'CONFIG_SANDBOX_NETWORK' }) }),
  );
});
