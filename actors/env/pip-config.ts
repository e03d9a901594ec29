/** pip's own settings, where they are kept and how they win over each other (pip's documentation, "Configuration"). */

import { readFile } from 'node:fs/promises';
import { devNull, homedir } from 'node:os';
import { join } from 'node:path';

type CallerEnv = Readonly<Record<string, string | undefined>>;

/** `index-url` → value; several lines of one setting are one value with line breaks. */
export type PipConfig = Readonly<Record<string, string>>;

/** What `pip install` would find in its files; a command's section wins over `global`, the user's file over the system's. */
export async function readPipConfig(callerEnv: CallerEnv): Promise<PipConfig> {
  const texts = await Promise.all(filesOf(callerEnv).map((file) => readFile(file, 'utf8').catch(() => '')));
  const sections = texts.map(parseIni);
  return Object.assign({}, ...['global', 'install'].flatMap((name) => sections.map((section) => section[name] ?? {})));
}

/** pip reads its settings from variables too, which win. */
export const pipSetting = (config: PipConfig, callerEnv: CallerEnv, name: string): string | undefined =>
  callerEnv[`PIP_${name.toUpperCase().replaceAll('-', '_')}`] || config[name] || undefined;

function filesOf({ PIP_CONFIG_FILE, XDG_CONFIG_HOME, XDG_CONFIG_DIRS, HOME = homedir() }: CallerEnv): string[] {
  if (PIP_CONFIG_FILE === devNull) return [];
  const isMac = process.platform === 'darwin';
  const system = isMac
    ? ['/Library/Application Support']
    : [...(XDG_CONFIG_DIRS || '/etc/xdg').split(':').filter((dir) => dir !== '')];
  const user = [
    ...(isMac ? [join(HOME, 'Library', 'Application Support')] : []),
    XDG_CONFIG_HOME || join(HOME, '.config'),
  ];
  return [
    ...system.map((dir) => join(dir, 'pip', 'pip.conf')),
    ...(isMac ? [] : ['/etc/pip.conf']),
    join(HOME, '.pip', 'pip.conf'),
    ...user.map((dir) => join(dir, 'pip', 'pip.conf')),
    ...(PIP_CONFIG_FILE ? [PIP_CONFIG_FILE] : []),
  ];
}

/** As Python's configparser reads it: indented lines go on with the value before. */
function parseIni(text: string): Record<string, Record<string, string>> {
  const sections: Record<string, Record<string, string>> = {};
  let section: Record<string, string> = {};
  let name: string | null = null;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;].*)?$/.test(line)) continue;
    const heading = /^\[([^\]]+)\]/.exec(line);
    const setting = /^([^\s=:][^=:]*?)\s*[=:]\s*(.*)$/.exec(line);
    if (heading !== null) {
      section = sections[heading[1] ?? ''] ??= {};
      name = null;
    } else if (/^\s/.test(line)) {
      if (name !== null) section[name] = `${section[name]}\n${line.trim()}`.trim();
    } else if (setting !== null) {
      name = (setting[1] ?? '').toLowerCase().replaceAll('_', '-');
      section[name] = (setting[2] ?? '').trim();
    }
  }
  return sections;
}
