/** The files of a project that serve, likeliest first. */

import { basename, relative, withoutExtension } from '../paths.ts';
import type { PassedOver } from '../plan.ts';
import { readImports } from './imports.ts';
import { type Mention, mentionOf } from './mentions.ts';
import { isTrial, looksLikeServer, mainFunctionOf, mcpObjectOf, runsItself, speaksMcp, webAppOf } from './source.ts';
import type { Tree } from './tree.ts';

export interface ServerFile {
  readonly file: string;
  readonly mention: Mention | null;
}

export interface ServerFiles {
  readonly files: readonly ServerFile[];
  readonly passedOver: readonly PassedOver[];
}

const NAMES = ['server', 'main', 'mcp_server', 'app', '__main__', 'run', 'run_server', 'start_server', 'start'];
const ASIDE =
  /(^|\/)(tests?|testing|examples?|samples?|demos?|docs?|scripts?|benchmarks?|evals?|notebooks?|migrations|alembic|tools?|utils?|site-packages|node_modules|\.[^/]+|venv|env)\/|(^|\/)(test_|tests?\.|setup|conftest|__init__|install|check_|verify|debug|demo|example)|_test\.py$|client|addon|(^|\/)(bot|agent|chat|host|ui|gui|streamlit\w*|dashboard|ingest\w*)\.py$/;
/** Deeper ones are parts of something. */
const MAX_DEPTH = 4;

/** Names decide among files that serve; what the documents run decides before names. */
export function findServerFiles(
  view: Tree,
  dir: string,
  roots: readonly string[],
  identities: readonly string[],
  mentions: readonly Mention[],
): ServerFiles {
  const passedOver: PassedOver[] = [];
  const wanted = new Set(identities.map((name) => name.toLowerCase().replaceAll(/[-.]/g, '_')));
  const ranked = view.files
    .filter((file) => file.endsWith('.py') && (dir === '' || file.startsWith(`${dir}/`)))
    .map((file) => ({ file, path: relative(dir, file) }))
    .filter(({ path }) => path.split('/').length <= MAX_DEPTH)
    .flatMap(({ file, path }) => {
      const mention = mentionOf(mentions, dir, file);
      const text = view.read(file) ?? '';
      // A usual name for something aside is taken when the documents themselves run it.
      if (ASIDE.test(path) && !(mention !== null && mention.weight >= 2 && speaksMcp(text))) return [];
      const way = howItServes(view, roots, file, text, mention);
      if (way === null) return [];
      if (typeof way === 'string') {
        passedOver.push({ file, what: path, why: way });
        return [];
      }
      return [{ file, mention, rank: rankOf(path, text, wanted, mention) + way, isMcp: holdsMcp(view, roots, file) }];
    });
  const files = ranked
    // An application beside an MCP server is another program, whatever its image starts.
    .sort((a, b) => Number(b.isMcp) - Number(a.isMcp) || a.rank - b.rank || (a.file < b.file ? -1 : 1))
    .map(({ file, mention }) => ({ file, mention }));
  return { files, passedOver };
}

/** A penalty for the way it serves, a reason why it doesn't, or null for a file that has nothing to do with it. */
function howItServes(
  view: Tree,
  roots: readonly string[],
  file: string,
  text: string,
  mention: Mention | null,
): number | string | null {
  const isMain = basename(file) === '__main__.py';
  if (basename(file) === 'manage.py') return text.includes('DJANGO_SETTINGS_MODULE') ? 90 : null;
  if (looksLikeServer(text)) {
    if (isMain) return 0;
    if (runsItself(text)) return isTrial(text) ? 30 : 0;
    if (mcpObjectOf(text) !== null || webAppOf(text) !== null) return 30;
    return mainFunctionOf(text) === null ? null : 40;
  }
  const stem = withoutExtension(basename(file));
  const isUsual = NAMES.includes(stem) || /server|mcp/.test(stem);
  if (!(runsItself(text) || isMain) || !(isUsual || mention !== null)) return null;
  // It starts what another file of the project holds.
  if (holdsMcp(view, roots, file)) return 10;
  return isUsual ? 'neither serves nor imports what does' : null;
}

const holdsMcp = (view: Tree, roots: readonly string[], file: string): boolean =>
  readImports(view, roots, file).files.some((each) => speaksMcp(view.read(each) ?? ''));

function rankOf(path: string, text: string, wanted: ReadonlySet<string>, mention: Mention | null): number {
  const stem = withoutExtension(basename(path));
  const usual = NAMES.indexOf(stem);
  const name = wanted.has(stem.toLowerCase()) ? 0 : usual >= 0 ? 1 + usual : /server|mcp/.test(stem) ? 20 : 50;
  const mentioned = mention === null ? 0 : -500 * mention.weight;
  return path.split('/').length * 100 + name + (speaksMcp(text) ? 0 : 60) + mentioned;
}
