/**
 * Bookkeeping of calls: every call carries a token of its own, a witness (`fixtures/processes/mcp/witness*.mjs`) writes it
 * down before it does anything, and here it is compared what the caller was told with what the programs saw.
 */

export type Outcome =
  | { readonly kind: 'answered'; readonly text: string }
  | { readonly kind: 'failed'; readonly code: string; readonly fate: string | null }
  /** Nobody is left to be told: the supervisor was killed. */
  | { readonly kind: 'orphaned' };

interface Account {
  readonly plugin: string;
  outcome: Outcome | null;
}

export interface Accounts {
  /** A new call to that plugin. */
  open(plugin: string): string;
  settle(token: string, outcome: Outcome): void;
  readonly pending: () => readonly string[];
  /** Settled so far, by what callers were told: `answered`, `not-sent`, `sent-unknown`, or the code. */
  readonly told: () => Readonly<Record<string, number>>;
  /**
   * What is wrong so far, given the tokens that each plugin wrote since the last judgement. Settled accounts are closed by
   * it; only a call of unknown fate may turn up later, once.
   */
  judge(written: ReadonlyMap<string, readonly string[]>): readonly string[];
}

export function createAccounts(): Accounts {
  const open = new Map<string, Account>();
  /** Of unknown fate and not seen yet: a stopped program that is let go on may still read them. */
  const unknown = new Map<string, string>();
  const told: Record<string, number> = {};
  let wrong: string[] = [];
  let last = 0;

  function settle(token: string, outcome: Outcome): void {
    const account = open.get(token);
    if (account === undefined || account.outcome !== null) {
      wrong.push(`${token} settled twice: ${JSON.stringify(account?.outcome)}, then ${JSON.stringify(outcome)}`);
      return;
    }
    account.outcome = outcome;
    const word = outcome.kind === 'failed' ? (outcome.fate ?? outcome.code) : outcome.kind;
    told[word] = (told[word] ?? 0) + 1;
    if (outcome.kind === 'answered' && outcome.text !== token) wrong.push(`${token} was answered with ${outcome.text}`);
  }

  return {
    open(plugin) {
      last += 1;
      const token = `${plugin}/${last}`;
      open.set(token, { plugin, outcome: null });
      return token;
    },
    settle,
    pending: () => [...open].flatMap(([token, { outcome }]) => (outcome === null ? [token] : [])),
    told: () => told,
    judge(written) {
      const times = new Map<string, number>();
      for (const [plugin, tokens] of written) {
        for (const token of tokens) {
          times.set(token, (times.get(token) ?? 0) + 1);
          const account = open.get(token);
          if (account === undefined && unknown.get(token) === plugin) unknown.delete(token);
          else if (account === undefined) wrong.push(`${plugin} was given ${token} when that was settled already`);
          else if (account.plugin !== plugin) wrong.push(`${plugin} was given ${token}`);
        }
      }
      for (const [token, { plugin, outcome }] of open) {
        if (outcome === null) continue;
        const isUnknown = outcome.kind === 'orphaned' || (outcome.kind === 'failed' && outcome.fate === 'sent-unknown');
        if (isUnknown && !times.has(token)) unknown.set(token, plugin);
        const seen = times.get(token) ?? 0;
        if (seen > 1) wrong.push(`${token} was carried out ${seen} times: ${JSON.stringify(outcome)}`);
        if (outcome.kind === 'answered' && seen === 0) wrong.push(`${token} was answered, and never carried out`);
        const denied = outcome.kind === 'failed' && outcome.fate !== 'sent-unknown' && outcome.fate !== 'answered';
        if (denied && seen > 0) wrong.push(`${token} was carried out, its caller was told ${JSON.stringify(outcome)}`);
        open.delete(token);
      }
      const found = wrong;
      wrong = [];
      return found;
    },
  };
}

/** Reads a growing file line by line: only what is new since the last time. */
export function createTail(read: () => string): () => readonly string[] {
  let seen = 0;
  return () => {
    const text = read();
    const end = text.lastIndexOf('\n') + 1;
    const lines = text.slice(seen, end).split('\n').filter(Boolean);
    seen = Math.max(seen, end);
    return lines;
  };
}
