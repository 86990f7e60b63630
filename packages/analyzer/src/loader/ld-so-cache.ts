/** Files that the cache knows for one soname. */
interface CachedLibrary {
  /** For every CPU, in the order in which the loader prefers them. */
  readonly base: readonly string[];
  /** Taken instead where the CPU can do more (glibc-hwcaps, legacy hwcap directories). */
  readonly variants: readonly string[];
}

export type LdSoCache = ReadonlyMap<string, CachedLibrary>;

const oldMagic = 'ld.so-1.7.0';
const newMagic = 'glibc-ld.so.cache1.1';
const newHeader = 48;
const newEntry = 24;
const oldHeader = 16;
const oldEntry = 12;
/** FLAG_ELF_LIBC6 | FLAG_X8664_LIB64 (sysdeps/generic/ldconfig.h). */
const x86_64Library = 0x0303;
const longestString = 4096;

function startsWith(bytes: Uint8Array, magic: string, at: number): boolean {
  return [...magic].every((c, i) => bytes[at + i] === c.charCodeAt(0));
}

/**
 * The x86-64 entries of `/etc/ld.so.cache`: the new format, the old one, and the old one with the new behind it
 * (glibc, sysdeps/generic/dl-cache.h). Entries that point outside the file are left out.
 * @returns undefined where the file is no cache: the loader then goes on without one
 */
export function parseLdSoCache(bytes: Uint8Array): LdSoCache | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const decoder = new TextDecoder();
  const libraries = new Map<string, { base: string[]; variants: string[] }>();

  function text(at: number): string | undefined {
    if (at >= bytes.length) return undefined;
    const end = bytes.indexOf(0, at);
    return end < 0 || end - at > longestString ? undefined : decoder.decode(bytes.subarray(at, end));
  }
  function add(flags: number, key: number, value: number, isVariant: boolean): void {
    const name = text(key);
    const path = text(value);
    if (flags !== x86_64Library || name === undefined || path === undefined) return;
    let library = libraries.get(name);
    if (library === undefined) {
      library = { base: [], variants: [] };
      libraries.set(name, library);
    }
    library[isVariant ? 'variants' : 'base'].push(path);
  }

  let start = 0;
  if (bytes.length >= oldHeader && startsWith(bytes, oldMagic, 0)) {
    const count = view.getUint32(12, true);
    const end = oldHeader + count * oldEntry;
    if (end > bytes.length) return undefined;
    start = Math.ceil(end / 8) * 8;
    if (!startsWith(bytes, newMagic, start)) {
      for (let at = oldHeader; at < end; at += oldEntry) {
        const [flags, key, value] = [0, 4, 8].map((field) => view.getUint32(at + field, true)) as [
          number,
          number,
          number,
        ];
        add(flags, end + key, end + value, false);
      }
      return libraries;
    }
  }
  if (bytes.length < start + newHeader || !startsWith(bytes, newMagic, start)) return undefined;
  const count = view.getUint32(start + 20, true);
  const first = start + newHeader;
  if (first + count * newEntry > bytes.length) return undefined;
  for (let at = first; at < first + count * newEntry; at += newEntry) {
    const isVariant = view.getUint32(at + 16, true) !== 0 || view.getUint32(at + 20, true) !== 0;
    add(
      view.getUint32(at, true),
      start + view.getUint32(at + 4, true),
      start + view.getUint32(at + 8, true),
      isVariant,
    );
  }
  return libraries;
}
