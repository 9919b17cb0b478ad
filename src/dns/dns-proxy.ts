/**
 * The DNS proxy: what the mesh's name table knows is answered from it, all else goes to the upstream servers.
 */
import { randomBytes } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { errorCode, errorMessage } from "../lifecycle/error-message.ts";
import { sleep } from "../lifecycle/sleep.ts";
import { type ReadonlyWatch, Watch } from "../lifecycle/watch.ts";
import { formatHostPort } from "../net/host-port.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { AnswerCache } from "./answer/answer-cache.ts";
import { Answerer } from "./answer/answerer.ts";
import { isOwnPlace, type Place, placesOf } from "./listen-places.ts";
import { dnsMetrics } from "./metrics.ts";
import type { DnsOptions, ListenPlace } from "./options.ts";
import { TcpServer } from "./serve/tcp-server.ts";
import { UdpServer } from "./serve/udp-server.ts";
import type { RecordType } from "dns-packet";
import type { Explanation } from "./report/explanation.ts";
import type { NameInfo } from "./table/name-info.ts";
import type { NameTable } from "./table/name-table.ts";
import { readNameTable } from "./table/read-table.ts";
import { Forwarder } from "./upstream/forwarder.ts";
import { ResolverFile } from "./upstream/resolver-file.ts";

/** What it works with. */
export interface DnsDependencies {
  readonly log: Logger;
  /** With the prefix that all of the agent's have. */
  readonly metrics: Metrics;
}

/** What came of a pushed table. */
export type TakenTable =
  { readonly kind: "accepted" } | { readonly kind: "refused"; readonly reason: string };

/** Where traffic capture sends queries. */
const usualPort = 15_053;

/** A server that is bound when `listen` resolves. */
export class DnsProxy implements AsyncDisposable {
  readonly #options: DnsOptions;
  readonly #log: Logger;
  readonly #file: ResolverFile;
  readonly #table = new Watch<NameTable | undefined>(undefined);
  readonly #stack = new AsyncDisposableStack();
  readonly #cache: AnswerCache;
  readonly #forwarder: Forwarder;
  readonly #answerer: Answerer;
  readonly #places: Place[] = [];
  #isGateOver: boolean;
  /** How many tables came, and which of them is the one of now. */
  #came = 0;
  #inForce = 0;
  #keptAsOf: Date | undefined;
  #unsent = 0;
  #isLoopTold = false;

  private constructor(options: DnsOptions, { log, metrics }: DnsDependencies) {
    this.#options = options;
    this.#log = log;
    this.#file = new ResolverFile(options.resolvConfPaths, options.upstreamPort, log);
    this.#isGateOver = options.gateMs === 0;
    this.#cache = new AnswerCache({ entries: options.cacheEntries, staleMs: options.serveStaleMs });
    const counted = dnsMetrics(metrics, {
      table: () => this.#table.current,
      openQueries: () => this.#answerer.open,
      cachedAnswers: () => this.#cache.size,
      unsent: () => this.#unsent,
    });
    this.#forwarder = this.#stack.use(
      new Forwarder(options, {
        config: () => this.#file.current,
        isOwn: (upstream) => isOwnPlace(upstream, this.#places),
        asked: counted.asked,
        rejected: counted.rejected,
      }),
    );
    this.#answerer = new Answerer(
      {
        style: { ttl: options.ttlSeconds, random: options.shuffles ? Math.random : undefined },
        serverId: `outrider ${randomBytes(8).toString("hex")}`,
        clientQueries: options.clientQueries,
      },
      {
        ...{ table: this.#table, forwarder: this.#forwarder, cache: this.#cache },
        config: () => this.#file.current,
        isGated: () => !this.#isGateOver,
        answered: (source) => {
          counted.answered(source);
          if (source === "loop") this.#tellLoop();
        },
      },
    );
  }

  /** @throws the system error when an address cannot be bound */
  static async listen(options: DnsOptions, deps: DnsDependencies): Promise<DnsProxy> {
    const proxy = new DnsProxy(options, deps);
    try {
      await proxy.#bind();
    } catch (error) {
      await proxy[Symbol.asyncDispose]();
      throw error;
    }
    return proxy;
  }

  /** Undefined until the first one came. */
  get table(): ReadonlyWatch<NameTable | undefined> {
    return this.#table;
  }

  /** When the control plane last stood behind the table, where that is one of an earlier life; else undefined. */
  get keptAsOf(): Date | undefined {
    return this.#keptAsOf;
  }

  /** Every host of the table as it was sent; undefined while there is none. */
  infos(): Iterable<NameInfo> | undefined {
    return this.#table.current?.infos();
  }

