/** SHA-256 of some bytes as `sha256:` and 64 hexadecimal digits. */
export type Digest = `sha256:${string}`;

export type FileType = 'file' | 'directory' | 'symlink' | 'character-device' | 'block-device' | 'fifo';

/** One name in an image's file system, after all layers. */
export interface FileEntry {
  /** Absolute, normalised, without a trailing slash; `/` is the root. Bytes that are not UTF-8 stand as U+DC80…U+DCFF. */
  readonly path: string;
  readonly type: FileType;
  /** Permission bits with set-uid, set-gid and sticky, such as 0o755. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; 0 for what is not a regular file. */
  readonly size: number;
  /** Target of a symbolic link, as written. */
  readonly target?: string;
  /** Set where the content was kept and can be read: ELF files, scripts, small configuration files. */
  readonly digest?: Digest;
  /** First bytes told what it is. */
  readonly kind?: 'elf' | 'script' | 'text';
}

export type Resolution =
  | { readonly ok: true; readonly entry: FileEntry }
  | {
      readonly ok: false;
      readonly reason: 'not-found' | 'not-a-directory' | 'link-cycle';
      /** The path, after the links followed so far, at which it ended. */
      readonly at: string;
    };

/**
 * A read-only file system of an image. Nothing here reaches the host: links, absolute ones too,
 * are resolved inside the tree, and `..` stops at its root.
 */
export interface FileTree {
  /** The entry itself; a link is not followed. Directories above must not be links. */
  lookup(path: string): FileEntry | undefined;
  /** The entry a program in the container would get by opening `path`; at most 40 links, as in the kernel. */
  resolve(path: string): Resolution;
  /** Entries of a directory (links to it are followed), by name; empty when there is none. */
  list(directory: string): readonly FileEntry[];
  /** Every entry, sorted by path. */
  entries(): Iterable<FileEntry>;
  /**
   * Content of a file whose entry has a digest.
   * @throws ProfGenError `image/content-not-kept`, `image/content-missing`
   */
  read(entry: FileEntry): Promise<Uint8Array>;
}
