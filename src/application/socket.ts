/**
 * A Unix socket that the application holds open while it lives, `app.sock`.
 *
 * The kernel closes it however the application ends, `kill -9` included, so nobody has to remember to end the
 * sidecar of a Job. To whoever connects the agent writes one line, `ready`, once the sidecar serves; what comes
 * from there is ignored.
 */
import { chmodSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import { makeFolder } from "../files/folder.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { guarded } from "../lifecycle/guard.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { connectionLimits } from "../net/connection-table.ts";
import { maxDescriptors } from "../net/descriptors.ts";
import { prepareSocketPath, withSocketMode } from "../net/unix-socket.ts";
import type { TaskGroup } from "../lifecycle/task-group.ts";
import type { Logger } from "../telemetry/log.ts";
import type { ApplicationSocketOptions } from "./options.ts";
import { connected, disconnected, type Presence } from "./presence.ts";

/** What the socket needs from the agent. */
export interface ApplicationSocketDependencies {
  /** Resolves once the sidecar serves, or when `signal` aborts. */
  readonly ready: (signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
  /** Outlives the socket. */
  readonly tasks: TaskGroup;
}

/** The socket; bound when `listen` resolves and removed when disposed. */
export class ApplicationSocket implements AsyncDisposable {
  readonly #options: ApplicationSocketOptions;
  readonly #deps: ApplicationSocketDependencies;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #gone = new AbortController();
  readonly #closed = new AbortController();
  #grace: AbortController | undefined;
  #presence: Presence = { kind: "unseen" };
  /** Connections so far. */
  #count = 0;

  private constructor(options: ApplicationSocketOptions, deps: ApplicationSocketDependencies) {
    this.#options = options;
    this.#deps = deps;
    this.#server = createServer((socket) => {
      this.#accept(socket);
    });
    // A pod has a handful of applications, and each connection costs a descriptor.
    this.#server.maxConnections = connectionLimits(maxDescriptors(), 16).most;
  }

  /** @throws SocketPathError, or the system error of a failed bind */
  static async listen(
    options: ApplicationSocketOptions,
    deps: ApplicationSocketDependencies,
  ): Promise<ApplicationSocket> {
    const socket = new ApplicationSocket(options, deps);
    const contain = (error: unknown): void => {
      deps.log.error("the application's socket failed", { reason: errorMessage(error) });
    };
    await guarded({ part: "the application's socket", contain }, () => socket.#bind());
    return socket;
  }

  /** Aborts when the application was here and has been gone for the grace time. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#grace?.abort();
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #bind(): Promise<void> {
    const { path, mode } = this.#options;
    // The application has a user of its own and must get through a folder that is made here.
    makeFolder(dirname(path), 0o755);
    await prepareSocketPath(path);
    await withSocketMode(
      mode,
      () =>
        new Promise<void>((resolve, reject) => {
          this.#server.once("error", reject);
          this.#server.listen({ path }, () => {
            this.#server.off("error", reject);
            this.#server.on("error", (error) => {
              this.#deps.log.warn("a connection of the application was not accepted", {
                reason: errorMessage(error),
              });
            });
            resolve();
          });
        }),
    );
    chmodSync(path, mode);
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    this.#grace?.abort();
    if (this.#presence.kind !== "present") this.#deps.log.info("the application holds its socket");
    this.#presence = connected(this.#presence);
    // An error is followed by `close`, which is all that counts.
    socket.on("error", () => undefined);
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#leave();
    });
    socket.resume();
    this.#count += 1;
    this.#deps.tasks.spawn(`greet-application-${this.#count}`, (signal) => this.#greet(socket, signal));
  }

  async #greet(socket: Socket, signal: AbortSignal): Promise<void> {
    const left = new AbortController();
    socket.once("close", () => {
      left.abort();
    });
    const over = AbortSignal.any([left.signal, this.#closed.signal, signal]);
    await this.#deps.ready(over);
    if (!over.aborted && socket.writable) socket.write("ready\n");
  }

  #leave(): void {
    this.#presence = disconnected(this.#presence);
    if (this.#presence.kind !== "absent" || this.#closed.signal.aborted) return;
    const grace = new AbortController();
    this.#grace = grace;
    this.#deps.tasks.spawn(`await-application-${this.#count}`, (signal) =>
      this.#waitForReturn(AbortSignal.any([grace.signal, signal])),
    );
  }

  async #waitForReturn(signal: AbortSignal): Promise<void> {
    await sleep(this.#options.graceMs, signal);
    if (signal.aborted) return;
    this.#deps.log.info("the application has let go of its socket");
    this.#gone.abort();
  }
}
