/**
 * The upstream servers of the moment, what is thought of each, and in which order a query asks them.
 */
import { formatHostPort } from "../../net/host-port.ts";
import type { ResolverConfig, ResolverOptions, Upstream } from "./resolv-conf.ts";
import { planTries, type TryPlan } from "./try-order.ts";
import type { UdpExchange } from "./udp-exchange.ts";

/** One of them. Where the servers change there are new ones, which know nothing. */
export interface Server {
  readonly upstream: Upstream;
  /** `10.0.0.10:53` */
  readonly key: string;
  /** False once the servers have changed. */
  isKnown: boolean;
  /** Asked last until then, on the clock of `performance.now()`. */
  suspectUntil: number;
  /** It gives names back in lower case, whatever it was asked: it is asked so. */
  isLowerCasing: boolean;
  /** Its sockets, once it was asked. */
  exchange: UdpExchange | undefined;
}

/** How long one that did not answer is asked last, in milliseconds. */
const suspicionMs = 10_000;

/** Servers in use. */
export class Servers {
  readonly all: readonly Server[];
  readonly options: ResolverOptions;
  readonly #withinMs: number;
  /** The plans while nobody is suspected, by the server that they begin with: they depend on nothing else. */
  readonly #plans: (TryPlan<Server> | undefined)[] = [];
  #suspicionUntil = 0;
  #turn = 0;

  /** @param withinMs the longest that a client waits */
  constructor({ servers, options }: Pick<ResolverConfig, "servers" | "options">, withinMs: number) {
    this.options = options;
    this.#withinMs = withinMs;
    this.all = servers.map((upstream) => ({
      ...{ upstream, key: formatHostPort(upstream), isKnown: true, suspectUntil: 0, isLowerCasing: false },
      exchange: undefined,
    }));
  }

  /** Take over the sockets of those from before that are still there; those of the others are to be closed. */
  succeed(before: Servers): readonly UdpExchange[] {
    const gone: UdpExchange[] = [];
    for (const old of before.all) {
      old.isKnown = false;
      const heir = this.all.find(({ key }) => key === old.key);
      if (heir !== undefined) heir.exchange = old.exchange;
      else if (old.exchange !== undefined) gone.push(old.exchange);
    }
    return gone;
  }

  /** The plan of the next query, at this time. */
  plan(now: number): TryPlan<Server> {
    this.#turn += 1;
    const start = this.options.rotate && this.all.length > 0 ? this.#turn % this.all.length : 0;
    if (now < this.#suspicionUntil) return this.#planFrom(start, (one) => one.suspectUntil > now);
    return (this.#plans[start] ??= this.#planFrom(start, () => false));
  }

  /** It did not answer. */
  suspect(server: Server, now: number): void {
    server.suspectUntil = now + suspicionMs;
    this.#suspicionUntil = now + suspicionMs;
  }

  #planFrom(start: number, isSuspect: (one: Server) => boolean): TryPlan<Server> {
    return planTries({ servers: this.all, options: this.options }, isSuspect, start, this.#withinMs);
  }
}
