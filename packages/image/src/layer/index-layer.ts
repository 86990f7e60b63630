import { ProfGenError, printable } from '@prof-gen/core';
import type { ContentStore } from '../cache/content-store.js';
import { type ImageLimits, overLimit } from '../limits/image-limits.js';
import type { ByteInput } from '../stream/byte-input.js';
import { encodeFileName } from '../tar/file-name.js';
import { readTar, type TarMember } from '../tar/read-tar.js';
import { emptyDirectory, type LayerNode } from '../tree/tree-node.js';
import { isKept, kindOf } from './keep-policy.js';
import { badEntry, layerBuilder } from './layer-builder.js';

export interface IndexedLayer {
  readonly root: LayerNode;
  /** Names read. */
  readonly entries: number;
  /** Bytes of all files, holes included. */
  readonly bytes: number;
}

const headBytes = 4096;

/**
 * Reads a layer's tar once: its names into a tree, its ELF files, scripts and small configuration files
 * into the content store. Everything else is skipped.
 * @throws ProfGenError `archive/*`
 */
export async function indexLayer(
  input: ByteInput,
  store: ContentStore,
  limits: ImageLimits,
): Promise<IndexedLayer> {
  const builder = layerBuilder(limits);
  let entries = 0;
  let bytes = 0;
  let kept = 0;
  for await (const member of readTar(input)) {
    entries += 1;
    if (entries > limits.entries) throw overLimit('entries', limits.entries, 'names in a layer');
    bytes += member.size;
    if (bytes > limits.bytes) throw overLimit('bytes', limits.bytes, 'bytes of the files in a layer');
    if (builder.whiteout(member.name.replace(/\/+$/, ''))) continue;
    switch (member.type) {
      case 'hard-link':
        builder.hardLink(member.name, member.linkName);
        break;
      case 'file': {
        const node = await fileNode(member, store, limits);
        if (node.digest !== undefined) kept += node.size;
        if (kept > limits.keptBytes)
          throw overLimit('keptBytes', limits.keptBytes, 'bytes to keep of a layer');
        builder.add(member.name, node);
        break;
      }
      case 'directory': {
        const { mode, uid, gid } = member;
        builder.add(member.name, { ...emptyDirectory(false), mode, uid, gid });
        break;
      }
      case 'symlink': {
        if (encodeFileName(member.linkName).length > limits.pathBytes) {
          throw overLimit('pathBytes', limits.pathBytes, 'bytes of the target of a link');
        }
        builder.add(member.name, { ...plainNode(member, 'symlink'), target: member.linkName });
        break;
      }
      case 'character-device':
        // In the directory of a layer this is how overlayfs stores a whiteout (kernel, overlayfs.rst).
        if (member.devMajor === 0 && member.devMinor === 0) builder.hide(member.name);
        else builder.add(member.name, plainNode(member, 'character-device'));
        break;
      case 'block-device':
      case 'fifo':
        builder.add(member.name, plainNode(member, member.type));
        break;
      default:
        throw badEntry(member.name, 'is of a type that no engine unpacks');
    }
  }
  return { root: builder.root, entries, bytes };
}

function plainNode(member: TarMember, type: LayerNode['type']): LayerNode {
  return { type, mode: member.mode, uid: member.uid, gid: member.gid, size: 0 };
}

/** Also used for directories on the disk: what a regular file is, read from its first bytes on. */
export async function fileNode(
  member: Pick<TarMember, 'name' | 'mode' | 'uid' | 'gid' | 'size' | 'content'>,
  store: Pick<ContentStore, 'add'>,
  limits: ImageLimits,
): Promise<LayerNode> {
  const { mode, uid, gid, size } = member;
  const content = member.content();
  try {
    const first: Uint8Array[] = [];
    let length = 0;
    while (length < Math.min(headBytes, size)) {
      const next = await content.next();
      if (next.done === true)
        throw new ProfGenError('archive/truncated', `${printable(member.name)} ends early`);
      first.push(next.value);
      length += next.value.length;
    }
    const head = Buffer.concat(first);
    const kind = kindOf(head.subarray(0, headBytes));
    // The path is only looked at for its form, so what links in it lead to does not matter.
    const path = `/${member.name.replace(/^[./]+/, '')}`;
    const node: LayerNode = { type: 'file', mode, uid, gid, size, ...(kind === undefined ? {} : { kind }) };
    if (!isKept({ path, mode, size }, kind, limits)) return node;
    return { ...node, digest: await store.add(continued(head, content), size) };
  } finally {
    await content.return(undefined);
  }
}

async function* continued(head: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (head.length > 0) yield head;
  yield* rest;
}
