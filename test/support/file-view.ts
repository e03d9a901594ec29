import type { FileView } from '../../launchers/plan.ts';

/** A folder that exists only as text: path → content. */
export function createFileView(files: Readonly<Record<string, string>>): FileView {
  const paths = Object.keys(files).sort();
  return {
    files: paths,
    has: (path) => paths.some((file) => path === '' || file === path || file.startsWith(`${path}/`)),
    read: (path) => files[path],
  };
}
