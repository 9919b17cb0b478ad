/**
 * A stream to the discovery server with a connection of its own.
 */
import { type ByteStream, type CallMetadata, GrpcChannel } from "../../grpc/channel.ts";
import { readServerTrust, type ServerDescription } from "../../grpc/server-trust.ts";
import type { UpstreamOptions } from "./options.ts";

const service = "envoy.service.discovery.v3.AggregatedDiscoveryService";

/** Path of a method of ADS. */
export function adsPath(method: string): string {
  return `/${service}/${method}`;
}

/** Name of ADS, for the server side. */
export const adsService: string = service;

/** An open stream; disposing ends it and its connection. */
export interface UpstreamStream extends Disposable {
  readonly stream: ByteStream;
}

/** The discovery server in an operator's words. */
export function describeDiscoveryServer(options: UpstreamOptions): ServerDescription {
  return {
    name: "the discovery server",
    address: options.address,
    tls: options.tls,
    rootSetting: "XDS_ROOT_CA",
    addressSetting: "discoveryAddress in ProxyConfig",
  };
}

/**
 * Open a stream. The root is read anew, because it is replaced while the agent runs.
 *
 * @param token undefined sends none
 * @throws RootFileError
 */
export function openUpstream(
  options: UpstreamOptions,
  method: string,
  token: string | undefined,
): UpstreamStream {
  const tls = readServerTrust(describeDiscoveryServer(options));
  const channel = new GrpcChannel({ address: options.address, tls });
  const metadata: CallMetadata = {
    ...options.headers,
    ...(options.clusterId === undefined ? {} : { clusterid: options.clusterId }),
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  const stream = channel.stream(adsPath(method), metadata);
  return {
    stream,
    [Symbol.dispose]: () => {
      stream.cancel();
      channel[Symbol.dispose]();
    },
  };
}
