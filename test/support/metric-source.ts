/** An application that answers scrapes, well or badly. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface MetricSource extends AsyncDisposable {
  readonly port: number;
  readonly requests: readonly Pick<IncomingMessage, "url" | "headers">[];
  /** Connections that are open. */
  open(): number;
}

/** @param at an address, or a path of a Unix socket */
export async function startSource(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  at: string = "127.0.0.1",
): Promise<MetricSource> {
  const requests: Pick<IncomingMessage, "url" | "headers">[] = [];
  let open = 0;
  const server = createServer((request, response) => {
    requests.push(request);
    response.on("error", () => undefined);
    answer(request, response);
  });
  server.on("connection", (socket) => {
    open += 1;
    socket.once("close", () => {
      open -= 1;
    });
  });
  await new Promise<void>((resolve) => {
    if (at.startsWith("/")) server.listen(at, resolve);
    else server.listen(0, at, resolve);
  });
  const address = server.address();
  return {
    port: address === null || typeof address === "string" ? 0 : (address satisfies AddressInfo).port,
    requests,
    open: () => open,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

/** Always the same. */
export function saying(text: string | Buffer, contentType = "text/plain; version=0.0.4") {
  return (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(200, { "content-type": contentType }).end(text);
  };
}

/** What would have no end, as fast as it is taken. */
export function endless(chunk: Buffer) {
  return (_request: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(200, { "content-type": "text/plain" });
    const write = (): void => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on("drain", write);
    write();
  };
}
