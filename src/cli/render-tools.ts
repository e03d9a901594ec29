import type { ToolDescription } from '../../actors/context.ts';
import { printableLine } from '../printable.ts';
import { parametersOf, showParameter } from './schema.ts';
import type { Output } from './terminal.ts';
import { wrap } from './wrap.ts';

/** A longer signature gets its description on the next line. */
const COLUMN = 44;

/** One tool per line: `echo message:string   Returns the message`, aligned, at most as wide as the terminal. */
export function toolsAsText(tools: readonly ToolDescription[], output: Pick<Output, 'style' | 'columns'>): string {
  const { style } = output;
  const rows = tools.map((tool) => ({
    name: printableLine(tool.name),
    parameters: parametersOf(tool.inputSchema).map((parameter) => printableLine(showParameter(parameter))),
    about: firstLine(tool.description ?? ''),
  }));
  const width = ({ name, parameters }: (typeof rows)[number]) => [name, ...parameters].join(' ').length;
  const column = Math.max(0, ...rows.map(width).filter((each) => each <= COLUMN));
  const columns = output.columns();

  return rows
    .map((row) => {
      const beside = width(row) <= COLUMN && columns >= column + 24;
      const head = wrap([row.name, ...row.parameters], columns, '      ');
      const painted = style.bold(row.name) + head.slice(row.name.length);
      if (row.about === '') return `${painted}\n`;
      if (beside)
        return `${painted}${' '.repeat(column - width(row) + 2)}${style.dim(cut(row.about, columns - column - 2))}\n`;
      return `${painted}\n    ${style.dim(cut(row.about, columns - 4))}\n`;
    })
    .join('');
}

const firstLine = (text: string) => printableLine(text.trim().split('\n')[0] ?? '').trim();
const cut = (text: string, width: number) =>
  text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
