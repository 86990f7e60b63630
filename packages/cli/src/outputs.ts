import { type ProfileDocument, ProfGenError, printable } from '@prof-gen/core';
import { profileTable } from './reporters/profile-table.js';
import { writeWholeFile } from './write-file.js';

const formats = ['docker', 'json', 'table'] as const;
export type OutputFormat = (typeof formats)[number];

export interface Output {
  readonly format: OutputFormat;
  /** Absent: standard output. */
  readonly file?: string;
}

/**
 * Reads `FORMAT[=FILE]` options.
 * @throws ProfGenError `usage/output`
 */
export function parseOutputs(texts: readonly string[]): Output[] {
  const outputs = texts.map((text): Output => {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    const format = formats.find((known) => known === name);
    if (format === undefined || equals === text.length - 1) {
      throw new ProfGenError('usage/output', `"${printable(text)}" is not an output`, {
        hint: `write FORMAT or FORMAT=FILE; formats: ${formats.join(', ')}`,
      });
    }
    return equals < 0 ? { format } : { format, file: text.slice(equals + 1) };
  });
  if (outputs.filter(({ file }) => file === undefined).length > 1) {
    throw new ProfGenError('usage/output', 'two outputs would be mixed on standard output', {
      hint: 'give all but one a file, such as: --output json=profile.json --output table',
    });
  }
  return outputs;
}

export async function writeOutputs(
  outputs: readonly Output[],
  result: { readonly document: ProfileDocument; readonly dockerProfile: string },
  stdout: NodeJS.WritableStream,
): Promise<void> {
  for (const { format, file } of outputs) {
    const text = render(format, result);
    if (file === undefined) stdout.write(text);
    else await writeWholeFile(file, text);
  }
}

function render(
  format: OutputFormat,
  result: { readonly document: ProfileDocument; readonly dockerProfile: string },
): string {
  switch (format) {
    case 'docker':
      return result.dockerProfile;
    case 'json':
      return `${JSON.stringify(result.document, undefined, 2)}\n`;
    case 'table':
      return profileTable(result.document);
  }
}
