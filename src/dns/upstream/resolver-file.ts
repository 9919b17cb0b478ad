/**
 * The file that names the upstreams, followed as it changes: container runtimes, VPNs and DHCP clients rewrite it.
 */
import { FileFollower } from "../../files/file-follower.ts";
import { readRegularText } from "../../files/read-regular-file.ts";
import type { Logger } from "../../telemetry/log.ts";
import { formatHostPort } from "../../net/host-port.ts";
import { dottedName } from "../wire/name.ts";
import { parseResolvConf, type ResolverConfig } from "./resolv-conf.ts";

/** Reads the first of some files that is there. */
export class ResolverFile {
  readonly #path: string;
  readonly #port: number;
  readonly #log: Logger;
  #current: ResolverConfig;

  /** @param paths the last one counts where none is there */
  constructor(paths: readonly string[], port: number, log: Logger) {
    this.#port = port;
    this.#log = log;
    const readable = paths.find((path) => textOf(path) !== undefined);
    this.#path = readable ?? paths.at(-1) ?? "/etc/resolv.conf";
    this.#current = parseResolvConf(textOf(this.#path) ?? "", port);
    this.#tell("upstream servers for names that are not in the mesh");
  }

  get current(): ResolverConfig {
    return this.#current;
  }

  /**
   * Follow the file until `signal` aborts. One that names no server changes nothing: it is on its way to something else,
   * or was emptied by mistake, and what served serves on.
   */
  async run(onChange: () => void, signal: AbortSignal): Promise<void> {
    const follower = new FileFollower(
      () => [this.#path],
      (texts) => {
        const content = texts.get(this.#path);
        if (content?.kind !== "read") return;
        const read = parseResolvConf(content.text, this.#port);
        if (JSON.stringify(read) === JSON.stringify(this.#current)) return;
        if (read.servers.length === 0 && this.#current.servers.length > 0) {
          this.#log.warn("the resolver's file names no server: those from before stay", { path: this.#path });
          return;
        }
        this.#current = read;
        this.#tell("the upstream servers have changed");
        onChange();
      },
    );
    await follower.run(signal);
  }

  #tell(what: string): void {
    const { servers, search } = this.#current;
    this.#log.info(what, {
      path: this.#path,
      servers: servers.map(formatHostPort).join(" "),
      search: search.map(dottedName).join(" "),
    });
  }
}

function textOf(path: string): string | undefined {
  try {
    return readRegularText(path);
  } catch {
    return undefined;
  }
}
