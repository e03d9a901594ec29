/** Which Java a project wants. */

import { join, upwards } from '../paths.ts';
import type { FileView, Tool } from '../plan.ts';

export interface JdkWish {
  /** Feature release at least, e.g. 21. */
  readonly least: number;
  readonly file: string;
  readonly says: string;
}

/** `1.8`, `17`, `21.0.2-tem`, `temurin-21`, `VERSION_17`, `JavaVersion.VERSION_1_8` → 8, 17, 21, 21, 17, 8; null for anything else. */
export function javaRelease(text: string | null): number | null {
  for (const [, one, release] of (text ?? '').matchAll(/(?<![\d.])(1[._])?(\d{1,2})(?!\d)/g)) {
    const number = Number(release);
    // Nobody has asked for Java 2 since 2000, but many versions of other things look like it.
    if (number >= (one === undefined ? 5 : 3) && number <= 60) return number;
  }
  return null;
}

/** Files that version managers and hosts read, nearest first. */
export function wishedByFiles(view: FileView, dir: string): JdkWish | null {
  for (const folder of upwards(dir)) {
    const read = (name: string, pattern: RegExp): JdkWish | null => {
      const file = join(folder, name);
      const least = javaRelease(pattern.exec(view.read(file) ?? '')?.[1] ?? null);
      return least === null ? null : { least, file, says: `wants Java ${least}` };
    };
    const found =
      read('.java-version', /^\s*(\S+)/) ??
      read('.sdkmanrc', /^\s*java\s*=\s*(\S+)/m) ??
      read('.tool-versions', /^\s*java\s+(\S+)/m) ??
      read('mise.toml', /^\s*java\s*=\s*"([^"]+)"/m) ??
      read('system.properties', /^\s*java\.runtime\.version\s*=\s*(\S+)/m);
    if (found !== null) return found;
  }
  return null;
}

/** The tool of a plan: at least what is wished, below `under` where the build tool can't run on newer ones. */
export function javaTool(least: number | null, under: number | null = null): Tool {
  const lower = least === null ? [] : [`>=${least}`];
  const upper = under === null || (least !== null && under <= least) ? [] : [`<${under}`];
  const range = [...lower, ...upper].join(' ');
  return { name: 'java', version: range === '' ? null : range };
}
