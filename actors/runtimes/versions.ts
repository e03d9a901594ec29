import semver from 'semver';

/** True when a found version (`3.11.7`, `v20.20.2`, `17.0.15+6`) is in a tool's range; null and nonsense take any. */
export function satisfies(tool: string, version: string, range: string | null): boolean {
  if (range === null || range.trim() === '') return true;
  if (tool === 'python') return satisfiesPython(version, range);
  const found = semver.coerce(version, { includePrerelease: true });
  const wanted = semver.validRange(range, { loose: true });
  // `engines` fields hold things like `lts/*` or prose; a wish that nobody can read is no reason to refuse.
  if (found === null || wanted === null) return true;
  return semver.satisfies(found, wanted, { includePrerelease: true });
}

/** Newest first, by number. */
export const newestFirst = (a: string, b: string): number => compare(release(b), release(a));

/**
 * A PEP 440 specifier (`>=3.10,<4`, `~=3.11`, `==3.12.*`), also in Poetry's dialect (`^3.10`, `~3.11`, `3.11.*`, `||`),
 * against a CPython version.
 */
export function satisfiesPython(version: string, specifier: string): boolean {
  const found = release(version);
  return specifier.split('||').some((alternative) =>
    alternative
      .replaceAll(/(===|~=|==|!=|<=|>=|<|>|\^|~)\s+/g, '$1')
      .split(/[\s,]+/)
      .filter((clause) => clause !== '' && clause !== '*')
      .every((clause) => satisfiesClause(found, clause)),
  );
}

function satisfiesClause(found: readonly number[], clause: string): boolean {
  const [, operator = '', wanted = ''] = /^(===|~=|==|!=|<=|>=|<|>|=|\^|~)?(.*)$/.exec(clause) ?? [];
  const numbers = release(wanted);
  if (numbers.length === 0) return true;
  const order = compare(found, numbers);
  const startsWith = (prefix: readonly number[]) => prefix.every((part, index) => (found[index] ?? 0) === part);
  switch (operator) {
    case '>=':
      return order >= 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '<':
      return order < 0;
    case '~=':
      return order >= 0 && startsWith(numbers.slice(0, -1));
    case '^':
      return order >= 0 && startsWith(numbers.slice(0, 1));
    case '~':
      return order >= 0 && startsWith(numbers.slice(0, 2));
    case '!=':
      return wanted.endsWith('.*') ? !startsWith(numbers) : order !== 0;
    default:
      return wanted.endsWith('.*') ? startsWith(numbers) : order === 0;
  }
}

/** `3.13.0rc1` → [3, 13, 0]. */
const release = (version: string): number[] =>
  (/\d+(\.\d+)*/.exec(version)?.[0] ?? '')
    .split('.')
    .filter((part) => part !== '')
    .map(Number);

function compare(a: readonly number[], b: readonly number[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
