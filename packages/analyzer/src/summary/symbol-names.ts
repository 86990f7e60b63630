import type { Elf } from '../elf/elf.js';

/**
 * The name to show for an address: of all symbols there the one with the fewest leading underscores, then the
 * shortest, then the first, so that `write` wins over `__write` and every run says the same.
 */
export function bestNames(elf: Elf): (address: number) => string | undefined {
  const best = new Map<number, string>();
  for (const symbol of [...elf.symbols, ...elf.staticSymbols]) {
    if (!symbol.defined || symbol.name === '' || symbol.kind === 'tls' || symbol.kind === 'other') continue;
    const known = best.get(symbol.address);
    if (known === undefined || better(symbol.name, known)) best.set(symbol.address, symbol.name);
  }
  return (address) => best.get(address);
}

function better(name: string, than: string): boolean {
  const underscores = (text: string): number => text.length - text.replace(/^_+/, '').length;
  const [mine, theirs] = [underscores(name), underscores(than)];
  if (mine !== theirs) return mine < theirs;
  return name.length !== than.length ? name.length < than.length : name < than;
}
