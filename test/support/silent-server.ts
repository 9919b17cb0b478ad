/** What a control plane looks like that is up and hangs. */
import { createServer, type Server } from "node:net";

/** A server that takes connections and says nothing. */
export async function silentServer(): Promise<{ readonly port: number } & AsyncDisposable> {
  const server: Server = createServer((socket) => {
    socket.on("error", () => undefined);
    silent.push(socket);
  });
  const silent: { destroy: () => void }[] = [];
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of silent) socket.destroy();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}
