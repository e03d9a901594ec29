/**
 * What every plugin lists, without starting any: learned whenever one becomes ready or says that a list is another one, and
 * kept in the home, so that a plugin that sleeps is known.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Log } from '../../actors/context.ts';
import { eraOfVersion } from '../../actors/mcp/meta.ts';
import { SupervisorError, supervisorError } from '../errors.ts';
import type { Link, Supervisor } from '../options.ts';
import { readCatalog, writeCatalog } from './catalog-file.ts';
import type { Catalogs, KnownCatalog, ListKind, Located, Named } from './contracts.ts';
import { isRunning } from './is-running.ts';
import { listAll } from './list-all.ts';

export interface CatalogParts {
  readonly supervisor: Supervisor;
  readonly log: Log;
}

interface Entry {
  readonly fingerprint: string;
  readonly catalog: KnownCatalog | null;
}

const KINDS: readonly ListKind[] = ['tools', 'prompts', 'resources'];
const LIST_CHANGED = /^notifications\/(tools|prompts|resources)\/list_changed$/;

export function createCatalogs({ supervisor, log }: CatalogParts): Catalogs {
  const entries = new Map<string, Entry>();
  const listeners = new Set<(plugin: string, kind: ListKind) => void>();
  /** One study of a plugin at a time; whoever asks meanwhile waits for the same. */
  const studies = new Map<string, Promise<KnownCatalog>>();
  /** Asked for again while it was being studied: its lists may have changed since they were read. */
  const again = new Set<string>();
  /** The generation that was studied last: `ready` is told after every quiet second. */
  const studied = new Map<string, number>();
  /** Crashed, and not back yet: what it lists may hold another state, even where the lists are the same. */
  const crashed = new Set<string>();
  const writes = new Map<string, Promise<void>>();
  let closed = false;

  function entryOf(plugin: string): Entry | null {
    let fingerprint: string;
    try {
      fingerprint = supervisor.fingerprint(plugin);
    } catch {
      return null;
    }
    const known = entries.get(plugin);
    if (known?.fingerprint === fingerprint) return known;
    const entry = { fingerprint, catalog: readCatalog(supervisor.catalogFile(plugin), fingerprint) };
    entries.set(plugin, entry);
    return entry;
  }

  const get = (plugin: string): KnownCatalog | null => entryOf(plugin)?.catalog ?? null;

  function tell(plugin: string, kinds: readonly ListKind[]): void {
    for (const kind of kinds) {
      for (const listener of [...listeners]) {
        try {
          listener(plugin, kind);
        } catch (error) {
          log.error({ plugin, err: error }, 'a listener threw');
        }
      }
    }
  }

  // ---- learning ----

  function learnNow(plugin: string): Promise<KnownCatalog> {
    const running = studies.get(plugin);
    if (running !== undefined) return running;
    const study = studyOnce(plugin)
      .then((catalog) => {
        studies.delete(plugin);
        return again.delete(plugin) && !closed ? learnNow(plugin) : catalog;
      })
      .catch((error: unknown) => {
        studies.delete(plugin);
        again.delete(plugin);
        throw error;
      });
    studies.set(plugin, study);
    return study;
  }

  async function studyOnce(plugin: string): Promise<KnownCatalog> {
    const link = await supervisor.open(plugin);
    try {
      studied.set(plugin, link.generation);
      const fingerprint = supervisor.fingerprint(plugin);
      const catalog = await study(link);
      // Meanwhile it was removed, or is another one.
      if (supervisor.fingerprint(plugin) === fingerprint) keep(plugin, fingerprint, catalog);
      return catalog;
    } catch (error) {
      studied.delete(plugin);
      throw error;
    } finally {
      link.close();
    }
  }

  function keep(plugin: string, fingerprint: string, catalog: KnownCatalog): void {
    const before = get(plugin);
    const isBack = crashed.delete(plugin);
    const same = isDeepStrictEqual(before, catalog);
    if (same && !isBack) return;
    if (!same) {
      entries.set(plugin, { fingerprint, catalog });
      write(plugin, fingerprint, catalog);
    }
    tell(
      plugin,
      KINDS.filter((kind) => differs(kind, before, catalog) || (isBack && catalog[kind].length > 0)),
    );
  }

  /** One after the other: the last one is what stays. */
  function write(plugin: string, fingerprint: string, catalog: KnownCatalog): void {
    const path = supervisor.catalogFile(plugin);
    const written = (writes.get(plugin) ?? Promise.resolve())
      .then(() => (closed ? undefined : writeCatalog(path, fingerprint, catalog)))
      .catch((error: unknown) => log.warn({ plugin, err: error }, 'the lists could not be kept'));
    writes.set(plugin, written);
    void written.then(() => writes.get(plugin) === written && writes.delete(plugin));
  }

  // ---- what happens ----

  const background = (plugin: string) => {
    if (closed) return;
    learnNow(plugin).catch((error: unknown) => {
      const code = SupervisorError.is(error) ? error.code : undefined;
      log.debug({ plugin, code, err: code === undefined ? error : undefined }, 'the lists could not be learned');
    });
  };

  const forget = [
    // The first of several instances speaks for all of them.
    supervisor.on('plugin:ready', ({ plugin, generation, instance }) => {
      if (instance === undefined ? studied.get(plugin) !== generation : get(plugin) === null) background(plugin);
    }),
    supervisor.on('plugin:crashed', ({ plugin, instance }) => {
      if (instance === undefined) crashed.add(plugin);
    }),
    supervisor.on('plugin:message', ({ plugin, method, instance }) => {
      if (instance !== undefined || !LIST_CHANGED.test(method)) return;
      if (studies.has(plugin)) again.add(plugin);
      else background(plugin);
    }),
    supervisor.on('plugin:configured', ({ plugin }) => {
      const before = entries.get(plugin)?.catalog ?? null;
      const after = get(plugin);
      tell(
        plugin,
        KINDS.filter((kind) => differs(kind, before, after)),
      );
      if (after === null && isRunning(supervisor, plugin)) background(plugin);
    }),
    supervisor.on('plugin:removed', ({ plugin }) => {
      const before = entries.get(plugin)?.catalog ?? null;
      entries.delete(plugin);
      studied.delete(plugin);
      crashed.delete(plugin);
      tell(
        plugin,
        KINDS.filter((kind) => differs(kind, before, null)),
      );
    }),
  ];
  // Whatever runs already told of it before anyone listened.
  for (const plugin of supervisor.list()) if (isRunning(supervisor, plugin)) background(plugin);

  return {
    get,
    async learn(plugin, { signal } = {}) {
      const known = get(plugin);
      if (known !== null) return known;
      if (closed) throw supervisorError('INTERNAL_CLOSED', { message: 'The gateway is closed.' }, plugin);
      return abortable(learnNow(plugin), plugin, signal);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close() {
      closed = true;
      for (const stop of forget) stop();
      listeners.clear();
    },
  };
}

