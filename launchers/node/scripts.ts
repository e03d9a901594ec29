/** What the scripts of a package ask of the machine. */

import { join } from '../paths.ts';
import type { FileView, Tool } from '../plan.ts';
import type { PackageJson } from './package-json.ts';

const ON_INSTALL = ['preinstall', 'install', 'postinstall', 'prepare'];

/** False for a package without dependencies and scripts: then there is nothing to do. */
export const needsInstall = ({ dependencies, scripts }: PackageJson): boolean =>
  dependencies.size > 0 || ON_INSTALL.some((name) => name in scripts);

/** Programs beside the package manager that installing or building calls: Bun in a build script, uv in a preinstall. */
export function toolsOfScripts(view: FileView, dir: string, manifest: PackageJson): Tool[] {
  const called = [...ON_INSTALL, 'build', 'prebuild', 'postbuild', 'prepack', 'compile'].map(
    (name) => manifest.scripts[name] ?? '',
  );
  // One step further: `build` may be `npm run build:server`.
  const inner = called.flatMap((script) =>
    [...script.matchAll(/\brun\s+([\w:-]+)/g)].map((match) => manifest.scripts[match[1] ?? ''] ?? ''),
  );
  const text = [...called, ...inner].join('\n');
  const calls = (name: string) => new RegExp(`(^|[\\s;&|"'(])${name}\\s`, 'm').test(text);
  const tools: Tool[] = [];
  if (calls('bunx?')) tools.push({ name: 'bun', version: null });
  if (calls('pnpm')) tools.push({ name: 'pnpm', version: '^10' });
  if (calls('yarn')) tools.push({ name: 'yarn', version: null });
  if (calls('npm') || calls('npx')) tools.push({ name: 'npm', version: null });
  // A Python part beside the package is set up by its install scripts.
  const python = view.files.includes(join(dir, 'pyproject.toml')) || view.files.includes(join(dir, 'requirements.txt'));
  if (python && ['preinstall', 'install', 'postinstall'].some((name) => name in manifest.scripts)) {
    tools.push({ name: 'uv', version: null }, { name: 'python', version: null });
  }
  return tools;
}
