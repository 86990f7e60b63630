import { sectionsOf } from './sections.js';

/** Of what Fedora's tools write this is a hundred times the usual; a symbol takes 24 bytes and its name. */
const MAX_BYTES = 64 << 20;

/**
 * The ELF file with a symbol table that a stripped file may have inside it, compressed by xz: MiniDebugInfo, as Fedora
 * and its relatives add it (gdb's manual, "MiniDebugInfo").
 * @returns undefined where there is none, and where it cannot be read: it tells names and where functions start, and
 * nothing depends on them
 */
export async function debugDataOf(bytes: Uint8Array): Promise<Uint8Array | undefined> {
  const section = sectionsOf(bytes).find(({ name }) => name === '.gnu_debugdata');
  if (!section || section.size === 0) return undefined;
  // Few files have any, and a thread starts faster without the decoder.
  const { XzReadableStream } = await import('xz-decompress');
  const packed = bytes.subarray(section.offset, section.offset + section.size);
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    const stream = new XzReadableStream(
      new ReadableStream({
        start(controller) {
          controller.enqueue(packed);
          controller.close();
        },
      }),
    );
    for await (const piece of stream) {
      size += piece.length;
      if (size > MAX_BYTES) return undefined;
      pieces.push(piece.slice());
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(pieces);
}
