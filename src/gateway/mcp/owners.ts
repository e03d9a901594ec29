import type { KnownCatalog, Located, Named } from '../contracts.ts';
import { ownedUri, readOwnedUri, schemeOf, templateMatches } from './uris.ts';

export interface OwnedResource {
  readonly plugin: string;
  /** Its URI at the plugin. */
  readonly uri: string;
}

/** Whose resources there are, in the order of the plugins. */
export interface Owners {
  /** As they are listed: a URI that an earlier plugin has too is written otherwise. */
  readonly resources: readonly Located[];
  readonly templates: readonly Named[];
  /** The owner of a URI that is listed, or of one that was written by us. */
  find(uri: string): OwnedResource | undefined;
  /** The owner of a template, by the template itself. */
  ofTemplate(template: string): OwnedResource | undefined;
  /** Who may know a URI that nobody listed: first whose template it can come of, then who uses its scheme. */
  candidates(uri: string): readonly OwnedResource[];
  /** Whoever has resources at all. */
  readonly providers: readonly string[];
}

export function createOwners(
  known: readonly { readonly plugin: string; readonly catalog: KnownCatalog | null }[],
): Owners {
  const byUri = new Map<string, OwnedResource>();
  const byTemplate = new Map<string, OwnedResource>();
  const plugins = new Set(known.map(({ plugin }) => plugin));
  const resources: Located[] = [];
  const templates: Named[] = [];
  for (const { plugin, catalog } of known) {
    for (const resource of catalog?.resources ?? []) {
      const uri = byUri.has(resource.uri) ? ownedUri(plugin, resource.uri) : resource.uri;
      if (byUri.has(uri)) continue;
      byUri.set(uri, { plugin, uri: resource.uri });
      resources.push(uri === resource.uri ? resource : { ...resource, uri });
    }
    for (const template of catalog?.resourceTemplates ?? []) {
      const own = String(template.uriTemplate);
      const uriTemplate = byTemplate.has(own) ? ownedUri(plugin, own) : own;
      if (byTemplate.has(uriTemplate)) continue;
      byTemplate.set(uriTemplate, { plugin, uri: own });
      templates.push(uriTemplate === own ? template : { ...template, uriTemplate });
    }
  }

  function readOwned(uri: string): OwnedResource | undefined {
    const owned = readOwnedUri(uri);
    return owned !== null && plugins.has(owned.plugin) ? owned : undefined;
  }

  const schemes = known.map(({ plugin, catalog }) => ({
    plugin,
    schemes: new Set([
      ...(catalog?.resources ?? []).map(({ uri }) => schemeOf(uri)),
      ...(catalog?.resourceTemplates ?? []).map(({ uriTemplate }) => schemeOf(String(uriTemplate))),
    ]),
  }));

  return {
    resources,
    templates,
    find: (uri) => byUri.get(uri) ?? readOwned(uri),
    ofTemplate: (template) => byTemplate.get(template) ?? readOwned(template),
    candidates(uri) {
      // Written by us, for a plugin that is not there.
      if (readOwnedUri(uri) !== null) return [];
      const matching = [...byTemplate.values()].filter(({ uri: template }) => templateMatches(template, uri));
      const alike = schemes.filter(({ schemes: used }) => used.has(schemeOf(uri)));
      const owners = new Set([...matching, ...alike].map(({ plugin }) => plugin));
      return [...owners].map((plugin) => ({ plugin, uri }));
    },
    providers: known
      .filter(
        ({ catalog }) => (catalog?.server?.capabilities as { resources?: unknown } | undefined)?.resources != null,
      )
      .map(({ plugin }) => plugin),
  };
}
