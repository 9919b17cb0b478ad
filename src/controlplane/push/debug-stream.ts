/**
 * A stream on which somebody asks for what the control plane knows: istiod's debug interface, which `istioctl
 * proxy-status` speaks over ADS. `istio.io/debug/syncz` answers with Envoy's ClientConfig messages,
 * `istio.io/debug` with the page that is named: `syncz`, `config_dump?proxyID=NAME`, or `sources`, which istiod does not have.
 */
import { create, type JsonObject, toBinary } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ByteStream } from "../../grpc/channel.ts";
import { GrpcError } from "../../grpc/grpc-error.ts";
import { NodeSchema } from "../../proto/envoy/envoy/config/core/v3/base_pb.js";
import {
  type ClientConfig_GenericXdsConfig,
  ClientConfig_GenericXdsConfigSchema,
  ClientConfigSchema,
  ConfigStatus,
} from "../../proto/envoy/envoy/service/status/v3/csds_pb.js";
import { typeUrl as types } from "../../xds/type-urls.ts";
import type { Peer } from "../model/bind-proxy.ts";
import { configDumpOf } from "./config-dump.ts";
import type { Page, Request, ServerProtocol } from "./protocol.ts";
import type { ConnectionTable, ProxySync, TypeSync } from "./status.ts";

const debugType = "istio.io/debug";
const sourcesPage = "sources";
const syncType = `${debugType}/syncz`;
const clientConfigType = `type.googleapis.com/${ClientConfigSchema.typeName}`;

/** Types that `proxy-status` has a column for. */
const shown = [types.cluster, types.endpoint, types.listener, types.route, types.extension] as const;

/** Who answers: `identifier` of a response's `control_plane`. */
export interface ControlPlaneIdentity {
  readonly id: string;
  readonly version: string;
}

/** The identity as responses have it, in Istio's form. */
export function identifierOf({ id, version }: ControlPlaneIdentity): string {
  return JSON.stringify({ Component: "outrider", ID: id, Info: { version } });
}

/** What a debug stream is answered from. */
export interface DebugStreamContext {
  readonly connections: ConnectionTable;
  /** Where the configuration comes from, and whether it answers. */
  readonly sources: () => readonly object[];
  readonly peer: Peer;
  /** Whose workloads may ask. */
  readonly rootNamespace: string;
  readonly identity: ControlPlaneIdentity;
}

/** True for a request of istiod's own types; those of resources begin otherwise. */
export function isDebugRequest({ typeUrl }: Request): boolean {
  return typeUrl.startsWith("istio.io/");
}

/**
 * Answer one request; a client's word that it has taken the answer is none.
 *
 * @throws GrpcError PERMISSION_DENIED for whoever has not proven to be of the root namespace, INVALID_ARGUMENT for what
 *   there is not
 */
export async function answerDebug(
  protocol: ServerProtocol,
  stream: ByteStream,
  request: Request,
  { connections, sources, peer, rootNamespace, identity }: DebugStreamContext,
): Promise<void> {
  if (request.nonce !== "") return;
  if (peer.identity?.namespace !== rootNamespace) {
    throw new GrpcError(
      "PERMISSION_DENIED",
      `debug pages are for identities of the namespace ${rootNamespace}, over TLS; on the machine itself ask /debug/syncz`,
    );
  }
  const pages = pagesOf(request, { connections, sources });
  await stream.write(protocol.encodePages(request.typeUrl, pages, identifierOf(identity)));
}

function pagesOf(
  { typeUrl, names }: Request,
  { connections, sources }: Pick<DebugStreamContext, "connections" | "sources">,
): readonly Page[] {
  if (typeUrl === syncType)
    return connections.list().map((sync) => ({ name: sync.name, ...clientConfig(sync) }));
  const [page, ...more] = names;
  const value =
    typeUrl === debugType && page !== undefined && more.length === 0
      ? page === sourcesPage
        ? sources()
        : debugPage(page, connections)
      : undefined;
  if (page !== undefined && value !== undefined)
    return [{ name: page, typeUrl: debugType, bytes: Buffer.from(JSON.stringify(value)) }];
  throw new GrpcError(
    "INVALID_ARGUMENT",
    `there is no debug page of this name: ask ${syncType}, or ${debugType} for the one resource syncz or ` +
      "config_dump?proxyID=NAME of a proxy that is connected",
  );
}

/** The page that `syncz` or `config_dump?proxyID=NAME` names; undefined for what there is not. */
export function debugPage(name: string, connections: ConnectionTable): object | undefined {
  const url = URL.parse(name, "http://localhost/");
  if (url === null) return undefined;
  const { pathname, searchParams } = url;
  if (pathname === "/syncz") return connections.list();
  if (pathname !== "/config_dump") return undefined;
  const resources = connections.resourcesOf(searchParams.get("proxyID") ?? "");
  return resources && configDumpOf(resources);
}

function clientConfig({ name, cluster, version, types: syncs }: ProxySync): Omit<Page, "name"> {
  const [, namespace = ""] = /\.([^.]*)$/.exec(name) ?? [];
  const metadata: JsonObject = { CLUSTER_ID: cluster, NAMESPACE: namespace, ISTIO_VERSION: version };
  const message = create(ClientConfigSchema, {
    node: create(NodeSchema, { id: name, metadata }),
    genericXdsConfigs: shown.map((typeUrl) => genericConfig(typeUrl, syncs[typeUrl])),
  });
  return { typeUrl: clientConfigType, bytes: toBinary(ClientConfigSchema, message) };
}

function genericConfig(typeUrl: string, sync: TypeSync | undefined): ClientConfig_GenericXdsConfig {
  const at = sync === undefined ? undefined : timestampFromDate(new Date(sync.since));
  return create(ClientConfig_GenericXdsConfigSchema, {
    typeUrl,
    configStatus: statusOf(sync),
    ...(at === undefined ? {} : { lastUpdated: at }),
    ...(at === undefined || sync?.error === undefined
      ? {}
      : { errorState: { details: sync.error, lastUpdateAttempt: at } }),
  });
}

function statusOf(sync: TypeSync | undefined): ConfigStatus {
  if (sync === undefined || sync.sentNonce === "") return ConfigStatus.NOT_SENT;
  if (sync.error !== undefined) return ConfigStatus.ERROR;
  return sync.sentNonce === sync.ackedNonce ? ConfigStatus.SYNCED : ConfigStatus.STALE;
}
