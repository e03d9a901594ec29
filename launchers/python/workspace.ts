import { asFields, asStrings, readManifest } from '../parse.ts';
import { globToRegExp, join, relative, upwards } from '../paths.ts';
import type { FileView } from '../plan.ts';

/** Root of the uv workspace that covers the folder, itself included; null when there is none. */
export function uvWorkspaceOf(view: FileView, dir: string): string | null {
  for (const root of upwards(dir)) {
    const parsed = readManifest(view, join(root, 'pyproject.toml'));
    const workspace = asFields(asFields(asFields(parsed?.ok ? parsed.fields.tool : null).uv).workspace);
    const path = relative(root, dir);
    const covers = (field: unknown) => asStrings(field).some((glob) => globToRegExp(glob).test(path));
    if (root === dir ? 'members' in workspace : covers(workspace.members) && !covers(workspace.exclude)) return root;
  }
  return null;
}
