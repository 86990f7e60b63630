import { describe, expect, it } from 'vitest';
import { librariesOf } from './strace-image.js';

describe('librariesOf', () => {
  it('reads what ldd prints, with and without search', () => {
    const printed = [
      '\tlinux-vdso.so.1 (0x00007fa916b97000)',
      '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007fa91661e000)',
      '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007fa91661e000)',
      '\t/lib64/ld-linux-x86-64.so.2 (0x00007fa916b99000)',
    ].join('\n');
    expect(librariesOf(printed)).toEqual(['/lib/x86_64-linux-gnu/libc.so.6', '/lib64/ld-linux-x86-64.so.2']);
    expect(librariesOf('/lib/ld-musl-x86_64.so.1 (0x7f0000000000)')).toEqual(['/lib/ld-musl-x86_64.so.1']);
  });

  it('refuses a strace that would not start', () => {
    expect(() => librariesOf('\tlibunwind.so.8 => not found\n')).toThrow(/libunwind\.so\.8/);
  });
});
