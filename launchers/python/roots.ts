/** Folders from which a project's own modules are found. */

import { asFields, asString, asStrings } from '../parse.ts';
import { dirname, join } from '../paths.ts';
import type { FileView } from '../plan.ts';
import type { PythonProject } from './project.ts';

/** The project's folder, then the usual ones, then those that its build names. */
export function sourceRoots(view: FileView, dir: string, { pyproject }: Pick<PythonProject, 'pyproject'>): string[] {
  const tool = asFields(pyproject?.tool);
  const wheel = asFields(asFields(asFields(asFields(tool.hatch).build).targets).wheel);
  const setuptools = asFields(tool.setuptools);
  const packages = asFields(tool.poetry).packages;
  const named = [
    ...asStrings(wheel.packages).map(dirname),
    ...asStrings(asFields(asFields(setuptools.packages).find).where),
    ...Object.values(asFields(setuptools['package-dir'])).flatMap((each) => asString(each) ?? []),
    ...(Array.isArray(packages) ? packages : []).flatMap((each) => asString(asFields(each).from) ?? []),
    asString(asFields(asFields(tool.pdm).build)['package-dir']) ?? '',
  ];
  const roots = ['', 'src', 'lib', 'python', ...named].map((root) => join(dir, root));
  return [...new Set(roots)].filter(
    (root) => root === dir || view.files.some((file) => file.startsWith(`${root}/`) && file.endsWith('.py')),
  );
}
