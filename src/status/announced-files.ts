/**
 * How a program says something of itself to commands beside it that are told nothing: a file in a folder that only this
 * user may look into. It is gone with the program; one that a program has left behind is not taken for it.
 */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { inOwnFolder, makeOwnFolder } from "../files/own-folder.ts";
import { readRegularText } from "../files/read-regular-file.ts";
import { at } from "../lifecycle/json-path.ts";
import { readProcessStat } from "../process/identity.ts";

/** What kind of program it is: names of its files begin with it. */
export type AnnouncedKind = "" | "control-plane-";

/** Longest file that is read, in bytes. */
const maxBytes = 65_536;

/**
 * Say it until disposed.
 *
 * @throws FolderNotOursError or the system error when the folder cannot be had
 */
export function announceFile(
  folder: string,
  kind: AnnouncedKind,
  value: { readonly pid: number },
): Disposable {
  makeOwnFolder(folder);
  for (const { path } of announcedFiles(folder, kind).filter(({ value }) => value === undefined))
    rmSync(path, { force: true });
  const path = join(folder, `${kind}${value.pid}.json`);
  const startTime = readProcessStat(value.pid)?.startTime;
  writeFileAtomic(path, JSON.stringify({ ...value, startTime }), 0o600);
  return {
    [Symbol.dispose]: () => {
      rmSync(path, { force: true });
    },
  };
}

/** One file. */
export interface AnnouncedFile {
  readonly path: string;
  /** Undefined for one whose program is gone, and for what is no announcement. */
  readonly value: unknown;
}

/** Every file of a kind; none where the folder is not ours or not there. */
export function announcedFiles(folder: string, kind: AnnouncedKind): readonly AnnouncedFile[] {
  const name = new RegExp(`^${kind}\\d+\\.json$`);
  try {
    return (
      inOwnFolder(folder, (anchored) =>
        readdirSync(anchored)
          .filter((entry) => name.test(entry))
          .map((entry) => ({ path: join(folder, entry), value: readAnnounced(join(anchored, entry)) })),
      ) ?? []
    );
  } catch {
    // Somebody else's folder says nothing.
    return [];
  }
}

function readAnnounced(path: string): unknown {
  try {
    const value: unknown = JSON.parse(readRegularText(path, { maxBytes, noLink: true }));
    // A pid is somebody else's as soon as the program is gone.
    return readProcessStat(Number(at(value, "pid")))?.startTime === at(value, "startTime")
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}
