/**
 * How an agent says where it is, to commands beside it that are told nothing: a file of its own in a folder that only
 * this user may look into. It is gone with the agent; one that an agent has left behind is not taken for it.
 */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { inOwnFolder, makeOwnFolder } from "../files/own-folder.ts";
import { readRegularText } from "../files/read-regular-file.ts";
import { at, textAt } from "../lifecycle/json-path.ts";
import { readProcessStat } from "../process/identity.ts";

/** Where an agent is. */
export interface Announcement {
  /** `web-1.demo`. */
  readonly name: string;
  readonly pid: number;
  readonly statusPort: number;
  /** The port that leads to Envoy's admin interface. */
  readonly adminPort: number;
  /** Envoy's readiness listener. */
  readonly envoyStatusPort: number;
  /** Absolute. */
  readonly configPath: string;
}

/** What is known of it before the agent runs. */
export interface AnnouncementOptions extends Omit<Announcement, "name" | "pid"> {
  readonly folder: string;
}

/** Longest file that is read, in bytes. */
const maxBytes = 65_536;

/**
 * Say it until disposed.
 *
 * @throws FolderNotOursError or the system error when the folder cannot be had
 */
export function announce(folder: string, announcement: Announcement): Disposable {
  makeOwnFolder(folder);
  for (const { path } of announced(folder).filter(({ agent }) => agent === undefined))
    rmSync(path, { force: true });
  const path = join(folder, `${announcement.pid}.json`);
  const startTime = readProcessStat(announcement.pid)?.startTime;
  writeFileAtomic(path, JSON.stringify({ ...announcement, startTime }), 0o600);
  return {
    [Symbol.dispose]: () => {
      rmSync(path, { force: true });
    },
  };
}

/** Those that run, by name; none where the folder is not ours or not there. */
export function announcedAgents(folder: string): readonly Announcement[] {
  return announced(folder)
    .flatMap(({ agent }) => (agent === undefined ? [] : [agent]))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

interface Announced {
  readonly path: string;
  /** Undefined for one whose agent is gone, and for what is no announcement. */
  readonly agent: Announcement | undefined;
}

function announced(folder: string): readonly Announced[] {
  try {
    return (
      inOwnFolder(folder, (anchored) =>
        readdirSync(anchored)
          .filter((name) => /^\d+\.json$/.test(name))
          .map((name) => ({ path: join(folder, name), agent: readAnnouncement(join(anchored, name)) })),
      ) ?? []
    );
  } catch {
    // Somebody else's folder says nothing.
    return [];
  }
}

function readAnnouncement(path: string): Announcement | undefined {
  let value: unknown;
  try {
    value = JSON.parse(readRegularText(path, { maxBytes, noLink: true }));
  } catch {
    return undefined;
  }
  const number = (name: string): number => Number(at(value, name));
  const [name, configPath] = [textAt(value, "name"), textAt(value, "configPath")];
  const pid = number("pid");
  if (name === undefined || configPath === undefined) return undefined;
  // A pid is somebody else's as soon as the agent is gone.
  if (readProcessStat(pid)?.startTime !== at(value, "startTime")) return undefined;
  const ports = {
    statusPort: number("statusPort"),
    adminPort: number("adminPort"),
    envoyStatusPort: number("envoyStatusPort"),
  };
  if (!Object.values(ports).every((port) => Number.isInteger(port) && port >= 0 && port <= 65_535))
    return undefined;
  return { name, pid, configPath, ...ports };
}
