/**
 * Asks our control plane by its pages, on the machine that it runs on.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { listAt, textAt, at } from "../../lifecycle/json-path.ts";
import { fetchHttp } from "../../net/http-client.ts";
import {
  type Column,
  columns,
  type ControlPlane,
  type ControlPlaneClient,
  ControlPlaneError,
  type ProxyStatus,
  type SyncState,
  type TypeStatus,
} from "./control-plane.ts";
import { registriesIn } from "./registries.ts";

const timeoutMs = 10_000;

/** Longest answer that is taken, in bytes. */
const maxBytes = 256 * 2 ** 20;

/** Asks the pages on that port. */
export function pagesClient(
  { host, port }: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): ControlPlaneClient {
  const address = `${host}:${port}`;
  const ask = async (url: string): Promise<unknown> => {
    try {
      const { status, body } = await fetchHttp({ target: { host, port }, url, timeoutMs, maxBytes, signal });
      if (status === 404 && url.startsWith("/debug/config_dump")) return undefined;
      if (status !== 200) throw new Error(`status ${status}: ${body.toString("utf8").trim()}`);
      return JSON.parse(body.toString("utf8"));
    } catch (error) {
      throw new ControlPlaneError(
        `the control plane on ${address} did not answer ${url}: ${errorMessage(error)}. Its --httpPort is what ` +
          "--http-address names; one on another machine is asked with --xds-address",
        { cause: error },
      );
    }
  };
  const identity = async (): Promise<ControlPlane> => {
    const answer = await ask("/version");
    return { id: textAt(answer, "id") ?? address, version: textAt(answer, "version") ?? "unknown" };
  };
  return {
    address,
    identity,
    proxies: async () => {
      const [controlPlane, answer] = await Promise.all([identity(), ask("/debug/syncz")]);
      return listAt(answer).map((proxy) => statusOf(proxy, controlPlane));
    },
    registries: async () => registriesIn(listAt(await ask("/debug/configz"), "sources")),
    configDump: (proxy) => ask(`/debug/config_dump?proxyID=${encodeURIComponent(proxy)}`),
  };
}

function statusOf(proxy: unknown, controlPlane: ControlPlane): ProxyStatus {
  const byType = at(proxy, "types") ?? {};
  const types = Object.entries(columns).map(([column, message]): [string, TypeStatus] => {
    const [, sync] = Object.entries(byType).find(([url]) => url.endsWith(`.${message}`)) ?? [];
    return [column, typeStatus(sync)];
  });
  const unhealthy = textAt(proxy, "unhealthy");
  return {
    name: textAt(proxy, "name") ?? "",
    cluster: textAt(proxy, "cluster") ?? "",
    version: textAt(proxy, "version") ?? "",
    controlPlane,
    types: Object.fromEntries(types) as Record<Column, TypeStatus>,
    ...(unhealthy === undefined ? {} : { unhealthy }),
  };
}

function typeStatus(sync: unknown): TypeStatus {
  const [sent = "", acked, reason, since] = ["sentNonce", "ackedNonce", "error", "since"].map((name) =>
    textAt(sync, name),
  );
  const state: SyncState =
    sent === "" ? "NOT SENT" : reason !== undefined ? "ERROR" : sent === acked ? "SYNCED" : "STALE";
  return {
    state,
    ...(since === undefined ? {} : { since }),
    ...(reason === undefined ? {} : { reason }),
  };
}
