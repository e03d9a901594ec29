/** Names of distributions, and the requirement lines that begin with them (PEP 503, PEP 508). */

/** `Mcp_Server.Time` → `mcp-server-time`. */
export const normalName = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, '-');

/** Distribution that a requirement line names; '' for a path or a URL. */
export const nameOf = (requirement: string): string => normalName(/^[\w.-]+/.exec(requirement.trim())?.[0] ?? '');

/** `mcp[cli]>=1.2,<2 ; python_version > "3"` → `>=1.2,<2`; null for a URL. */
export function specifierOf(requirement: string): string | null {
  const [rest = ''] = requirement
    .trim()
    .replace(/^[\w.-]+\s*(\[[^\]]*\])?/, '')
    .split(';');
  return /^\s*@/.test(rest) ? null : rest.replaceAll(/[()\s]/g, '');
}

/** `^1.2` → `>=1.2,<2`, `~1.2` → `>=1.2,<1.3` (Poetry's dialect); `*` → ``; PEP 440 stays. */
export function fromPoetry(constraint: string): string {
  return constraint
    .split(',')
    .map((part) => part.trim())
    .flatMap((part) => {
      const [, operator, version = ''] = /^([~^])\s*(\d[\w.]*)$/.exec(part) ?? [];
      if (operator === undefined) return part === '*' || part === '' ? [] : [/^\d/.test(part) ? `==${part}` : part];
      const numbers = version.split('.').map((each) => Number.parseInt(each, 10) || 0);
      const first = numbers.findIndex((each) => each > 0);
      const at = operator === '~' ? Math.min(1, numbers.length - 1) : first < 0 ? numbers.length - 1 : first;
      const upper = [...numbers.slice(0, at), (numbers[at] ?? 0) + 1];
      return [`>=${version}`, `<${upper.join('.')}`];
    })
    .join(',');
}
