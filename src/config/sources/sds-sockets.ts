/**
 * Whether somebody else serves the secrets: SPIRE and other agents put their SDS socket where Istio's agent would
 * put its own.
 */
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { findListener, type SocketListener } from "../../net/unix-socket.ts";
import { ownIdentifier } from "../../sds/own-identifier.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";
import { paths } from "./paths.ts";

/** What is at the well-known sockets. */
export interface SdsSockets {
  /** Somebody else's server is at the workload's socket: this agent leaves it alone, and Envoy uses it. */
  readonly isWorkloadExternal: boolean;
  /** Somebody serves the credentials that `sds://` names stand for. */
  readonly hasCredentials: boolean;
}

/** Longest look at a socket, in milliseconds. */
const lookMs = 1_000;

/** Istio's name for its own socket. */
const ownName = "socket";

/** The name of the workload's socket, which is never a path. */
export function workloadSocketName(name: string, problems: ConfigProblem[]): string {
  if (name === "") return ownName;
  if (!name.includes("/") && name !== "." && name !== "..") return name;
  problems.push({
    source: "WORKLOAD_IDENTITY_SOCKET_FILE",
    path: "",
    message: `${JSON.stringify(name)} must be a file name in ${paths.sdsFolder}, not a path: mount the socket there`,
  });
  return ownName;
}

/** A socket file as it is found. */
export interface FoundSocket {
  readonly listener: SocketListener;
  /** It belongs to this process's user. */
  readonly isOwnUsers: boolean;
  /** What its server calls itself. */
  readonly identifier: string | undefined;
}

/**
 * True for a server that is not this agent's own kind. One that does not answer may be slow or starting, and one
 * of another user is somebody else's even while nobody listens: neither is taken away from its owner.
 *
 * @param socket undefined when there is none
 */
export function isExternal(socketName: string, socket: FoundSocket | undefined): boolean {
  // A name of its own is Istio's way to say that there is another server, now or soon.
  if (socketName !== ownName) return true;
  if (socket === undefined) return false;
  if (socket.listener === "nobody") return !socket.isOwnUsers;
  return socket.identifier !== ownIdentifier;
}

/**
 * Look at both sockets.
 *
 * @param socketFile WORKLOAD_IDENTITY_SOCKET_FILE
 */
export async function findSdsSockets(socketFile: string): Promise<SdsSockets> {
  const name = workloadSocketName(socketFile, []);
  const [workload, credentials] = await Promise.all([
    lookAt(join(paths.sdsFolder, name)),
    isSocket(paths.credentialSocket) ? findListener(paths.credentialSocket, lookMs) : "nobody",
  ]);
  return {
    isWorkloadExternal: isExternal(name, workload),
    hasCredentials: credentials === "listens",
  };
}

async function lookAt(path: string): Promise<FoundSocket | undefined> {
  if (!isSocket(path)) return undefined;
  const listener = await findListener(path, lookMs);
  const isOwnUsers = lstatSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.();
  if (listener !== "listens") return { listener, isOwnUsers, identifier: undefined };
  // Loaded here: most agents find no socket, and start faster without gRPC.
  const { identifySdsServer } = await import("../../sds/identify-server.ts");
  return { listener, isOwnUsers, identifier: await identifySdsServer(path, lookMs) };
}

function isSocket(path: string): boolean {
  try {
    return lstatSync(path).isSocket();
  } catch {
    return false;
  }
}
