/** A client on a bare socket, which costs little beside what it measures: it counts bytes and keeps none. */
import { connect } from "node:net";

/** One answer. */
export interface ReadAll {
  readonly ms: number;
  /** With its head. */
  readonly bytes: number;
}

/** Whom to ask. */
export type SourceAddress = { readonly port: number } | { readonly path: string };

const buffer = Buffer.alloc(262_144);

/** Ask for the metrics of `at`. @param headers lines of them @throws Error for what is not answered with 200 */
export function readAll(at: SourceAddress, headers: readonly string[] = []): Promise<ReadAll> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    let bytes = 0;
    const callback = (count: number): boolean => {
      const isOk = bytes > 0 || buffer.toString("latin1", 0, count).startsWith("HTTP/1.1 200 ");
      if (!isOk) reject(new Error(buffer.toString("latin1", 0, count)));
      bytes += count;
      return true;
    };
    const address = "port" in at ? { host: "127.0.0.1", port: at.port } : { path: at.path };
    const socket = connect({ ...address, onread: { buffer, callback } });
    socket.on("error", reject);
    socket.on("close", () => {
      resolve({ ms: performance.now() - started, bytes });
    });
    const lines = ["GET /metrics HTTP/1.1", "host: localhost", "connection: close", ...headers, "", ""];
    socket.write(lines.join("\r\n"));
  });
}
