/**
 * What a control plane has, and has sent to each proxy.
 */
import type { Bundle } from "../../beside/bundle/bundle.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { fetchHttp } from "../../net/http-client.ts";
import { parseHostPort } from "../../net/host-port.ts";
import type { ControlPlane, ControlPlaneClient, ProxyStatus } from "../control-plane/control-plane.ts";
import { fileName } from "./agent.ts";

/** For the index. */
export interface ControlPlaneFacts {
  readonly address: string;
  readonly identity: ControlPlane | undefined;
  readonly proxies: readonly ProxyStatus[];
}

/** Pages of our own control plane, beside what both doors tell. */
const pages = { "configz.json": "/debug/configz", "metrics.txt": "/metrics" } as const;

const timeoutMs = 10_000;
const maxBytes = 32 * 2 ** 20;

/** How much is asked. */
export interface Asking {
  /** False for one that is reached by its debug interface over ADS. */
  readonly hasPages: boolean;
  /** True once nothing more is to be taken. */
  readonly isFull: () => boolean;
  readonly signal: AbortSignal;
}

/** Below `control-plane`. Never rejects for what does not answer. */
export async function addControlPlane(
  bundle: Bundle,
  client: ControlPlaneClient,
  { hasPages, isFull, signal }: Asking,
): Promise<ControlPlaneFacts> {
  const had = async <T>(name: string, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      const value = await read();
      await bundle.add(`control-plane/${name}`, JSON.stringify(value ?? null, undefined, 2));
      return value;
    } catch (error) {
      bundle.miss(`control-plane/${name}`, errorMessage(error));
      return undefined;
    }
  };
  const identity = await had("version.json", client.identity);
  const proxies = (await had("proxy-status.json", client.proxies)) ?? [];
  const target = hasPages ? parseHostPort(client.address) : undefined;
  for (const [file, url] of Object.entries(target === undefined ? {} : pages))
    if (target !== undefined)
      await bundle.tryAdd(`control-plane/${file}`, async () => {
        const { status, body } = await fetchHttp({ target, url, timeoutMs, maxBytes, signal });
        return status === 200 ? body.toString("utf8") : `HTTP ${status}\n${body.toString("utf8")}`;
      });
  for (const { name } of proxies) {
    const file = `sent/${fileName(name)}.json`;
    if (signal.aborted || isFull()) bundle.miss(`control-plane/${file}`, "not asked: time or room was over");
    else await had(file, () => client.configDump(name));
  }
  return { address: client.address, identity, proxies };
}
