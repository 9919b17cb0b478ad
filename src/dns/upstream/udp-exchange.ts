/**
 * Queries to one upstream over UDP, from ports that nobody can guess.
 *
 * Each socket is connected, so the kernel keeps away what comes from anywhere else and tells when nobody listens there. A
 * socket takes a number of queries and is then replaced: a socket for each would cost more than the query.
 */
import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { errorMessage } from "../../lifecycle/error-message.ts";
import {
  givenUp,
  type GivenUp,
  matchOf,
  type OnOutcome,
  type Outcome,
  outcomeOf,
  type Outgoing,
  type Sent,
} from "./exchange.ts";
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

interface Pending extends Sent {
  readonly outgoing: Outgoing;
  readonly onOutcome: OnOutcome;
}

interface Port {
  readonly socket: Socket;
  readonly pending: Map<number, Pending>;
  /** Sent once it is connected. */
  readonly early: Buffer[];
  /** Told whether a message could be sent: one for all of them. */
  readonly onSent: (error: Error | null) => void;
  uses: number;
  /** Its own number, once it is connected. */
  number: number | undefined;
  isClosed: boolean;
}

/** Sockets at one time, and queries that each is used for. */
const maxPorts = 8;
const maxUses = 256;

/** Open sockets, each with a port of its own. */
export class UdpExchange implements Disposable {
  readonly #upstream: Upstream;
  readonly #deps: UdpDependencies;
  /** Those that the next query may be sent from. */
  readonly #ports: Port[] = [];
  readonly #retired = new Set<Port>();

  constructor(upstream: Upstream, deps: UdpDependencies) {
    this.#upstream = upstream;
    this.#deps = deps;
  }

  /** True for a query that this one sent and that came back to its own sender: it went in a circle. */
  hasSent(port: number, message: Buffer): boolean {
    const isIt = (one: Port): boolean => one.number === port;
    const sent = this.#ports.find(isIt) ?? [...this.#retired].find(isIt);
    const pending = sent?.pending.get(message.readUInt16BE(0));
    return pending !== undefined && pending.outgoing.message.equals(message);
  }

  /**
   * Send it; `prepare` gets the ID. It ends with an answer, or with `failed` when its port fails or it is given up: the
   * port is then used no more if that was for lateness, or the query has waited for `lateMs`.
   *
   * @param lateMs in milliseconds; a port that nothing comes back to may be one that somebody on the way has forgotten
   */
  ask(prepare: (id: number) => Outgoing, lateMs: number, onOutcome: OnOutcome): Sent {
    const port = this.#choose();
    const id = this.#freeId(port.pending);
    port.uses += 1;
    if (port.uses >= maxUses) this.#retire(port);
    const outgoing = prepare(id);
    const lateAt = performance.now() + lateMs;
    const giveUp = (reason: GivenUp): void => {
      if (port.pending.get(id) !== pending) return;
      if (reason === givenUp.tooLate || performance.now() >= lateAt) this.#retire(port);
      this.#settle(port, id, pending, { kind: "failed", reason });
    };
    const pending: Pending = { outgoing, onOutcome, giveUp };
    port.pending.set(id, pending);
    if (port.number === undefined) port.early.push(outgoing.message);
    else port.socket.send(outgoing.message, port.onSent);
    return pending;
  }

  /** Nothing was asked for a while: an agent at rest keeps no sockets. */
  rest(): void {
    for (const port of [...this.#ports]) {
      if (port.pending.size > 0) continue;
      this.#drop(port);
      close(port);
    }
  }

  [Symbol.dispose](): void {
    for (const port of [...this.#ports, ...this.#retired]) this.#fail(port, givenUp.closed);
  }

  #choose(): Port {
    if (this.#ports.length < maxPorts) return this.#open();
    return this.#ports[Math.floor(this.#deps.random() * this.#ports.length)] ?? this.#open();
  }

  /** Closed once nothing is open on it; the next query opens another. */
  #retire(port: Port): void {
    if (this.#drop(port)) this.#retired.add(port);
  }

  /** True if it was one of those that are used. */
  #drop(port: Port): boolean {
    const at = this.#ports.indexOf(port);
    if (at !== -1) this.#ports.splice(at, 1);
    return at !== -1;
  }

  #freeId(pending: ReadonlyMap<number, Pending>): number {
    let id = Math.floor(this.#deps.random() * 65_536);
    while (pending.has(id)) id = (id + 1) & 0xffff;
    return id;
  }

  #open(): Port {
    const { host, port: remote } = this.#upstream;
    const socket = createSocket({ type: isIPv6(host) ? "udp6" : "udp4" });
    const port: Port = {
      ...{ socket, pending: new Map<number, Pending>(), early: [], uses: 0 },
      ...{ number: undefined, isClosed: false },
      onSent: (error) => {
        if (error !== null) this.#fail(port, errorMessage(error));
      },
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
      port.number = socket.address().port;
      for (const message of port.early.splice(0)) socket.send(message, port.onSent);
    });
    this.#ports.push(port);
    return port;
  }

  #received(port: Port, message: Buffer): void {
    const id = message.length < 12 ? undefined : message.readUInt16BE(0);
    const pending = id === undefined ? undefined : port.pending.get(id);
    if (id === undefined || pending === undefined) {
      this.#deps.rejected("unknown id");
      return;
    }
    const match = matchOf(message, pending.outgoing);
    if (match === "no") {
      this.#deps.rejected("other question");
      return;
    }
    if (match === "other case") {
      this.#deps.rejected("other case");
      this.#settle(port, id, pending, { kind: "case lost" });
      return;
    }
    const isShort = ((message[2] ?? 0) & flag.truncated) !== 0;
    const outcome: Outcome = isShort ? { kind: "truncated", message } : outcomeOf(message, pending.outgoing);
    this.#settle(port, id, pending, outcome);
  }

  #settle(port: Port, id: number, { onOutcome }: Pending, outcome: Outcome): void {
    port.pending.delete(id);
    if (port.pending.size === 0 && this.#retired.delete(port)) close(port);
    onOutcome(outcome);
  }

  /** Nothing more comes through it. */
  #fail(port: Port, reason: string): void {
    this.#drop(port);
    this.#retired.delete(port);
    close(port);
    const open = [...port.pending.values()];
    port.pending.clear();
    for (const { onOutcome } of open) onOutcome({ kind: "failed", reason });
  }
}

function close(port: Port): void {
  if (port.isClosed) return;
  port.isClosed = true;
  port.socket.close();
}
