import { join } from '../paths.ts';
import type { FileView } from '../plan.ts';
import { isRefusalLike } from './facts.ts';
import { buildOf, settingsFile } from './gradle-text.ts';
import { readPom } from './pom.ts';

/** Deep trees of modules are rare, and circles end somewhere. */
const MAX_DEPTH = 5;

/** Folders of all modules that a Maven or Gradle build in `dir` gathers, at any depth. */
export function javaModules(view: FileView, dir: string): string[] {
  const gradle = settingsFile(view, dir) === null ? [] : [...buildOf(view, dir).projects.keys()];
  return [...new Set([...gradle, ...mavenModules(view, dir, MAX_DEPTH)])].filter((folder) => folder !== dir);
}

function mavenModules(view: FileView, dir: string, depth: number): string[] {
  const pom = depth === 0 ? null : readPom(view, dir);
  if (pom === null || isRefusalLike(pom)) return [];
  return pom.modules.flatMap((module) => {
    const folder = join(dir, module).replace(/(^|\/)pom\.xml$/, '');
    return folder.startsWith('..') ? [] : [folder, ...mavenModules(view, folder, depth - 1)];
  });
}
