/**
 * Where an agent is, as it says itself to commands beside it.
 */
import { at, textAt } from "../lifecycle/json-path.ts";
import { announcedFiles, announceFile } from "./announced-files.ts";

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

/**
 * Say it until disposed.
 *
 * @throws FolderNotOursError or the system error when the folder cannot be had
 */
export function announce(folder: string, announcement: Announcement): Disposable {
  return announceFile(folder, "", announcement);
}

/** Those that run, by name; none where the folder is not ours or not there. */
export function announcedAgents(folder: string): readonly Announcement[] {
  return announcedFiles(folder, "")
    .flatMap(({ value }) => readAnnouncement(value) ?? [])
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function readAnnouncement(value: unknown): Announcement | undefined {
  const [name, configPath] = [textAt(value, "name"), textAt(value, "configPath")];
  if (name === undefined || configPath === undefined) return undefined;
  const ports = portsAt(value, ["statusPort", "adminPort", "envoyStatusPort"]);
  return ports && { name, pid: Number(at(value, "pid")), configPath, ...ports };
}

/** The ports of these names; undefined where one of them is none. */
export function portsAt<Name extends string>(
  value: unknown,
  names: readonly Name[],
): Readonly<Record<Name, number>> | undefined {
  const ports = names.map((name) => [name, Number(at(value, name))] as const);
  return ports.every(([, port]) => Number.isInteger(port) && port >= 0 && port <= 65_535)
    ? (Object.fromEntries(ports) as Record<Name, number>)
    : undefined;
}
