/**
 * A client of one Envoy's admin interface, on its Unix socket (Envoy's administration documentation).
 */
import { at, listAt, textAt } from "../../lifecycle/json-path.ts";
import { fetchHttp } from "../../net/http-client.ts";
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

/** What the supervisor asks of an Envoy. Every call has a deadline and rejects when it passes. */
export class EnvoyAdmin {
  readonly socketPath: string;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** Statistics whose name matches `filter`, an RE2 expression. */
  async stats(filter: string, timeoutMs = 1_000): Promise<Stats> {
    return parseStats(
      await this.#ask("GET", `/stats?usedonly&filter=${encodeURIComponent(filter)}`, timeoutMs),
    );
  }

  /** Version, state and epoch. */
  async serverInfo(): Promise<ServerInfo> {
    const info: unknown = JSON.parse(await this.#ask("GET", "/server_info", 1_000));
    const version = textAt(info, "version") ?? "";
    const epoch = at(info, "command_line_options", "restart_epoch");
    return {
      version: version.split("/")[1] ?? version,
      state: textAt(info, "state") ?? "",
      restartEpoch: typeof epoch === "number" ? epoch : 0,
      hotRestartVersion: textAt(info, "hot_restart_version") ?? "",
    };
  }

  /** The active and the static listeners. */
  async listeners(): Promise<readonly ListenerFacts[]> {
    const [fixed, dynamic] = await Promise.all([
      this.configDump("static_listeners"),
      this.configDump("dynamic_listeners"),
    ]);
    return readListeners([...fixed, ...dynamic]);
  }

  /** One repeated field of the configuration dump, such as `dynamic_listeners`. */
  async configDump(resource: string): Promise<readonly unknown[]> {
    const dump: unknown = JSON.parse(await this.#ask("GET", `/config_dump?resource=${resource}`, 5_000));
    return listAt(dump, "configs");
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
    const response = await fetchHttp({ target: { path: this.socketPath }, method, url, timeoutMs });
    const body = response.body.toString("utf8");
    if (response.status !== 200)
      throw new Error(`Envoy's admin answered ${response.status} to ${url}: ${body.trim()}`);
    return body;
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
