import { asFields } from '../parse.ts';
import { join } from '../paths.ts';
import type { FileView } from '../plan.ts';
import type { PythonProject } from './project.ts';
import { uvWorkspaceOf } from './workspace.ts';

/** Where a project is installed, and what of it. */
export interface Layout {
  /** Folder that gets the `.venv`: the project's, or its uv workspace's root. */
  readonly venvDir: string;
  readonly uvLock: string | null;
  /** A workspace member's `.` may need its siblings by path: only `uv sync` knows them. */
  readonly needsSync: boolean;
  /** True when the project's own package (and with it its console scripts) gets into the venv. */
  readonly installsPackage: boolean;
}

export function layoutOf(view: FileView, dir: string, project: PythonProject): Layout {
  const workspace = uvWorkspaceOf(view, dir);
  const uvDir = workspace ?? dir;
  const lock = join(uvDir, 'uv.lock');
  const uvLock = view.files.includes(lock) && project.hasProjectTable ? lock : null;
  const packageMode = asFields(asFields(project.pyproject?.tool).poetry)['package-mode'];
  const needsSync = workspace !== null && workspace !== dir;
  return {
    venvDir: uvLock !== null || needsSync ? uvDir : dir,
    uvLock,
    needsSync,
    // Poetry installs its project also where nothing says how to build it.
    installsPackage: project.isPackage || (project.isPoetry && packageMode !== false),
  };
}
