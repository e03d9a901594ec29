import { type Doubt, suggestManifest } from '../../launchers/doubts.ts';
import type { LaunchPlan } from '../../launchers/plan.ts';
import { printable } from '../printable.ts';
import type { Output } from './terminal.ts';
import { wrap } from './wrap.ts';

/** What is in doubt and what settles it, and a manifest that settles most of it. */
export function doubtsAsText(
  doubts: readonly Doubt[],
  plan: LaunchPlan,
  { style, columns }: Pick<Output, 'style' | 'columns'>,
): string {
  const width = columns();
  const paragraph = (first: string, indent: string, text: string) =>
    wrap([first + (text.split(' ')[0] ?? ''), ...text.split(' ').slice(1)], width, indent);
  const lines = doubts.flatMap(({ doubt, settle }) => [
    paragraph('  ? ', '    ', printable(doubt)),
    paragraph(`    ${style.cyan('→')} `, '      ', printable(settle)),
  ]);
  const manifest = suggestManifest(plan)
    .trimEnd()
    .split('\n')
    .map((line) => `    ${printable(line)}`);
  const count = `${doubts.length} ${doubts.length === 1 ? 'thing is' : 'things are'} left to guesswork`;
  return ['', style.bold(count), ...lines, '', '  mcp-supervisor.yaml that says it outright:', '', ...manifest, '']
    .join('\n')
    .concat('\n');
}
