/**
 * A port of a pod as a socket of this machine: each connection to it is one through the cluster's API.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { KubernetesApi } from "../../controlplane/kubernetes/api.ts";
import { withSocketMode } from "../../net/unix-socket.ts";
import { type PodPort, PortForwardError } from "./port-forward-error.ts";
import { openForward } from "./port-forward-stream.ts";

/** Where it listens: on a Unix socket that only this user can reach, or for a browser on a port of the loopback address. */
export type ForwardPlace = { readonly path: string } | { readonly host: string; readonly port: number };

/** A forwarded port, until it is disposed. */
export class PortForward implements AsyncDisposable {
  readonly place: ForwardPlace;
  readonly #server: Server;
  readonly #folder: string | undefined;
  readonly #closing: AbortController;
  readonly #failures: PortForwardError[];

  private constructor(
    place: ForwardPlace,
    server: Server,
    folder: string | undefined,
    closing: AbortController,
    failures: PortForwardError[],
  ) {
    this.place = place;
    this.#server = server;
    this.#folder = folder;
    this.#closing = closing;
    this.#failures = failures;
  }

  /** On a socket of its own that only this user can reach. */
  static listen(api: KubernetesApi, target: PodPort): Promise<PortForward> {
    return PortForward.#listen(api, target, mkdtempSync(join(tmpdir(), "outriderctl-")));
  }

  /** On a port of 127.0.0.1: whoever is on this machine reaches it. */
  static listenForBrowsers(api: KubernetesApi, target: PodPort): Promise<PortForward> {
    return PortForward.#listen(api, target, undefined);
  }

  static async #listen(
    api: KubernetesApi,
    target: PodPort,
    folder: string | undefined,
  ): Promise<PortForward> {
    const closing = new AbortController();
    const failures: PortForwardError[] = [];
    const server = createServer((socket) => {
      const onFailure = (error: unknown): void => {
        if (error instanceof PortForwardError) failures[0] = error;
        socket.destroy();
      };
      void relay(api, target, { socket, signal: closing.signal, onFailure }).catch(onFailure);
    });
    const path = folder === undefined ? undefined : join(folder, "forward.sock");
    await withSocketMode(0o600, async () => {
      if (path === undefined) server.listen(0, "127.0.0.1");
      else server.listen(path);
      await once(server, "listening");
    });
    const place =
      path === undefined ? { host: "127.0.0.1", port: (server.address() as AddressInfo).port } : { path };
    return new PortForward(place, server, folder, closing, failures);
  }

  /** Why a connection was none: whoever had it saw only that it ended. */
  get failure(): PortForwardError | undefined {
    return this.#failures[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#server.close();
    await once(this.#server, "close");
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }
}

interface Relayed {
  readonly socket: Socket;
  readonly signal: AbortSignal;
  readonly onFailure: (error: unknown) => void;
}

async function relay(
  api: KubernetesApi,
  target: PodPort,
  { socket, signal, onFailure }: Relayed,
): Promise<void> {
  // Its end is seen by what is written to it, or by the pipelines once there are some.
  socket.on("error", () => undefined);
  const gone = new AbortController();
  socket.once("close", () => {
    gone.abort();
  });
  const ends = AbortSignal.any([signal, gone.signal]);
  const stream = await openForward(api, target, ends);
  // Of two pipelines that end, the one that says why may be the second.
  stream.once("error", onFailure);
  try {
    await Promise.all([
      pipeline(socket, stream, { signal: ends, end: false }),
      pipeline(stream, socket, { signal: ends }),
    ]);
  } finally {
    stream.destroy();
    socket.destroy();
  }
}
