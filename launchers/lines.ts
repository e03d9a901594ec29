/** Lines of what a plan's evidence speaks of, so that a reader can look there. */

import type { Evidence, FileView, LaunchPlan, PassedOver } from './plan.ts';

/** The plan with a line at each piece of evidence whose file has one that says it. */
export function withLines(view: FileView, plan: LaunchPlan): LaunchPlan {
  return { ...plan, evidence: linesOf(view, plan.evidence), passedOver: passedOverLines(view, plan.passedOver) };
}

export const linesOf = (view: FileView, evidence: readonly Evidence[]): Evidence[] =>
  evidence.map((each) => located(view, each, each.says));

const passedOverLines = (view: FileView, passedOver: readonly PassedOver[]): PassedOver[] =>
  passedOver.map((each) => located(view, each, each.what));

/**
 * The line with most of the names in `text` (paths, packages, versions, variables), the first of equals: a name alone may
 * stand in many places, a bin with its file in one.
 */
function located<T extends { readonly file: string; readonly line?: number }>(view: FileView, at: T, text: string): T {
  if (at.line !== undefined || at.file === '') return at;
  const names = [...new Set(text.match(/[@\w./:<>=^~*-]+/g) ?? [])]
    .map((name) => name.replace(/[.:]+$/, ''))
    .filter((name) => name.length > 2 && /[@./_<>=^~\d-]/.test(name));
  const source = names.length === 0 ? undefined : view.read(at.file);
  if (source === undefined) return at;
  let best = 0;
  let line = 0;
  for (const [index, content] of source.split('\n', MAX_LINES).entries()) {
    const count = names.filter((name) => content.includes(name)).length;
    if (count > best) {
      best = count;
      line = index + 1;
    }
  }
  return line === 0 ? at : { ...at, line };
}

/** A manifest says what it has to say sooner. */
const MAX_LINES = 5000;
