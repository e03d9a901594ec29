import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const FLOORS = ['launchers', 'machines', 'actors', 'src'] as const;

const sourceFiles = FLOORS.flatMap((floor) =>
  readdirSync(join(root, floor), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => join(floor, file)),
);

interface Import {
  readonly from: string;
  /** A path from the root for our own files, else the package or `node:` name. */
  readonly to: string;
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
}

const STATIC = /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'([^']+)'\s*\)/g;

const imports: readonly Import[] = sourceFiles.flatMap((from) => {
  const text = readFileSync(join(root, from), 'utf8').replace(/^\s*(?:\*|\/\/|\/\*).*$/gm, '');
  const target = (specifier: string) =>
    specifier.startsWith('.') ? relative(root, resolve(root, dirname(from), specifier)) : specifier;
  return [
    ...[...text.matchAll(STATIC)].map((match) => ({
      from,
      to: target(match[2] ?? ''),
      typeOnly: match[1] !== undefined,
      dynamic: false,
    })),
    ...[...text.matchAll(DYNAMIC)].map((match) => ({
      from,
      to: target(match[1] ?? ''),
      typeOnly: false,
      dynamic: true,
    })),
  ];
});

const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
const floorOf = (path: string) => FLOORS.find((floor) => path.startsWith(`${floor}/`));
const show = ({ from, to }: Import) => `${from} → ${to}`;

const PURE_PARSERS = ['yaml', 'smol-toml', 'semver'];

/** What each floor may import. */
const RULES: Record<(typeof FLOORS)[number], (used: Import) => boolean> = {
  launchers: ({ to }) => floorOf(to) === 'launchers' || PURE_PARSERS.includes(packageOf(to)),
  machines: ({ to, typeOnly }) =>
    floorOf(to) === 'machines' || packageOf(to) === 'xstate' || (to === 'launchers/plan.ts' && typeOnly),
  actors: ({ from, to, typeOnly, dynamic }) =>
    floorOf(to) === 'actors' ||
    ['machines/contracts.ts', 'machines/events.ts', 'machines/failure.ts', 'machines/states.ts'].includes(to) ||
    to === 'launchers/plan.ts' ||
    (to.startsWith('launchers/') && (typeOnly || (dynamic && from.startsWith('actors/detect')))) ||
    floorOf(to) === undefined,
  src: () => true,
};

/** Inside src, from the outermost inwards; an arrow may skip steps but never go back. */
const SRC_LAYERS = ['cli', 'integrations', 'config-file', 'gateway', 'inspect', 'testing'];

describe('the architecture', () => {
  it('finds the imports that it judges', () => {
    expect(imports.length).toBeGreaterThan(100);
    expect(imports.some(({ from, to }) => from === 'src/compose.ts' && to === 'machines/plugin.ts')).toBe(true);
  });

  it.each(FLOORS)('%s imports only what its floor may', (floor) => {
    const broken = imports.filter((used) => floorOf(used.from) === floor && !RULES[floor](used));
    expect(broken.map(show)).toEqual([]);
  });

  it('has no node: import in launchers and machines', () => {
    const broken = imports.filter(({ from, to }) => /^(launchers|machines)\//.test(from) && to.startsWith('node:'));
    expect(broken.map(show)).toEqual([]);
  });

  it('keeps clocks and chance out of machines and launchers', () => {
    const broken = sourceFiles.filter(
      (file) =>
        /^(launchers|machines)\//.test(file) &&
        /\bDate\.now\(|\bMath\.random\(|\bnew Date\(\)/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(broken).toEqual([]);
  });

  it('points inwards inside src', () => {
    const layer = (path: string) => SRC_LAYERS.findIndex((name) => path.startsWith(`src/${name}/`));
    const broken = imports.filter(
      ({ from, to }) => to.startsWith('src/') && layer(to) >= 0 && (layer(from) < 0 || layer(from) > layer(to)),
    );
    expect(broken.map(show)).toEqual([]);
  });

  it('has no circle of imports', () => {
    const next = new Map<string, string[]>();
    for (const { from, to, typeOnly, dynamic } of imports) {
      if (!typeOnly && !dynamic && floorOf(to) !== undefined) next.set(from, [...(next.get(from) ?? []), to]);
    }
    const done = new Set<string>();
    const circle = (file: string, path: readonly string[]): readonly string[] | undefined => {
      if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
      if (done.has(file)) return undefined;
      for (const to of next.get(file) ?? []) {
        const found = circle(to, [...path, file]);
        if (found !== undefined) return found;
      }
      done.add(file);
      return undefined;
    };
    expect(sourceFiles.map((file) => circle(file, [])).find((found) => found !== undefined)).toBeUndefined();
  });

  it('loads heavy libraries only where they are used', () => {
    const heavy = ['undici', 'isomorphic-git', 'yaml', 'smol-toml', 'tar', 'ajv', 'commander', 'elkjs'];
    const allowed = ({ from, to }: Import) => from.startsWith('launchers/') && PURE_PARSERS.includes(packageOf(to));
    const broken = imports.filter(
      (used) =>
        heavy.includes(packageOf(used.to)) &&
        !used.typeOnly &&
        !used.dynamic &&
        !allowed(used) &&
        !used.from.startsWith('src/cli/'),
    );
    expect(broken.map(show)).toEqual([]);
  });

  it('invokes composition in one file only', () => {
    const composers = sourceFiles.filter(
      (file) => !file.startsWith('src/testing/') && /\.provide\(\{/.test(readFileSync(join(root, file), 'utf8')),
    );
    expect(composers).toEqual(['src/compose.ts']);
  });

  it('asks /proc in a few places only, each with a twin or for what Linux alone has', () => {
    const asking = sourceFiles.filter((file) => {
      const code = readFileSync(join(root, file), 'utf8').replace(/\/\*\*?[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
      return file.startsWith('actors/') && /(?<! )\/proc\b/.test(code);
    });
    expect(asking.sort()).toEqual([
      // A sandbox and its limits, and the formats that Linux was taught to run.
      'actors/confinement/cgroup.ts',
      'actors/confinement/sample.ts',
      'actors/confinement/sandbox.ts',
      'actors/confinement/tcp-watch.ts',
      'actors/groups/proc-table.ts',
      'actors/guard/script.ts',
      'actors/platform.ts',
      'actors/ports/proc-sockets.ts',
      'actors/process/executable.ts',
    ]);
  });

  it('has no default export outside of configuration', () => {
    const broken = sourceFiles.filter((file) => /^export default/m.test(readFileSync(join(root, file), 'utf8')));
    expect(broken).toEqual([]);
  });
});
