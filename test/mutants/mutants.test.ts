import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mutants } from './mutants.ts';
import { filesByScenario } from './scenarios.ts';

const root = resolve(import.meta.dirname, '../..');
const scenarios = await filesByScenario(root);

describe.each(mutants)('the breakage $name', ({ file, find, replace, caughtBy }) => {
  test('applies at exactly one place, and changes something', () => {
    const path = join(root, file);
    expect(existsSync(path), file).toBe(true);
    expect(readFileSync(path, 'utf8').split(find)).toHaveLength(2);
    expect(replace).not.toBe(find);
  });

  test(`has ${caughtBy}, which a test is named for`, () => {
    expect(scenarios.get(caughtBy) ?? []).not.toEqual([]);
  });
});

test('no two breakages share a name, or are the same', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
  expect(new Set(mutants.map(({ file, find, replace }) => [file, find, replace].join('\n'))).size).toBe(mutants.length);
});
