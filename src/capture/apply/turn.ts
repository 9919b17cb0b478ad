/**
 * One at a time: whoever reads rules and changes them holds a name that the kernel gives once per network namespace
 * (an abstract Unix socket, unix(7)), and takes back from a process that ends, however it ends.
 */
import { statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { sleep } from "../../lifecycle/sleep.ts";

/** Between two tries for the name, in milliseconds. */
const betweenTriesMs = 50;

/**
 * Resolves once it is ours; undefined when somebody else has it for too long.
 *
 * @param networkNamespace file of the network namespace that is to be changed
 */
export async function takeTurn(
  networkNamespace: string | undefined,
  timeoutMs: number,
): Promise<AsyncDisposable | undefined> {
  const name = `\0outrider-capture-${statSync(networkNamespace ?? "/proc/self/ns/net").ino}`;
  const start = performance.now();
  for (;;) {
    const server = await listen(name);
    if (server !== undefined)
      return { [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
    if (performance.now() - start > timeoutMs) return undefined;
    await sleep(betweenTriesMs);
  }
}

/** Undefined when the name is taken. */
function listen(path: string): Promise<Server | undefined> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.destroy();
    });
    server.once("error", () => {
      resolve(undefined);
    });
    server.listen({ path }, () => {
      resolve(server);
    });
  });
}
