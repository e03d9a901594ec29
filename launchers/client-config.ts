/**
 * Files that configure an AI client (`.mcp.json` and its like). In a checkout they start the published package, or servers
 * that the maintainers use themselves: never a way to launch, at best names of variables of the program that lies here.
 */

import { asFields, asString, asStrings, readManifest } from './parse.ts';
import { join } from './paths.ts';
import type { FileView } from './plan.ts';

const FILES = [
  '.mcp.json',
  'mcp.json',
  '.cursor/mcp.json',
  '.vscode/mcp.json',
  'claude_desktop_config.json',
  'claude_desktop_config.example.json',
  'gemini-extension.json',
];

/** Names of variables that such a file sets for a server of one of these names; of a foreign one it says nothing. */
export function variablesOfClients(view: FileView, dir: string, names: readonly string[]): string[] {
  const own = names.filter((name) => name.length >= 3).map(plain);
  return FILES.map((name) => join(dir, name)).flatMap((file) => {
    const parsed = view.files.includes(file) ? readManifest(view, file) : null;
    if (!parsed?.ok) return [];
    const servers = { ...asFields(parsed.fields.servers), ...asFields(parsed.fields.mcpServers) };
    return Object.values(servers)
      .map(asFields)
      .filter(({ command, args }) =>
        [asString(command) ?? '', ...asStrings(args)].some((word) => own.some((name) => plain(word).includes(name))),
      )
      .flatMap(({ env }) => Object.keys(asFields(env)));
  });
}

const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_.]+/g, '-');
