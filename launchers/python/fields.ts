import { parse } from 'smol-toml';
import { asFields, type Fields } from '../parse.ts';

/** The fields of a text that others check too: null when it is not there or can't be parsed. */
export const tomlFields = (text: string | undefined): Fields | null => parsed(text, parse);
export const jsonFields = (text: string | undefined): Fields | null => parsed(text, JSON.parse);

function parsed(text: string | undefined, parser: (text: string) => unknown): Fields | null {
  if (text === undefined) return null;
  try {
    return asFields(parser(text));
  } catch {
    return null;
  }
}
