/**
 * JSON with every character that could fool a reader's eye written as an escape: the same value to every parser, and
 * safe on a terminal. One line in a pipe, indented for a person.
 */
const UNSAFE =
  /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|\udb40[\udc00-\udc7f]/g;

export function toJson(value: unknown, indented = false): string {
  const text = JSON.stringify(value, null, indented ? 2 : undefined) ?? 'null';
  return text.replace(UNSAFE, (found) =>
    Array.from({ length: found.length }, (_, at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`).join(
      '',
    ),
  );
}
