/**
 * Unix sockets as files: made ready before a bind, private from the first moment on.
 */
import { lstatSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import { makeFolder } from "../files/folder.ts";
import { errorCode } from "../lifecycle/error-message.ts";
import { Timer } from "../lifecycle/timer.ts";

/** Bytes that fit into `sockaddr_un.sun_path`, the closing NUL left out (unix(7)). */
export const maxSocketPathBytes = 107;

/** A socket cannot be made at this path. */
export class SocketPathError extends Error {
  override readonly name = "SocketPathError";
}

/** @throws SocketPathError when the path is too long or taken by something that is not a socket */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes > maxSocketPathBytes) {
    throw new SocketPathError(
      `the socket path ${path} has ${bytes} bytes, of which the kernel takes ${maxSocketPathBytes}: ` +
        "use a shorter path, or one relative to the working directory",
    );
  }
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !found.isSocket())
    throw new SocketPathError(`${path} exists and is not a socket: move it away`);
}

/** Longest wait for somebody who may listen at a path that is wanted, in milliseconds. */
const listenerMs = 1_000;

/**
 * Make the folder of a socket and remove a socket that an earlier process left.
 *
 * @throws SocketPathError when the path is too long, or taken by something that is not a socket or that somebody
 *   listens at
 */
export async function prepareSocketPath(path: string): Promise<void> {
  makeFolder(dirname(path), 0o750);
  checkSocketPath(path);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  const listener = await findListener(path, listenerMs);
  if (listener !== "nobody") {
    const who = listener === "denied" ? "another user has it" : "another process listens there";
    throw new SocketPathError(`the socket ${path} is in use: ${who}; stop it, or use another path`);
  }
  rmSync(path, { force: true });
}

/** Run `bind` so that a socket it makes has `mode` from the start. */
export async function withSocketMode<T>(mode: number, bind: () => Promise<T>): Promise<T> {
  const previous = process.umask(0o777 & ~mode);
  try {
    return await bind();
  } finally {
    process.umask(previous);
  }
}

/** Whether anybody listens at a path: `denied` is a socket that this user may not connect to. */
export type SocketListener = "listens" | "nobody" | "denied";

/** Connect and hang up. A backlog that is full until `timeoutMs` is somebody who listens, if slowly. */
export function findListener(path: string, timeoutMs: number): Promise<SocketListener> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const done = (listener: SocketListener): void => {
      limit.cancel();
      socket.destroy();
      resolve(listener);
    };
    const limit = new Timer(timeoutMs, () => {
      done("listens");
    });
    socket.once("connect", () => {
      done("listens");
    });
    socket.once("error", (error) => {
      const code = errorCode(error);
      done(code === "EAGAIN" ? "listens" : code === "EACCES" || code === "EPERM" ? "denied" : "nobody");
    });
  });
}