async function study(link: Link): Promise<KnownCatalog> {
  const { server, protocolVersion } = link;
  const has = (server.capabilities ?? {}) as Readonly<Record<string, unknown>>;
  const list = <Item>(capability: string, method: string, field: string, key: string): Promise<readonly Item[]> =>
    protocolVersion === null || has[capability] == null ? Promise.resolve([]) : listAll<Item>(link, method, field, key);
  const [prompts, resources, resourceTemplates] = await Promise.all([
    list<Named>('prompts', 'prompts/list', 'prompts', 'name'),
    list<Located>('resources', 'resources/list', 'resources', 'uri'),
    list<Named>('resources', 'resources/templates/list', 'resourceTemplates', 'uriTemplate'),
  ]);
  const era = protocolVersion === null ? null : eraOfVersion(protocolVersion);
  return {
    server: protocolVersion === null ? null : server,
    era,
    tools: link.tools,
    prompts,
    resources,
    resourceTemplates,
  };
}

/** That tools are known at all is news: whoever was offered stand-ins waits for it. */
function differs(kind: ListKind, before: KnownCatalog | null, after: KnownCatalog | null): boolean {
  if (kind === 'tools' && (before === null) !== (after === null)) return true;
  if (!isDeepStrictEqual(before?.[kind] ?? [], after?.[kind] ?? [])) return true;
  return kind === 'resources' && !isDeepStrictEqual(before?.resourceTemplates ?? [], after?.resourceTemplates ?? []);
}

/** Only the waiting ends with the signal; what was begun helps the next one who asks. */
function abortable<T>(work: Promise<T>, plugin: string, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const cancelled = () =>
      reject(supervisorError('CALL_CANCELLED', { message: 'Nobody waits for it any more.' }, plugin));
    const over = () => signal.removeEventListener('abort', cancelled);
    signal.addEventListener('abort', cancelled, { once: true });
    if (signal.aborted) cancelled();
    work.then(resolve, reject).finally(over);
  });
}
