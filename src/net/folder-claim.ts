/**
 * A folder that one process at a time works in.
 *
 * The sign is a Unix socket in it that its owner listens on: it holds whatever PID and network namespaces the others
 * are in, and the kernel takes it back however the owner ends.
 */
import { randomBytes } from "node:crypto";
import { linkSync, lstatSync, renameSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { errorCode } from "../lifecycle/error-message.ts";
import { checkSocketPath, findListener, withSocketMode } from "./unix-socket.ts";

/** What became of a claim. */
export type FolderClaim =
  | { readonly kind: "ours"; readonly claim: AsyncDisposable & { readonly socketPath: string } }
  /** Somebody works in it. */
  | { readonly kind: "taken"; readonly socketPath: string };

/** Longest wait for the owner's kernel to answer, in milliseconds. */
const answerMs = 1_000;

/** Tries against others that claim it in the same moment. */
const tries = 5;

/**
 * Claim a folder. Nothing in it is touched but the sign of one that is gone.
 *
 * @param name the sign's file name in `folder`
 * @throws SocketPathError or the system error when no socket can be made there
 */
export async function claimFolder(folder: string, name: string): Promise<FolderClaim> {
  const socketPath = join(folder, name);
  checkSocketPath(socketPath);
  const own = join(folder, `.${randomBytes(4).toString("hex")}`);
  const server = await listenAt(own);
  try {
    for (let attempt = 0; attempt < tries; attempt += 1) {
      const { ino } = lstatSync(own);
      if (tryLink(own, socketPath)) return { kind: "ours", claim: claimOf(server, socketPath, ino) };
      const found = lstatSync(socketPath, { throwIfNoEntry: false });
      if (found === undefined) continue;
      if ((await findListener(socketPath, answerMs)) !== "nobody") break;
      removeDead(socketPath, found.ino);
    }
    server.close();
    return { kind: "taken", socketPath };
  } catch (error) {
    server.close();
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}

async function listenAt(path: string): Promise<Server> {
  // Whoever connects learns that somebody is here, and nothing else.
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.destroy();
  });
  await withSocketMode(
    0o600,
    () =>
      new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen({ path }, () => {
          server.off("error", reject);
          resolve();
        });
      }),
  );
  server.on("error", () => undefined);
  server.unref();
  return server;
}

/** What file systems without hard links answer. */
const noLinks: ReadonlySet<string | undefined> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"]);

/** Give a socket its name; false when the name is taken. */
function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === "EEXIST") return false;
    if (!noLinks.has(code)) throw error;
    // Without links two that start in the same moment may both get it; all others do not.
    if (lstatSync(to, { throwIfNoEntry: false }) !== undefined) return false;
    renameSync(from, to);
    return true;
  }
}

/** Out of the way first: in the meantime another claimant may have put its own sign there. */
function removeDead(socketPath: string, ino: number): void {
  const aside = `${socketPath}.${randomBytes(4).toString("hex")}`;
  try {
    renameSync(socketPath, aside);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    throw error;
  }
  if (lstatSync(aside).ino !== ino) tryLink(aside, socketPath);
  rmSync(aside, { force: true });
}

function claimOf(
  server: Server,
  socketPath: string,
  ino: number,
): AsyncDisposable & { readonly socketPath: string } {
  return {
    socketPath,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        try {
          if (lstatSync(socketPath).ino === ino) rmSync(socketPath);
        } catch {
          // It is gone, or cannot be removed: nobody listens there from now on, which is what counts.
        }
        server.close(() => {
          resolve();
        });
      }),
  };
}
