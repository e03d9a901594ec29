/**
 * JSON with comments and trailing commas, made plain: each left-out character becomes a space, so that the line of an
 * error stays the same. What stands in strings is not touched.
 */
export function plainJson(text: string): string {
  const blank = (part: string): string => part.replaceAll(/[^\r\n]/g, ' ');
  const token = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  const bare = text.replaceAll(token, (part) => (part.startsWith('"') ? part : blank(part)));
  return bare.replaceAll(/"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])/g, (part) => (part === ',' ? ' ' : part));
}
