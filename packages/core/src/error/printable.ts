/**
 * Text from an image made fit to be shown: control characters, line separators and bidirectional
 * overrides become visible escapes, so that a hostile name can neither move a cursor nor fake a line.
 * @param limit longest result in UTF-16 units; the rest is cut and marked with an ellipsis
 */
export function printable(text: string, limit = 300): string {
  const shown = text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be shown
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (c) => `\\u{${c.charCodeAt(0).toString(16)}}`,
  );
  return shown.length <= limit ? shown : `${shown.slice(0, limit - 1)}…`;
}
