/** Project files in XML (pom.xml, *.csproj), read to elements and text: enough for what build tools write, no DTD, no schema. */

export interface XmlElement {
  /** Without its namespace prefix. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  /** Its own text, trimmed. */
  readonly text: string;
}

export type ParsedXml =
  | { readonly ok: true; readonly root: XmlElement }
  | { readonly ok: false; readonly line: number; readonly problem: string };

interface Open {
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly children: XmlElement[];
  text: string;
}

const TOKEN =
  /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<!DOCTYPE[^>[]*(?:\[[^\]]*\])?[^>]*>|<(\/?)([\w:.-]+)((?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'))*)\s*(\/?)>|([^<]+)/g;

/** The root element, or the line and the problem of the first thing that can't be read. */
export function parseXml(source: string): ParsedXml {
  const text = source.replace(/^\uFEFF/, '');
  const lineAt = (index: number) => text.slice(0, index).split('\n').length;
  const document: Open = { name: '', attributes: {}, children: [], text: '' };
  const open: Open[] = [document];
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    const { index } = match;
    if (index !== end) break;
    end = index + match[0].length;
    const [, cdata, closing, name, attributes = '', selfClosing, plain] = match;
    const current = open.at(-1) ?? document;
    if (plain !== undefined) current.text += decode(plain);
    else if (cdata !== undefined) current.text += cdata;
    else if (name === undefined) continue;
    else if (closing === '/') {
      if (current.name !== local(name)) {
        const problem = current === document ? `</${name}> closes nothing` : `</${name}> closes <${current.name}>`;
        return { ok: false, line: lineAt(index), problem };
      }
      open.pop();
      (open.at(-1) ?? document).children.push({ ...current, text: current.text.trim() });
    } else {
      const element: Open = { name: local(name), attributes: attributesOf(attributes), children: [], text: '' };
      if (selfClosing === '/') current.children.push(element);
      else open.push(element);
    }
  }
  if (end !== text.length) return { ok: false, line: lineAt(end), problem: 'is not XML here' };
  const unclosed = open.at(-1) ?? document;
  if (unclosed !== document) return { ok: false, line: lineAt(end), problem: `<${unclosed.name}> is never closed` };
  const [root] = document.children;
  return root === undefined ? { ok: false, line: 1, problem: 'holds no element' } : { ok: true, root };
}

const local = (name: string): string => name.slice(name.indexOf(':') + 1);

const attributesOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    [...text.matchAll(/([\w:.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)].map(([, name = '', a, b]) => [
      name,
      decode(a ?? b ?? ''),
    ]),
  );

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

const decode = (text: string): string =>
  text.replaceAll(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    const code = decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : null;
    if (code !== null) return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    return ENTITIES[name as string] ?? whole;
  });

/** Elements at the end of a path of names, e.g. `childrenOf(pom, 'build', 'plugins', 'plugin')`. */
export function childrenOf(element: XmlElement | undefined, ...path: readonly string[]): XmlElement[] {
  let found = element === undefined ? [] : [element];
  for (const name of path) found = found.flatMap(({ children }) => children.filter((child) => child.name === name));
  return found;
}

/** Text at the end of a path, the first that is not blank; null when there is none. */
export const textOf = (element: XmlElement | undefined, ...path: readonly string[]): string | null =>
  childrenOf(element, ...path).find(({ text }) => text !== '')?.text ?? null;

/** Every element of that name, at any depth, in order. */
export const descendantsOf = (element: XmlElement, name: string): XmlElement[] =>
  element.children.flatMap((child) => [...(child.name === name ? [child] : []), ...descendantsOf(child, name)]);
