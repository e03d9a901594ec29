import { dirname, relative } from '../paths.ts';
import type { FileView, Refusal } from '../plan.ts';
import { notAServer } from '../refusal.ts';
import { type PythonProject, sdkOf } from './project.ts';
import { looksLikeServer } from './source.ts';

/** What was looked for in a Python project that starts nothing, and what it is instead as far as one can see. */
export function refusePython(view: FileView, dir: string, project: PythonProject): Refusal {
  const sdk = sdkOf(project);
  const own = view.files.filter((file) => !relative(dir, file).startsWith('..'));
  const notebooks = own.filter((file) => file.endsWith('.ipynb'));
  const libraries = own
    .filter((file) => file.endsWith('.py') && /\bClientSession\b/.test(view.read(file) ?? ''))
    .slice(0, 1);
  const examples = own.filter(
    (file) =>
      /(^|\/)(examples?|samples?|demos?|tests?)\//.test(relative(dir, file)) &&
      file.endsWith('.py') &&
      looksLikeServer(view.read(file)),
  );
  const says: { file: string; says: string }[] = [
    'no console script that serves',
    'no package with a __main__.py',
    'no file that makes or runs a server outside tests and examples',
    ...(sdk === null ? ['no dependency on an MCP package'] : [`depends on ${sdk}, so it may be a library for servers`]),
  ].map((each) => ({ file: project.file, says: each }));
  const hasPrograms = own.some((file) => file.endsWith('.py') && dirname(file) === dir);
  return notAServer(
    `${project.name || dir || 'This folder'} is a Python project, but nothing in it says how to start a server.`,
    [
      ...says,
      ...notebooks.slice(0, 1).map((file) => ({ file, says: 'is a notebook, which serves nothing' })),
      ...(hasPrograms ? libraries.map((file) => ({ file, says: 'calls servers as a client' })) : []),
      ...examples.slice(0, 1).map((file) => ({ file, says: 'is an example that serves' })),
    ],
  );
}
