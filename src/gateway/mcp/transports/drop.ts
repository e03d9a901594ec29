/** Takes one out of a list whose order means nothing. */
export function drop<T>(list: T[], one: T): void {
  const at = list.indexOf(one);
  if (at === -1) return;
  const last = list.pop()!;
  if (at < list.length) list[at] = last;
}
