import { dirname } from '../paths.ts';
import type { FileView } from '../plan.ts';
import { type Import, importsIn } from './imports-in.ts';

/** A view with what planning one project asks of it again and again; lives as long as one plan takes to make. */
export interface Tree extends FileView {
  isFile(path: string): boolean;
  /** True for a folder that some listed file lies below. */
  isFolder(path: string): boolean;
  importsOf(file: string): readonly Import[];
}

export function createTree(view: FileView): Tree {
  const files = new Set(view.files);
  const folders = new Set<string>(['']);
  for (const file of view.files) {
    for (let folder = dirname(file); !folders.has(folder); folder = dirname(folder)) folders.add(folder);
  }
  const imports = new Map<string, readonly Import[]>();
  return {
    files: view.files,
    has: (path) => view.has(path),
    read: (path) => view.read(path),
    isFile: (path) => files.has(path),
    isFolder: (path) => folders.has(path),
    importsOf(file) {
      const known = imports.get(file) ?? importsIn(view.read(file) ?? '');
      imports.set(file, known);
      return known;
    },
  };
}
