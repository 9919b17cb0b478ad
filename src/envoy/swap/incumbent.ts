/**
 * The Envoy that is to be replaced, as its own agent sees it.
 */
import type { ListenerFacts } from "../admin/listeners.ts";
import type { Generation } from "../generation/generation.ts";
import type { PreparedLaunch } from "../generation/launch.ts";
import { hotRestartObstacle } from "../generation/lineage.ts";
import type { MemoryRoom } from "../inspect/headroom.ts";
import { type HotRestartFacts, whyNotHotCapable } from "../inspect/hot-restart.ts";
import type { Incumbent } from "../inspect/inspect.ts";
import { findUnreadyParts } from "./proof.ts";

/** Which one it is, and what is known without asking it. */
export interface OwnIncumbentOptions {
  readonly generation: Generation;
  /** It has lost its admin interface, or hangs: it is not worth asking. */
  readonly isSilent: boolean;
  /** Its listeners when it was asked last; undefined when it never was. */
  readonly listeners: readonly ListenerFacts[] | undefined;
  /** Memory of the running Envoy and room for another. */
  readonly memory: (envoyPid: number) => MemoryRoom | undefined;
}

/** What a newcomer is compared with. */
export interface Yardstick {
  readonly listeners: readonly ListenerFacts[] | undefined;
  /** What the running Envoy lacks already. */
  readonly faults: readonly string[];
}

/** Where nobody runs, a newcomer must have everything. */
export const noYardstick: Yardstick = { listeners: undefined, faults: [] };

/** Is asked once per look. */
export class OwnIncumbent implements Incumbent {
  readonly #options: OwnIncumbentOptions;
  #seen: Yardstick;

  constructor(options: OwnIncumbentOptions) {
    this.#options = options;
    this.#seen = { listeners: options.listeners, faults: [] };
  }

  /** As it was when its listeners were asked for. */
  get yardstick(): Yardstick {
    return this.#seen;
  }

  /** One that does not answer is replaced on what was known of it before. */
  async listeners(): Promise<readonly ListenerFacts[] | undefined> {
    const { generation, isSilent } = this.#options;
    if (isSilent) return this.#seen.listeners;
    try {
      const { admin } = generation;
      const [listeners, faults] = await Promise.all([admin.listeners(), findUnreadyParts(admin)]);
      this.#seen = { listeners, faults };
    } catch {
      // It has fallen silent.
    }
    return this.#seen.listeners;
  }

  hotRestart(wanted: PreparedLaunch): Omit<HotRestartFacts, "versions"> {
    const { lineage, launch } = this.#options.generation;
    return {
      obstacle: lineage === undefined ? whyNotHotCapable(hotRestartObstacle()) : lineage.obstacle,
      workers: { running: launch.options.concurrency, wanted: wanted.options.concurrency },
      isSameBinary: launch.binary === wanted.binary && launch.binaryIdentity === wanted.binaryIdentity,
    };
  }

  async hotRestartVersion(): Promise<string> {
    return (await this.#options.generation.admin.serverInfo()).hotRestartVersion;
  }

  memory(): MemoryRoom | undefined {
    const { generation, memory } = this.#options;
    return generation.pid === undefined ? undefined : memory(generation.pid);
  }
}
