/**
 * Asks a control plane, istiod's or ours, by its debug interface over ADS, as `istioctl --xds-address` does.
 */
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { GrpcChannel, type CallMetadata, type ChannelOptions } from "../../grpc/channel.ts";
import { GrpcError } from "../../grpc/grpc-error.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { listAt, textAt } from "../../lifecycle/json-path.ts";
import { Deadline } from "../../lifecycle/timer.ts";
import {
  type ClientConfig,
  type ClientConfig_GenericXdsConfig,
  ClientConfigSchema,
  ConfigStatus,
} from "../../proto/envoy/envoy/service/status/v3/csds_pb.js";
import {
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "../../proto/envoy/envoy/service/discovery/v3/discovery_pb.js";
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

const method = "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources";
const timeoutMs = 15_000;

/** istiod answers no type of node but those of proxies; an identity of its namespace asks. */
const nodeId = "sidecar~0.0.0.0~outriderctl.istio-system~istio-system.svc.cluster.local";

const states: Readonly<Partial<Record<ConfigStatus, SyncState>>> = {
  [ConfigStatus.NOT_SENT]: "NOT SENT",
  [ConfigStatus.SYNCED]: "SYNCED",
  [ConfigStatus.STALE]: "STALE",
  [ConfigStatus.ERROR]: "ERROR",
};

/** Asks on a stream per question. @param metadata proves who asks */
export function xdsClient(
  options: ChannelOptions,
  metadata: CallMetadata,
  stop: AbortSignal,
): ControlPlaneClient {
  const { address } = options;
  const ask = async (typeUrl: string, names: readonly string[] = []): Promise<DiscoveryResponse> => {
    using channel = new GrpcChannel(options);
    using deadline = new Deadline(timeoutMs);
    const stream = channel.stream(method, metadata);
    const cancel = (): void => {
      stream.cancel();
    };
    const signal = AbortSignal.any([deadline.signal, stop]);
    signal.addEventListener("abort", cancel, { once: true });
    try {
      const request = create(DiscoveryRequestSchema, {
        node: { id: nodeId },
        typeUrl,
        resourceNames: [...names],
      });
      stream.enqueue(toBinary(DiscoveryRequestSchema, request));
      for await (const message of stream) return fromBinary(DiscoveryResponseSchema, message);
      throw new Error("the stream ended without an answer");
    } catch (error) {
      const reason = deadline.signal.aborted
        ? `no answer within ${timeoutMs / 1_000} s`
        : errorMessage(error);
      throw new ControlPlaneError(
        `the control plane on ${address} did not answer ${typeUrl}: ${reason}${remedy(error)}`,
        { cause: error },
      );
    } finally {
      signal.removeEventListener("abort", cancel);
      stream.cancel();
    }
  };
  const identityOf = ({ controlPlane }: DiscoveryResponse): ControlPlane => {
    const identifier = parsed(controlPlane?.identifier ?? "");
    return {
      id: textAt(identifier, "ID") ?? address,
      version: textAt(identifier, "Info", "version") ?? "unknown",
    };
  };
  const proxies = async (): Promise<readonly ProxyStatus[]> => {
    const response = await ask("istio.io/debug/syncz");
    const controlPlane = identityOf(response);
    return response.resources
      .map(({ value }) => statusOf(fromBinary(ClientConfigSchema, value), controlPlane))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  };
  const page = async (name: string): Promise<unknown> => {
    const { resources } = await ask("istio.io/debug", [name]);
    return parsed(Buffer.from(resources[0]?.value ?? []).toString("utf8"));
  };
  return {
    address,
    proxies,
    registries: async () => {
      try {
        return registriesIn(listAt(await page("sources")));
      } catch (error) {
        // An outrider of before has no such page; istiod answers with a page of its own.
        if (error instanceof ControlPlaneError && isUnknownPage(error.cause)) return [];
        throw error;
      }
    },
    identity: async () => identityOf(await ask("istio.io/debug/syncz")),
    configDump: (proxy) => page(`config_dump?proxyID=${encodeURIComponent(proxy)}`),
  };
}

function isUnknownPage(error: unknown): boolean {
  return error instanceof GrpcError && error.code === "INVALID_ARGUMENT";
}

/** What to do about a failure, where that is known. */
function remedy(error: unknown): string {
  switch (error instanceof GrpcError ? error.code : undefined) {
    case "UNAUTHENTICATED":
    case "PERMISSION_DENIED":
      return ". Whoever asks needs an identity of istiod's namespace: --cert-dir or --token-file";
    case "UNAVAILABLE":
      return ". Whether it is there and how its TLS is taken: --xds-address, --ca-file, --authority, --plaintext";
    default:
      return "";
  }
}

/** Undefined for what is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function statusOf({ node, genericXdsConfigs }: ClientConfig, controlPlane: ControlPlane): ProxyStatus {
  const types = Object.entries(columns).map(([column, message]): [string, TypeStatus] => {
    const config = genericXdsConfigs.find(({ typeUrl }) => typeUrl.endsWith(`.${message}`));
    return [column, config === undefined ? { state: "NOT SENT" } : typeStatus(config)];
  });
  return {
    name: node?.id ?? "",
    cluster: textAt(node?.metadata, "CLUSTER_ID") ?? "",
    version: textAt(node?.metadata, "ISTIO_VERSION") ?? "",
    controlPlane,
    types: Object.fromEntries(types) as Record<Column, TypeStatus>,
  };
}

function typeStatus({ configStatus, lastUpdated, errorState }: ClientConfig_GenericXdsConfig): TypeStatus {
  return {
    state: states[configStatus] ?? "UNKNOWN",
    ...(lastUpdated === undefined ? {} : { since: timestampDate(lastUpdated).toISOString() }),
    ...(errorState === undefined ? {} : { reason: errorState.details }),
  };
}
