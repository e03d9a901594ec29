import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { breachBySample, createProcMemory, createPsMemory } from '../../../actors/confinement/sample.ts';
import { watch } from '../../../actors/confinement/watch.ts';

let root: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'mcps-proc-'));
  for (const [pid, resident, shared] of [
    [1, 100, 60],
    [2, 100, 60],
    [3, 100, null],
  ] as const) {
    await mkdir(join(root, `${pid}`));
    await writeFile(join(root, `${pid}`, 'status'), `Name:\tx\nVmRSS:\t   ${resident} kB\n`);
    if (shared !== null)
      await writeFile(join(root, `${pid}`, 'smaps_rollup'), `Rss: ${resident} kB\nPss:   ${shared} kB\n`);
  }
});
afterAll(() => rm(root, { recursive: true }));

it('divides what workers share, and takes what is resident where the system does not tell', () => {
  const table = createProcMemory(root);
  expect(table.resident([1, 2, 3, 4])).toBe(300 * 1024);
  expect(table.proportional([1, 2, 3, 4])).toBe(220 * 1024);
  expect(breachBySample({ memory: 150 * 1024 }, [1, 2], 0, table)).toBeNull();
  expect(breachBySample({ memory: 110 * 1024 }, [1, 2], 0, table)).toMatchObject({ limit: 'memory', used: 120 * 1024 });
});

it('looks closely at nobody who is within the limit', () => {
  const proportional = vi.fn(() => 0);
  expect(breachBySample({ memory: 300 }, [1], 0, { resident: () => 300, proportional })).toBeNull();
  expect(proportional).not.toHaveBeenCalled();
});

it('does not count what we put around the program', () => {
  expect(breachBySample({ processes: 1 }, [1, 2, 3], 2)).toBeNull();
  expect(breachBySample({ processes: 1 }, [1, 2, 3, 4], 2)).toEqual({ limit: 'processes', allowed: 1, used: 2 });
});

it('finds about the same by ps', () => {
  const resident = createPsMemory().resident([process.pid]);
  expect(resident).toBeGreaterThan(process.memoryUsage().rss / 2);
  expect(resident).toBeLessThan(process.memoryUsage().rss * 2);
});

it('looks until there is something to tell, tells it once, and survives a look that fails', async () => {
  const looks = [null, new Error('EMFILE'), null, 'found', 'again'];
  const told: string[] = [];
  const look = vi.fn(async () => {
    const next = looks.shift();
    if (next instanceof Error) throw next;
    return next ?? null;
  });
  watch(look, (found) => void told.push(found), 1);
  await vi.waitFor(() => expect(told).toEqual(['found']));
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(told).toEqual(['found']);
  expect(look).toHaveBeenCalledTimes(4);
});

it('tells nothing once it was ended, not even what a look under way finds', async () => {
  let found: (what: string) => void = () => {};
  const look = vi.fn(() => new Promise<string>((resolve) => (found = resolve)));
  const told: string[] = [];
  const end = watch(look, (what) => void told.push(what), 1);
  await vi.waitFor(() => expect(look).toHaveBeenCalled());
  end();
  found('late');
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(told).toEqual([]);
});
