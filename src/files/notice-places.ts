/**
 * Where the kernel gives notice of a path's changes, and whether it does at all.
 *
 * What a path leads to changes in the file itself, and in each folder with a part of the way: a link that is replaced, a part
 * that comes to be, a folder that another takes the place of. A file may be mounted by itself, as a container's
 * `/etc/resolv.conf` is: then what is written to it is told by the file, and never by the folder.
 */
import { lstatSync, readlinkSync, statfsSync } from "node:fs";
import { join, resolve } from "node:path";

/** A part of the way to a file. */
export interface NoticePlace {
  /** Without links. */
  readonly folder: string;
  readonly name: string;
}

/** The way to a file. */
export interface NoticePlaces {
  /**
   * Folders with the parts of the way, up to the file or to what is missing of it; without those that everybody may write in,
   * as `/tmp` is, where only a link or the end of the way counts: they are never at rest.
   */
  readonly places: readonly NoticePlace[];
  /** Path of the file without links; undefined where it is missing. */
  readonly file: string | undefined;
}

/** The kernel follows as many: see path_resolution(7). */
const mostLinks = 40;

/** The mode of a folder in which everybody may replace only what is his own: see inode(7). */
const sticky = 0o1000;

/** Of a path that may lead nowhere. @throws the system error where a part of it cannot be looked at */
export function noticePlaces(path: string): NoticePlaces {
  const places: NoticePlace[] = [];
  let folder = "/";
  let rest = partsOf(resolve(path));
  let links = 0;
  let isShared = false;
  for (let [name, ...after] = rest; name !== undefined; [name, ...after] = rest) {
    const current = join(folder, name);
    const stat = lstatSync(current, { throwIfNoEntry: false });
    const isLink = stat?.isSymbolicLink() === true && links < mostLinks;
    if (isLink || stat === undefined || after.length === 0 || !isShared) places.push({ folder, name });
    if (stat === undefined) return { places, file: undefined };
    if (isLink) {
      links += 1;
      rest = [...partsOf(resolve(folder, readlinkSync(current))), ...after];
      folder = "/";
      isShared = false;
    } else {
      rest = after;
      folder = current;
      isShared = (stat.mode & sticky) !== 0;
    }
  }
  return { places, file: folder };
}

function partsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "");
}

/**
 * File systems, by the number that statfs(2) has for them, all of whose changes are made through this kernel. Those of
 * networks and of other kernels (NFS, 9p, FUSE and virtiofs) change with no notice, and procfs as it is read.
 */
const local: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // xfs
  0x9123683e, // btrfs
  0xf2f52010, // f2fs
  0x2fc12fc1, // zfs
  0x01021994, // tmpfs
  0x858458f6, // ramfs
  0x794c7630, // overlayfs
]);

/** True where the kernel gives notice of all that changes there. */
export function isNoticed(path: string): boolean {
  try {
    return local.has(statfsSync(path).type);
  } catch {
    return false;
  }
}
