import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where scenarios with a number are. */
const FOLDERS = ['test/reliability', 'test/model', 'test/machines'];

/** Number (`R24`) → the test files with a test whose title starts with it. */
export async function filesByScenario(root: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  for (const folder of FOLDERS) {
    for (const name of (await readdir(join(root, folder))).filter((each) => each.endsWith('.test.ts'))) {
      const file = `${folder}/${name}`;
      for (const scenario of await scenariosOf(join(root, file))) {
        found.set(scenario, [...(found.get(scenario) ?? []), file]);
      }
    }
  }
  return found;
}

/** Those of its suites too: a suite is run by the file that imports it. */
async function scenariosOf(path: string): Promise<ReadonlySet<string>> {
  const text = await readFile(path, 'utf8');
  const suites = [...text.matchAll(/^import '(.+\.suite\.ts)';$/gm)].map(([, suite = '']) =>
    join(dirname(path), suite),
  );
  const texts = [text, ...(await Promise.all(suites.map((suite) => readFile(suite, 'utf8'))))];
  return new Set(texts.flatMap((each) => [...each.matchAll(/['"`](R\d+) /g)].map(([, scenario = '']) => scenario)));
}
