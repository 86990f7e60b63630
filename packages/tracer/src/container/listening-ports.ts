import { readFileSync } from 'node:fs';

export interface ListeningPort {
  readonly port: number;
  /** Bound to the loopback address: nobody outside the container can connect. */
  readonly loopback: boolean;
}

/** TCP_LISTEN (include/net/tcp_states.h). */
const listenState = '0A';
/** ::1 as the kernel writes it: four 32-bit words in the machine's byte order. */
const loopback6 = '00000000000000000000000001000000';
/** 127.0.0.11: the engine's own name server, which stands in every container's network namespace. */
const engineResolver = '0B00007F';

/** Reads /proc/net/tcp or tcp6 (proc_net(5)): addresses in the machine's byte order, ports big-endian, hexadecimal. */
export function parseListening(text: string): ListeningPort[] {
  const ports: ListeningPort[] = [];
  for (const line of text.split('\n').slice(1)) {
    const [, local, , state] = line.trim().split(/\s+/);
    const [address, port] = local?.split(':') ?? [];
    if (state !== listenState || address === undefined || port === undefined) continue;
    if (address === engineResolver) continue;
    const loopback = address === loopback6 || (address.length === 8 && address.endsWith('7F'));
    ports.push({ port: Number.parseInt(port, 16), loopback });
  }
  return ports;
}

/** TCP ports that something listens on in the network namespace of a process; by number, none when it has ended. */
export function listeningPorts(pid: number): ListeningPort[] {
  const found = new Map<number, ListeningPort>();
  for (const table of ['tcp', 'tcp6']) {
    let text = '';
    try {
      text = readFileSync(`/proc/${pid}/net/${table}`, 'latin1');
    } catch {
      continue;
    }
    for (const seen of parseListening(text)) {
      const known = found.get(seen.port);
      found.set(seen.port, { port: seen.port, loopback: seen.loopback && known?.loopback !== false });
    }
  }
  return [...found.values()].sort((a, b) => a.port - b.port);
}
