/**
 * What proxies are pushed: a row per type. One more type is a file that generates its resources, and a row.
 */
import type { DescMessage, MessageJsonType } from "@bufbuild/protobuf";
import { ClusterSchema } from "../../proto/envoy/envoy/config/cluster/v3/cluster_pb.js";
import { ClusterLoadAssignmentSchema } from "../../proto/envoy/envoy/config/endpoint/v3/endpoint_pb.js";
import { TypedExtensionConfigSchema } from "../../proto/envoy/envoy/config/core/v3/extension_pb.js";
import { ListenerSchema } from "../../proto/envoy/envoy/config/listener/v3/listener_pb.js";
import { RouteConfigurationSchema } from "../../proto/envoy/envoy/config/route/v3/route_pb.js";
import { SecretSchema } from "../../proto/envoy/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import { typeUrl } from "../../xds/type-urls.ts";
import { generateClusters, generateOwnClusters } from "./cds.ts";
import { generateEndpoints } from "./eds.ts";
import { decoderOf, encoderOf } from "./encode.ts";
import { generateExtensions } from "./extensions/ecds.ts";
import { generateSecrets } from "./gateway/secrets.ts";
import { generateListeners, generateOwnListeners } from "./lds.ts";
import { encodeNameTable, generateNameTables } from "./nds.ts";
import { encodeTrustBundle, generateTrustBundles } from "./pcds.ts";
import { generateRoutes } from "./rds.ts";
import type { ProxyView, WholeView, WorkloadView } from "./view.ts";

/** A resource before it is encoded, in protobuf's JSON form. */
export interface GeneratedResource {
  readonly name: string;
  readonly json: object;
}

/** A type of resource. */
export interface PushedType {
  readonly typeUrl: string;
  /** What messages call one of its resources. */
  readonly kind: string;
  /** Every resource that all proxies are to have that call like this one. */
  readonly generate: (view: ProxyView) => readonly GeneratedResource[];
  /** Those for the proxy's own workload; of two with one name they are the ones that count. */
  readonly generateOwn: (view: WorkloadView) => readonly GeneratedResource[];
  /**
   * @param only the field that counts, where it is a part of a resource
   * @throws Error that names the fields which do not fit, or which Envoy would refuse
   */
  readonly encode: (json: object, only?: string) => Uint8Array;
  /** Back, with the field names that Envoy prints; undefined for what Envoy does not show. */
  readonly decode?: (bytes: Uint8Array) => object;
  /** What is sent in place of a resource that cannot be encoded, where Envoy would wait for it. */
  readonly instead?: (name: string) => object;
  /** The field that holds what belongs to single services, where a resource is made of many. */
  readonly parts?: string;
  /** True where one part would take what is meant for another that is missing: then all are sent or none. */
  readonly partsGoTogether?: boolean;
}

/** Every resource of a type that one proxy is to have. Equal views give equal resources. */
export function resourcesOf(type: PushedType, view: WholeView): readonly GeneratedResource[] {
  const own = type.generateOwn(view.workload);
  const names = new Set(own.map(({ name }) => name));
  return [...own, ...type.generate(view).filter(({ name }) => !names.has(name))];
}

/** In the order in which they are pushed: what is referred to comes first. */
export const pushedTypes = {
  cluster: pushedType("cluster", ClusterSchema, {
    typeUrl: typeUrl.cluster,
    generate: generateClusters,
    generateOwn: generateOwnClusters,
    nameOf: ({ name }) => name,
  }),
  endpoint: pushedType("endpoint", ClusterLoadAssignmentSchema, {
    typeUrl: typeUrl.endpoint,
    generate: generateEndpoints,
    nameOf: ({ clusterName }) => clusterName,
    instead: (clusterName) => ({ clusterName }),
  }),
  secret: withoutDecoder(
    pushedType("secret", SecretSchema, {
      typeUrl: typeUrl.secret,
      generate: generateSecrets,
      nameOf: ({ name }) => name,
    }),
  ),
  extension: withoutDecoder(
    pushedType("extension", TypedExtensionConfigSchema, {
      typeUrl: typeUrl.extension,
      generate: () => [],
      generateOwn: generateExtensions,
      nameOf: ({ name }) => name,
    }),
  ),
  listener: pushedType("listener", ListenerSchema, {
    typeUrl: typeUrl.listener,
    generate: generateListeners,
    generateOwn: generateOwnListeners,
    nameOf: ({ name }) => name,
    parts: "filterChains",
    partsGoTogether: true,
  }),
  route: pushedType("route", RouteConfigurationSchema, {
    typeUrl: typeUrl.route,
    generate: generateRoutes,
    nameOf: ({ name }) => name,
    parts: "virtualHosts",
  }),
  nameTable: {
    typeUrl: typeUrl.nameTable,
    kind: "nameTable",
    // There is one at most, and nobody asks for it by name.
    generate: (view) => generateNameTables(view).map((json) => ({ name: "", json })),
    generateOwn: () => [],
    encode: encodeNameTable,
  },
  proxyConfig: {
    typeUrl: typeUrl.proxyConfig,
    kind: "proxyConfig",
    generate: (view) => generateTrustBundles(view).map((json) => ({ name: "", json })),
    generateOwn: () => [],
    encode: encodeTrustBundle,
  },
} as const satisfies Readonly<Record<string, PushedType>>;

/** Kinds of resources that are pushed. */
export type ResourceKind = keyof typeof pushedTypes;

/** A resource as Envoy prints it; without content where it is shown to nobody. */
export function decodedOf(typeUrl: string, bytes: Uint8Array): object {
  const type: PushedType | undefined = Object.values(pushedTypes).find((one) => one.typeUrl === typeUrl);
  return type?.decode?.(bytes) ?? {};
}

/** What is shown to nobody. */
function withoutDecoder({ decode: _decode, ...type }: PushedType): PushedType {
  return type;
}

function pushedType<Desc extends DescMessage>(
  kind: string,
  schema: Desc,
  row: {
    readonly typeUrl: string;
    readonly generate: (view: ProxyView) => readonly MessageJsonType<Desc>[];
    readonly generateOwn?: (view: WorkloadView) => readonly MessageJsonType<Desc>[];
    readonly nameOf: (json: MessageJsonType<Desc>) => string | undefined;
    readonly parts?: string;
    readonly partsGoTogether?: boolean;
    readonly instead?: (name: string) => object;
  },
): PushedType {
  const { generate, generateOwn = () => [], nameOf, ...rest } = row;
  const named = (list: readonly MessageJsonType<Desc>[]): readonly GeneratedResource[] =>
    list.map((json) => ({ name: nameOf(json) ?? "", json: json as object }));
  return {
    ...rest,
    kind,
    generate: (view) => named(generate(view)),
    generateOwn: (view) => named(generateOwn(view)),
    encode: encoderOf(schema),
    decode: decoderOf(schema),
  };
}
