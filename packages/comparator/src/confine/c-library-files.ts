/** File names of glibc's objects: their sources are one tree, and Confine's call graph is of that tree. */
const glibc = /^lib(c|m|dl|pthread|rt|util|resolv|anl|nsl|nss_\w+)[.-]/;
const musl = /^(ld-musl-|libc\.musl-)/;

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** C library that the file belongs to, if any: its call graph is what imports lead into. */
export function cLibraryOf(path: string): 'glibc' | 'musl' | undefined {
  const name = baseName(path);
  if (musl.test(name)) return 'musl';
  return glibc.test(name) && name.includes('.so') ? 'glibc' : undefined;
}

/** Names without versions that are not searched for direct calls. */
const notSearched: ReadonlySet<string> = new Set(
  (
    'ld.so libc.so libdl.so libcrypt.so libnss_compat.so libnsl.so libnss_files.so libnss_nis.so libpthread.so libm.so ' +
    'libresolv.so librt.so libutil.so libnss_dns.so gosu'
  ).split(' '),
);

/** Name by which Confine's list knows a file: `libc-2.31.so` and `libc.so.6` are `libc.so`. */
export function searchedForDirectCalls(path: string): boolean {
  const name = baseName(path).replace(/-.*so/, '.so');
  const end = name.indexOf('.so');
  return !notSearched.has(end < 0 ? name : `${name.slice(0, end)}.so`);
}
