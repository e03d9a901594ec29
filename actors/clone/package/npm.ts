import type { SourceOf } from '../../../launchers/plan.ts';
import { packageFailure, type Resolved, type RunClient } from '../package.ts';

const FIELDS = ['name', 'version', 'bin', 'main', 'engines', 'description', 'readme', 'time'];

/** `npm view`: with the user's registries, logins and proxies; runs nothing of the package. */
export async function askNpm(source: SourceOf<'package'>, run: RunClient): Promise<Resolved> {
  const spec = `${source.name}@${source.version ?? 'latest'}`;
  const result = await run(['view', '--json', '--loglevel=error', spec, ...FIELDS]);
  // A range has several answers, the newest last. One that nothing is in has none.
  const answers = result.ok ? [parsed(result.stdout)].flat() : [];
  const answer = answers.at(-1) as Readonly<Record<string, unknown>> | undefined;
  if (typeof answer?.version !== 'string')
    throw packageFailure(source, result.ok ? { ...result, stderr: 'ETARGET' } : result);
  const { time, readme, ...note } = answer;
  const date = new Date(String((time as Record<string, unknown> | undefined)?.[answer.version]));
  const project = { private: true, dependencies: { [source.name]: answer.version } };
  return {
    version: answer.version,
    published: Number.isNaN(date.getTime()) ? null : date,
    note,
    files: {
      'package.json': `${JSON.stringify(project, null, 2)}\n`,
      ...(typeof readme === 'string' && readme !== '' ? { 'README.md': readme } : {}),
    },
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
