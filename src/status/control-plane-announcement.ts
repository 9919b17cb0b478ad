/**
 * Where a control plane is, as it says itself to commands beside it.
 */
import { errorMessage } from "../lifecycle/error-message.ts";
import { at, textAt } from "../lifecycle/json-path.ts";
import { portsAt } from "./announcement.ts";
import { announcedFiles, announceFile } from "./announced-files.ts";

/** Where a control plane of this machine is. */
export interface ControlPlaneAnnouncement {
  readonly pid: number;
  /** Of its pages, which loopback may read. */
  readonly httpPort: number;
  /** Of discovery over TLS. */
  readonly secureGrpcPort: number;
  /** The folder of its configuration; absolute. */
  readonly configFolder: string;
  /** Of the page that shows the whole mesh, where there is one. */
  readonly pagePort?: number;
}

/** Say it until disposed; undefined where there is no place for it, which costs only that. */
export function announceControlPlane(
  folder: string,
  announcement: ControlPlaneAnnouncement,
  onProblem: (reason: string) => void,
): Disposable | undefined {
  try {
    return announceFile(folder, "control-plane-", announcement);
  } catch (error) {
    onProblem(errorMessage(error));
    return undefined;
  }
}

/** Those that run; none where the folder is not ours or not there. */
export function announcedControlPlanes(folder: string): readonly ControlPlaneAnnouncement[] {
  return announcedFiles(folder, "control-plane-").flatMap(({ value }) => {
    const configFolder = textAt(value, "configFolder");
    const ports = portsAt(value, ["httpPort", "secureGrpcPort"]);
    if (configFolder === undefined || ports === undefined) return [];
    const page = at(value, "pagePort") === undefined ? {} : portsAt(value, ["pagePort"]);
    return [{ pid: Number(at(value, "pid")), configFolder, ...ports, ...page }];
  });
}
