/**
 * The error that an HTTP/2 session ended with, taken so that the session can be collected.
 *
 * Until an error's stack is read for the first time, V8 keeps what its frames were called on, here the native session.
 * That one keeps the callback of SETTINGS which were never acknowledged, and the callback leads to whatever holds the
 * error: a circle through native code, which no collection finds, with 64 KiB of buffers each time that a peer breaks
 * the protocol (seen with Node.js 24.21).
 */
import type { Server } from "@grpc/grpc-js";

/** To be called with every error of a session, whether anybody wants to know it or not. */
export function letGoOfSession(error: Error): void {
  // Reading is what has the effect.
  void error.stack;
}

interface SessionServer {
  on(event: "sessionError", listener: (error: Error) => void): unknown;
}

/**
 * The same for the sessions of grpc-js' servers, to be called once they exist.
 *
 * @throws Error when the library keeps them elsewhere
 */
export function letGoOfSessions(server: Server): void {
  // The library has no public way to them.
  const servers: unknown = Reflect.get(server, "http2Servers");
  if (!(servers instanceof Map) || servers.size === 0) throw new Error("grpc-js has no HTTP/2 server");
  for (const http2 of servers.keys() as Iterable<SessionServer>) http2.on("sessionError", letGoOfSession);
}
