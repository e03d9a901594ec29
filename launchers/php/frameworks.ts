/** Commands with which an application of a framework serves: `artisan mcp:start`, `bin/console mcp:server`. */

import { isBelow, join } from '../paths.ts';
import type { Evidence, FileView } from '../plan.ts';
import type { PhpProject } from './project.ts';

export interface ConsoleCommand {
  readonly file: string;
  readonly args: readonly string[];
  readonly evidence: Evidence;
}

export function findFrameworkCommands(view: FileView, dir: string, project: PhpProject): ConsoleCommand[] {
  const artisan = join(dir, 'artisan');
  const symfony = join(dir, 'bin/console');
  if (view.files.includes(artisan))
    return [...laravel(view, dir, project, artisan), ...ownCommands(view, dir, artisan)];
  if (view.files.includes(symfony)) return [...ownCommands(view, dir, symfony), ...bundle(project, symfony)];
  return [];
}

/** `Mcp::local('weather', WeatherServer::class)` of routes/ai.php; other packages have one command for all. */
function laravel(view: FileView, dir: string, { packages, file }: PhpProject, artisan: string): ConsoleCommand[] {
  const routes = join(dir, 'routes/ai.php');
  const locals = [...(view.read(routes) ?? '').matchAll(/\bMcp::local\(\s*["']([\w.:/-]+)["']/g)].map(
    (match) => match[1] ?? '',
  );
  const started = locals.map((name) => ({
    file: artisan,
    args: ['mcp:start', name],
    evidence: { file: routes, says: `registers the local server ${name}` },
  }));
  if (started.length > 0 || !packages.includes('php-mcp/laravel')) return started;
  return [
    { file: artisan, args: ['mcp:serve'], evidence: { file, says: 'requires php-mcp/laravel, which adds mcp:serve' } },
  ];
}

const bundle = ({ packages, file }: PhpProject, symfony: string): ConsoleCommand[] =>
  packages.some((name) => /^symfony\/mcp-bundle$/.test(name))
    ? [
        {
          file: symfony,
          args: ['mcp:server'],
          evidence: { file, says: 'requires symfony/mcp-bundle, which adds mcp:server' },
        },
      ]
    : [];

/** A command of the application's own whose name says MCP: `#[AsCommand(name: 'app:mcp')]`, `$signature = 'mcp:serve {--port}'`. */
function ownCommands(view: FileView, dir: string, console: string): ConsoleCommand[] {
  const NAME =
    /#\[AsCommand\(\s*(?:name:\s*)?["']([\w:.-]+)["']|\$(?:signature|defaultName)\s*=\s*["']([\w:.-]+)|->setName\(\s*["']([\w:.-]+)["']/;
  const commands = view.files.filter(
    (file) => isBelow(file, dir) && /(^|\/)(src|app)\/.*Commands?\/.*\.php$/.test(file),
  );
  return commands.flatMap((file) => {
    const match = NAME.exec(view.read(file) ?? '');
    const name = match?.[1] ?? match?.[2] ?? match?.[3];
    if (
      name === undefined ||
      !/mcp/i.test(name) ||
      /(^|[:_-])(list|install|make|test|tools?|inspect(or)?|discover|client|publish)$/.test(name)
    )
      return [];
    return [{ file: console, args: [name], evidence: { file, says: `adds the command ${name}` } }];
  });
}
