/**
 * Queries to one upstream over UDP, from ports that nobody can guess.
 *
 * Each socket is connected, so the kernel keeps away what comes from anywhere else and tells when nobody listens there. A
 * socket takes a number of queries and is then replaced: a socket for each would cost more than the query.
 */
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { givenUp, matchOf, type Outcome, outcomeOf, type Outgoing } from "./exchange.ts";
import type { Upstream } from "./resolv-conf.ts";
import { flag } from "../wire/constants.ts";

/** Why a message was not taken for an answer. */
export type Rejection = "unknown id" | "other question" | "other case";

/** What it works with. */
export interface UdpDependencies {
  readonly rejected: (reason: Rejection) => void;
  /** At least 0, less than 1; not to be foreseen. */
  readonly random: () => number;
}

interface Pending extends Outgoing {
  readonly settle: (outcome: Outcome) => void;
}

interface Port {
  readonly socket: Socket;
  readonly pending: Map<number, Pending>;
  /** Sent once it is connected. */
  readonly early: Buffer[];
  uses: number;
  /** Its own number, once it is connected. */
  number: number | undefined;
  isConnected: boolean;
  isClosed: boolean;
}

/** Sockets at one time, and queries that each is used for. */
const maxPorts = 8;
const maxUses = 256;

/** Open sockets, each with a port of its own. */
export class UdpExchange implements Disposable {
  readonly #upstream: Upstream;
  readonly #deps: UdpDependencies;
  readonly #ports = new Set<Port>();
  readonly #retired = new Set<Port>();

  constructor(upstream: Upstream, deps: UdpDependencies) {
    this.#upstream = upstream;
    this.#deps = deps;
  }

  /** True for a query that this one sent and that came back to its own sender: it went in a circle. */
  hasSent(port: number, message: Buffer): boolean {
    const sent = [...this.#ports, ...this.#retired].find((one) => one.number === port);
    const pending = sent?.pending.get(message.readUInt16BE(0));
    return pending !== undefined && pending.message.equals(message);
  }

  /**
   * Send it; `prepare` gets the ID. Resolves when there is an answer, or with `failed` once `signal` aborts: its port is
   * then used no more if that was for lateness, or the query waited for `lateMs`.
   *
   * @param lateMs in milliseconds; a port that nothing comes back to may be one that somebody on the way has forgotten
   */
  ask(prepare: (id: number) => Outgoing, signal: AbortSignal, lateMs: number): Promise<Outcome> {
    if (signal.aborted) return Promise.resolve(outcomeOf(signal));
    const port = this.#choose();
    if (port === undefined) return Promise.resolve({ kind: "failed", reason: "no socket could be had" });
    const id = this.#freeId(port.pending);
    const outgoing = prepare(id);
    port.uses += 1;
    if (port.uses >= maxUses) this.#retire(port);
    const askedAt = performance.now();
    return new Promise((resolve) => {
      const onAbort = (): void => {
        if (signal.reason === givenUp.tooLate || performance.now() - askedAt >= lateMs) this.#retire(port);
        settle(outcomeOf(signal));
      };
      const settle = (outcome: Outcome): void => {
        port.pending.delete(id);
        signal.removeEventListener("abort", onAbort);
        if (port.pending.size === 0 && this.#retired.delete(port)) close(port);
        resolve(outcome);
      };
      port.pending.set(id, { ...outgoing, settle });
      signal.addEventListener("abort", onAbort, { once: true });
      if (port.isConnected) this.#send(port, outgoing.message);
      else port.early.push(outgoing.message);
    });
  }

  /** Nothing was asked for a while: an agent at rest keeps no sockets. */
  rest(): void {
    for (const port of this.#ports) {
      if (port.pending.size > 0) continue;
      this.#ports.delete(port);
      close(port);
    }
  }

  [Symbol.dispose](): void {
    for (const port of [...this.#ports, ...this.#retired]) this.#fail(port, givenUp.closed);
  }

  #choose(): Port | undefined {
    if (this.#ports.size < maxPorts) {
      const made = this.#open();
      if (made !== undefined) return made;
    }
    const ports = [...this.#ports];
    return ports[Math.floor(this.#deps.random() * ports.length)];
  }

  /** Closed once nothing is open on it; the next query opens another. */
  #retire(port: Port): void {
    if (this.#ports.delete(port)) this.#retired.add(port);
  }

  #freeId(pending: ReadonlyMap<number, Pending>): number {
    let id = Math.floor(this.#deps.random() * 65_536);
    while (pending.has(id)) id = (id + 1) & 0xffff;
    return id;
  }

  #open(): Port | undefined {
    const { host, port: remote } = this.#upstream;
    const socket = createSocket({ type: isIPv6(host) ? "udp6" : "udp4" });
    const port: Port = {
      ...{ socket, pending: new Map<number, Pending>(), early: [], uses: 0 },
      ...{ number: undefined, isConnected: false, isClosed: false },
    };
    socket.on("error", (error) => {
      this.#fail(port, errorMessage(error));
    });
    socket.on("message", (message) => {
      this.#received(port, message);
    });
    socket.connect(remote, host, (error?: Error) => {
      if (port.isClosed) return;
      // Told here alone: no `error` follows.
      if (error !== undefined) {
        this.#fail(port, errorMessage(error));
        return;
      }
      port.isConnected = true;
      port.number = socket.address().port;
      for (const message of port.early.splice(0)) this.#send(port, message);
    });
    this.#ports.add(port);
    return port;
  }

  #send(port: Port, message: Buffer): void {
    if (port.isClosed) return;
    port.socket.send(message, (error) => {
      if (error !== null) this.#fail(port, errorMessage(error));
    });
  }

  #received(port: Port, message: Buffer): void {
    const pending = message.length < 12 ? undefined : port.pending.get(message.readUInt16BE(0));
    if (pending === undefined) {
      this.#deps.rejected("unknown id");
      return;
    }
    const match = matchOf(message, pending);
    if (match === "no") {
      this.#deps.rejected("other question");
      return;
    }
    if (match === "other case") {
      this.#deps.rejected("other case");
      pending.settle({ kind: "case lost" });
      return;
    }
    const isShort = ((message[2] ?? 0) & flag.truncated) !== 0;
    pending.settle({ kind: isShort ? "truncated" : "answered", message });
  }

  /** Nothing more comes through it. */
  #fail(port: Port, reason: string): void {
    this.#ports.delete(port);
    this.#retired.delete(port);
    close(port);
    for (const { settle } of [...port.pending.values()]) settle({ kind: "failed", reason });
  }
}

function close(port: Port): void {
  if (port.isClosed) return;
  port.isClosed = true;
  port.socket.close();
}
