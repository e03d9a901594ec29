/**
 * Text from plugins, git and package managers as a person may see it: control characters (except tab and newline),
 * bidirectional overrides, zero-width and Unicode tag characters are shown as `\u{…}`, so that none of them can move the
 * cursor, hide text or reorder it (CVE-2021-42574, "Trojan Source"). Never applied to what goes over the wire.
 */
const UNSAFE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

export const printable = (text: string): string =>
  text.replace(UNSAFE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);

/** One line: newlines and tabs are escaped as well. */
export const printableLine = (text: string): string => printable(text).replace(/\n/g, '\\n').replace(/\t/g, ' ');