  /** How a name is answered; undefined for one that cannot be asked for. */
  async explain(name: string, type: RecordType): Promise<Explanation | undefined> {
    const { explainName } = await import("./report/explanation.ts");
    return explainName(name, type, {
      ...{ table: this.#table.current, keptAsOf: this.#keptAsOf, config: this.#file.current },
      servers: this.#forwarder.servers.map(formatHostPort),
      forward: (question) => this.#forwarder.forward(question),
    });
  }

  /** Where it listens. */
  get places(): readonly Place[] {
    return this.#places;
  }

  /**
   * A table from the control plane, which takes the place of the one before; undefined is an empty one. It is read in
   * pieces, in between which queries are answered. Of two that are read at once the one that came later stays.
   *
   * @param keptAsOf given for one that was kept from an earlier life, and when the control plane last stood behind it: it
   *   serves until the first one comes
   */
  async takeTable(bytes: Uint8Array | undefined, keptAsOf?: Date): Promise<TakenTable> {
    if (keptAsOf === undefined) this.#came += 1;
    const number = keptAsOf === undefined ? this.#came : 0;
    let table: NameTable;
    try {
      table = await readNameTable(bytes ?? new Uint8Array(), this.#options.place, nextTurn);
    } catch (error) {
      return { kind: "refused", reason: `it is no name table: ${errorMessage(error)}` };
    }
    if (number < this.#inForce) return { kind: "accepted" };
    this.#inForce = number;
    const isFirst = this.#table.current === undefined || this.#keptAsOf !== undefined;
    this.#keptAsOf = keptAsOf;
    this.#table.set(table);
    const { hosts, addresses, skipped } = table.facts;
    const facts = { hosts, addresses, ...(skipped === 0 ? {} : { skipped }) };
    if (keptAsOf !== undefined)
      this.#log.warn("the mesh's names are answered from the cache", {
        asOf: keptAsOf.toISOString(),
        ...facts,
      });
    else if (isFirst) this.#log.info("the mesh's names are here", facts);
    else this.#log.debug("the mesh's names have changed", facts);
    return { kind: "accepted" };
  }

  /** Follow the file of the upstream servers, until `signal` aborts. */
  async followServers(signal: AbortSignal): Promise<void> {
    await this.#file.run(() => {
      this.#forwarder.changed();
      this.#answerer.changed();
    }, signal);
  }

  /** Forward everything once the first table has been waited for long enough. */
  async waitForTable(signal: AbortSignal): Promise<void> {
    if (this.#isGateOver) return;
    await sleep(this.#options.gateMs, signal);
    if (signal.aborted) return;
    this.#isGateOver = true;
    if (this.#table.current !== undefined) return;
    this.#log.warn("no name table has come: names of the mesh are not known, all others are forwarded", {
      afterMs: this.#options.gateMs,
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }

  async #bind(): Promise<void> {
    const { listen } = this.#options;
    try {
      await this.#bindTo(listen);
    } catch (error) {
      if (listen.kind !== "every address" || errorCode(error) !== "EACCES") throw error;
      this.#log.warn("only root may listen there: the DNS proxy is on localhost", { port: listen.port });
      await this.#bindTo({ kind: "localhost", port: usualPort });
    }
    // Now it is known which of the servers are this one.
    this.#forwarder.changed();
    this.#log.info("DNS is answered", { on: this.#places.map(formatHostPort).join(" ") });
  }

  async #bindTo(listen: ListenPlace): Promise<void> {
    const unsent = (): void => {
      this.#unsent += 1;
    };
    const unexpected = (error: unknown): void => {
      this.#log.error("a query was ended by an unexpected error", { reason: errorMessage(error) });
    };
    for (const place of placesOf(listen, this.#file.current.servers)) {
      try {
        const tcp = this.#stack.use(await TcpServer.listen(place, this.#answerer, unsent, unexpected));
        const bound = { ...place, port: tcp.port };
        this.#stack.use(await UdpServer.listen(bound, this.#answerer, unsent, unexpected));
        this.#places.push(bound);
      } catch (error) {
        const code = errorCode(error);
        if (!place.isOptional || (code !== "EADDRNOTAVAIL" && code !== "EAFNOSUPPORT")) throw error;
      }
    }
  }

  #tellLoop(): void {
    if (this.#isLoopTold) return;
    this.#isLoopTold = true;
    this.#log.warn(
      "a query of the DNS proxy came back to it: the agent's own traffic is captured, or the upstream sends it here",
      { servers: this.#forwarder.servers.map(formatHostPort).join(" ") },
    );
  }
}
