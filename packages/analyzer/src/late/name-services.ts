import type { FileTree } from '@prof-gen/core';
import type { LateFile } from './late-files.js';

/** Functions of libc that ask each database of nsswitch.conf(5). */
const databases: Readonly<Record<string, RegExp>> = {
  aliases: /^(get|set|end)aliasent|^getaliasbyname/,
  ethers: /^ether_(hostton|ntohost)/,
  group: /^(get|set|end)gr(ent|nam|gid)|^initgroups|^getgrouplist/,
  gshadow: /^(get|set|end)sg(ent|nam)/,
  hosts: /^(get|set|end)host|^get(addr|name)info|^rcmd|^ruserok|^rexec/,
  initgroups: /^initgroups|^getgrouplist/,
  netgroup: /^(get|set|end)netgrent|^innetgr/,
  networks: /^(get|set|end)net(ent|by)/,
  passwd: /^(get|set|end)pw(ent|nam|uid)|^wordexp$|^glob(64)?$|^cuserid/,
  protocols: /^(get|set|end)proto/,
  publickey: /^get(public|secret)key/,
  rpc: /^(get|set|end)rpc/,
  services: /^(get|set|end)serv|^get(addr|name)info/,
  shadow: /^(get|set|end)sp(ent|nam)/,
};

/** Where nsswitch.conf or a line of it is missing (glibc, nss/nss_database.c). `compat` was it before 2.32. */
const defaults: Readonly<Record<string, readonly string[]>> = {
  group: ['files', 'compat'],
  passwd: ['files', 'compat'],
  shadow: ['files', 'compat'],
  hosts: ['dns', 'files'],
  networks: ['dns', 'files'],
  netgroup: ['nis', 'files'],
};

/** The services of each database, as an image's `nsswitch.conf` has them. */
export type NameServices = ReadonlyMap<string, readonly string[]>;

/** Reads `/etc/nsswitch.conf`. `files` and `dns` are in libc itself since 2.34; before they were objects as well. */
export async function readNameServices(tree: FileTree): Promise<NameServices> {
  const found = tree.resolve('/etc/nsswitch.conf');
  const bytes =
    found.ok && found.entry.type === 'file' && found.entry.digest ? await tree.read(found.entry) : undefined;
  const services = new Map<string, readonly string[]>();
  for (const line of new TextDecoder().decode(bytes).split('\n')) {
    const match = /^\s*([a-z]+)\s*:([^#]*)/.exec(line);
    if (match?.[1] === undefined || !Object.hasOwn(databases, match[1])) continue;
    const words = (match[2] ?? '').replace(/\[[^\]]*\]/g, ' ').split(/\s+/);
    services.set(
      match[1],
      words.filter((word) => /^[\w-]{1,64}$/.test(word)),
    );
  }
  for (const database of Object.keys(databases)) {
    if (!services.has(database)) services.set(database, defaults[database] ?? ['files']);
  }
  return services;
}

/** Whether a function of libc asks the name services. */
export function asksNameServices(name: string): boolean {
  return Object.values(databases).some((functions) => functions.test(name));
}

/** Objects that libc opens for a program that calls these functions; names for the loader to look for. */
export function nameServiceObjects(services: NameServices, called: Iterable<string>): readonly LateFile[] {
  const asked = new Set<string>();
  for (const name of called) {
    for (const [database, functions] of Object.entries(databases))
      if (functions.test(name)) asked.add(database);
  }
  const objects = new Map<string, string>();
  for (const database of [...asked].sort()) {
    for (const service of services.get(database) ?? []) {
      const name = `libnss_${service}.so.2`;
      if (!objects.has(name)) objects.set(name, `nsswitch.conf: ${database}: ${service}`);
    }
  }
  return [...objects].map(([path, reason]) => ({ path, reason }));
}
