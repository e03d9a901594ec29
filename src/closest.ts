/** The names nearest to a mistyped one, best first, at most three; none when nothing comes near. */
export function closest(name: string, names: readonly string[]): readonly string[] {
  const wanted = plain(name);
  return names
    .map((candidate) => ({ candidate, score: score(wanted, plain(candidate)) }))
    .filter(({ score: distance }) => distance <= 0.4)
    .sort((a, b) => a.score - b.score)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** `getTime`, `get_time` and `get-time` are one name to whoever types it. */
const plain = (name: string) => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** 0 is equal, 1 has nothing in common. A part of a longer name counts as near. */
function score(a: string, b: string): number {
  if (a === b) return 0;
  const contained = a.length >= 3 && b.length >= 3 && (a.includes(b) || b.includes(a));
  return Math.min(contained ? 0.3 : 1, distance(a, b) / Math.max(a.length, b.length, 1));
}

/** Edits (insert, delete, replace, swap of neighbours) that turn one into the other. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let best = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        best = Math.min(best, before[column - 2]! + 1);
      }
      current.push(best);
    }
    before = last;
    last = current;
  }
  return last[b.length]!;
}
