import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const readme = read('test/reliability/README.md');

/** Every text in which a scenario can have its test. */
const tests = ['test/reliability', 'test/model', 'test/machines']
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => `${folder}/${name}`))
  .filter((path) => /\.(test|suite)\.ts$/.test(path))
  .map(read)
  .join('\n');
const hasTest = (scenario: string) => new RegExp(`['"\`]${scenario}\\b`).test(tests);

/** `| 1 | complaint | kept out by |` */
const rows = [...readme.matchAll(/^\| (\d+) \| (.+?) \| (.+) \|$/gm)].map(([, number, , proof = '']) => ({
  number: Number(number),
  proof,
}));

/** `R1–R6, R8` as its parts. */
function scenariosIn(text: string): string[] {
  return [...text.matchAll(/R(\d+)(?:–R(\d+))?/g)].flatMap(([, first, last = first]) =>
    Array.from({ length: Number(last) - Number(first) + 1 }, (_, index) => `R${Number(first) + index}`),
  );
}

test('every scenario from R1 to R66 has a test that is named with its number', () => {
  const scenarios = scenariosIn('R1–R66');
  expect(scenarios).toHaveLength(66);
  expect(scenarios.filter((scenario) => !hasTest(scenario))).toEqual([]);
});

describe('the table of complaints', () => {
  test('has all 35', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 35 }, (_, index) => index + 1));
  });

  test.each(rows)('$number names scenarios, files and titles that exist', ({ proof }) => {
    const files = [...proof.matchAll(/`([\w./-]+\.ts)`(?:: ([^;]+))?/g)].map(([, file = '', title]) => ({
      path: file.startsWith('test/') ? file : `test/reliability/${file}`,
      title: title?.trim(),
    }));
    const scenarios = scenariosIn(proof);
    // What can't be tested here yet says so.
    expect(files.length > 0 || scenarios.length > 0 || proof.startsWith('not yet:')).toBe(true);
    expect(scenarios.filter((scenario) => !hasTest(scenario))).toEqual([]);
    for (const { path, title } of files) {
      expect(existsSync(join(root, path)), path).toBe(true);
      if (title !== undefined) expect(read(path)).toContain(title);
    }
  });
});
