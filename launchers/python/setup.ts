/** setup.py and setup.cfg, read as text. */

import { join } from '../paths.ts';
import type { FileView } from '../plan.ts';

/** setup.py is code and is not run here; its usual literals are read as text. The installed truth comes with `resolve`. */
export function readSetup(view: FileView, dir: string) {
  const python = view.read(join(dir, 'setup.py')) ?? '';
  const config = view.read(join(dir, 'setup.cfg')) ?? '';
  const isPackage = /\bsetup\s*\(/.test(python) || /^\[(metadata|options)\]/m.test(config);
  const entries = /console_scripts["']?\s*[:=]\s*\[([^\]]*)\]/.exec(python)?.[1] ?? '';
  const section = /^console_scripts\s*=\s*\n((?:[ \t]+.*\n?)*)/m.exec(config)?.[1] ?? '';
  const scripts = [...`${entries}\n${section}`.matchAll(/["'\s]([\w.-]+)\s*=\s*([\w.]+:[\w.]+)/g)];
  return {
    isPackage,
    name: /\bname\s*=\s*["']([\w.-]+)["']/.exec(python)?.[1] ?? /^name\s*=\s*([\w.-]+)/m.exec(config)?.[1] ?? null,
    requiresPython:
      /\bpython_requires\s*=\s*["']([^"']+)["']/.exec(python)?.[1] ??
      /^python_requires\s*=\s*(.+)$/m.exec(config)?.[1]?.trim() ??
      null,
    scripts: scripts.map(([, name = '', target = '']) => ({ name, target })),
    requirements: [
      ...[...(/install_requires\s*=\s*\[([^\]]*)\]/.exec(python)?.[1] ?? '').matchAll(/["']([^"']+)["']/g)].map(
        (match) => match[1] ?? '',
      ),
      ...(/^install_requires\s*=\s*\n((?:[ \t]+.*\n?)*)/m.exec(config)?.[1] ?? '')
        .split('\n')
        .map((line) => line.trim()),
    ].filter((line) => line !== ''),
    extras: Object.fromEntries(
      [
        ...(/extras_require\s*=\s*\{([^}]*)\}/.exec(python)?.[1] ?? '').matchAll(
          /["']([\w-]+)["']\s*:\s*\[([^\]]*)\]/g,
        ),
      ].map(([, name = '', lines = '']) => [
        name,
        [...lines.matchAll(/["']([^"']+)["']/g)].map((match) => match[1] ?? ''),
      ]),
    ),
  };
}
