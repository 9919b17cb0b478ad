/**
 * A client of one Envoy's admin interface (Envoy's administration documentation).
 */
import { at, listAt, textAt } from "../../lifecycle/json-path.ts";
import { fetchHttp, type HttpRequest } from "../../net/http-client.ts";
import { type PlainAnswer, plainGet } from "../../net/plain-get.ts";
import { clusterUpdateStats, heldClusterFields, type HeldClusters, heldClusters } from "./held-clusters.ts";
import { type ListenerFacts, readListeners } from "./listeners.ts";

/** Numbers of Envoy by statistic name; a statistic that was never used is missing. */
export type Stats = ReadonlyMap<string, number>;

/** What an Envoy says of itself. */
export interface ServerInfo {
  /** Such as `1.40.0`. */
  readonly version: string;
  /** `LIVE`, `DRAINING`, `PRE_INITIALIZING` or `INITIALIZING`. */
  readonly state: string;
  readonly restartEpoch: number;
  /** Envoys of different ones cannot hand over to each other. */
  readonly hotRestartVersion: string;
}

/** A certificate of Envoy's `/certs` (envoy.admin.v3.CertificateDetails). */
export interface EnvoyCertificate {
  readonly serial_number?: string;
  readonly subject_alt_names?: readonly { readonly uri?: string; readonly dns?: string }[];
  readonly valid_from?: string;
  readonly expiration_time?: string;
}

/** Envoy's `/certs` (envoy.admin.v3.Certificates): one entry for each TLS context. */
export interface EnvoyCertificates {
  readonly certificates?: readonly {
    readonly ca_cert?: readonly EnvoyCertificate[];
    readonly cert_chain?: readonly EnvoyCertificate[];
  }[];
}

/** Another answer than 200: of Envoy, or of an agent that says why no Envoy answers. */
export class AdminStatusError extends Error {
  override readonly name = "AdminStatusError";
  readonly status: number;
  readonly body: string;

  constructor(status: number, url: string, body: string) {
    super(`Envoy's admin answered ${status} to ${url}: ${body}`);
    this.status = status;
    this.body = body;
  }
}

/** Asks one Envoy. Every call has a deadline and rejects when it passes, or with an AdminStatusError. */
export class AdminClient {
  readonly #target: HttpRequest["target"];

  constructor(target: HttpRequest["target"]) {
    this.#target = target;
  }

  /** Statistics whose name matches `filter`, an RE2 expression. */
  async stats(filter: string, timeoutMs = 1_000): Promise<Stats> {
    const url = `/stats?usedonly&filter=${encodeURIComponent(filter)}`;
    return parseStats(bodyOf(await plainGet(this.#target, url, timeoutMs), url));
  }

  /** Version, state and epoch. */
  async serverInfo(timeoutMs = 1_000): Promise<ServerInfo> {
    const info: unknown = JSON.parse(await this.#ask("GET", "/server_info", timeoutMs));
    const version = textAt(info, "version") ?? "";
    const epoch = at(info, "command_line_options", "restart_epoch");
    return {
      version: version.split("/")[1] ?? version,
      state: textAt(info, "state") ?? "",
      restartEpoch: typeof epoch === "number" ? epoch : 0,
      hotRestartVersion: textAt(info, "hot_restart_version") ?? "",
    };
  }

  /** What it has of TLS certificates. */
  async certificates(timeoutMs: number): Promise<EnvoyCertificates> {
    return JSON.parse(await this.#ask("GET", "/certs", timeoutMs)) as EnvoyCertificates;
  }

  /** The active and the static listeners. */
  async listeners(timeoutMs?: number): Promise<readonly ListenerFacts[]> {
    const [fixed, dynamic] = await Promise.all([
      this.configDump("static_listeners", timeoutMs),
      this.configDump("dynamic_listeners", timeoutMs),
    ]);
    return readListeners([...fixed, ...dynamic]);
  }

  /** Clusters of the control plane that keep Envoy from asking for its listeners. */
  async heldClusters(): Promise<HeldClusters> {
    const [stats, active, warming] = await Promise.all([
      this.stats(clusterUpdateStats),
      this.configDump("dynamic_active_clusters", 1_000, heldClusterFields),
      this.configDump("dynamic_warming_clusters", 1_000, heldClusterFields),
    ]);
    return heldClusters(stats, [...active, ...warming]);
  }

  /**
   * One repeated field of the configuration dump, such as `dynamic_listeners`.
   *
   * @param fields the only ones of its elements that are wanted; undefined wants all
   */
  async configDump(
    resource: string,
    timeoutMs = 5_000,
    fields?: readonly string[],
  ): Promise<readonly unknown[]> {
    const mask = fields === undefined ? "" : `&mask=${fields.join(",")}`;
    const path = `/config_dump?resource=${resource}${mask}`;
    const dump: unknown = JSON.parse(await this.#ask("GET", path, timeoutMs));
    return listAt(dump, "configs");
  }

  /** Its clusters and their endpoints with their counts, as JSON of a shape that nobody has promised. */
  async clusters(timeoutMs: number): Promise<unknown> {
    return JSON.parse(await this.#ask("GET", "/clusters?format=json", timeoutMs));
  }

  /** Elements of a repeated field of the dump that are called `name`; endpoints are there as well. */
  async dumpOf(resource: string, name: string, timeoutMs: number): Promise<readonly unknown[]> {
    const regex = encodeURIComponent(`^${name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}$`);
    const path = `/config_dump?include_eds&resource=${resource}&name_regex=${regex}`;
    return listAt(JSON.parse(await this.#ask("GET", path, timeoutMs)), "configs");
  }

  /** Begin a graceful drain: responses ask clients to close, and new connections are still taken. */
  async drainListeners(options: {
    readonly inboundOnly: boolean;
    readonly skipExit: boolean;
  }): Promise<void> {
    const query = [
      "graceful",
      ...(options.inboundOnly ? ["inboundonly"] : []),
      ...(options.skipExit ? ["skip_exit"] : []),
    ];
    await this.#ask("POST", `/drain_listeners?${query.join("&")}`, 2_000);
  }

  /** Close and open the log files again, after they were rotated. */
  async reopenLogs(): Promise<void> {
    await this.#ask("POST", "/reopen_logs", 2_000);
  }

  async #ask(method: string, url: string, timeoutMs: number): Promise<string> {
    return bodyOf(await fetchHttp({ target: this.#target, method, url, timeoutMs }), url);
  }
}

/** @throws AdminStatusError */
function bodyOf({ status, body }: PlainAnswer, url: string): string {
  const text = body.toString("utf8");
  if (status !== 200) throw new AdminStatusError(status, url, text.trim());
  return text;
}

/** The admin interface of one generation, on its own Unix socket. */
export class EnvoyAdmin extends AdminClient {
  readonly socketPath: string;

  constructor(socketPath: string) {
    super({ path: socketPath });
    this.socketPath = socketPath;
  }
}

/** Lines of `name: number`; histograms and text are left out. */
export function parseStats(text: string): Stats {
  const stats = new Map<string, number>();
  for (const line of text.split("\n")) {
    const match = /^(.+): (\d+)$/.exec(line);
    if (match?.[1] !== undefined) stats.set(match[1], Number(match[2]));
  }
  return stats;
}
