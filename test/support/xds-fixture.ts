/** The ADS proxy on a socket of its own, and Envoys that a test plays. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { type ByteStream, GrpcChannel } from "../../src/grpc/channel.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import type { ResourceHandlers } from "../../src/xdsproxy/handlers/resource-handler.ts";
import type { UpstreamOptions } from "../../src/xdsproxy/upstream/options.ts";
import type { XdsState } from "../../src/xdsproxy/report/state.ts";
import { XdsProxy, type XdsProxyOptions } from "../../src/xdsproxy/xds-proxy.ts";
import { eventually } from "./eventually.ts";
import { type Inbox, inboxOf } from "./inbox.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { testLog } from "./test-log.ts";
import type { Encoding } from "./xds-messages.ts";

export interface XdsFixture extends AsyncDisposable {
  readonly path: string;
  readonly folder: string;
  readonly proxy: XdsProxy;
  readonly lines: readonly string[];
  readonly metrics: Metrics;
  /** A stream as Envoy opens it, on a connection of its own. */
  envoy(encoding: Encoding): { readonly stream: ByteStream; readonly inbox: Inbox };
  becomes(kind: XdsState["kind"]): Promise<XdsState>;
}

export async function xdsFixture(
  upstream: Partial<UpstreamOptions> & { readonly address: string },
  token?: string | (() => string),
  changes: Partial<XdsProxyOptions> = {},
  handlers: ResourceHandlers = {},
): Promise<XdsFixture> {
  const stack = new AsyncDisposableStack();
  const folder = stack.use(temporaryFolder());
  const path = join(folder.path, "XDS");
  const { log, lines } = testLog();
  const metrics = new Metrics("istio_agent_");
  const proxy = stack.use(
    await XdsProxy.listen(
      {
        path,
        mode: 0o600,
        upstream: { tls: undefined, clusterId: "Kubernetes", headers: {}, ...upstream },
        cache: undefined,
        ...changes,
      },
      { token: () => (typeof token === "function" ? token() : token), log, metrics, handlers },
    ),
  );
  return {
    path,
    folder: folder.path,
    proxy,
    lines,
    metrics,
    envoy: (encoding) => {
      const channel = stack.use(new GrpcChannel({ address: `unix:${path}`, tls: undefined }));
      const stream = channel.stream(
        `/envoy.service.discovery.v3.AggregatedDiscoveryService/${encoding.method}`,
        {},
      );
      stack.defer(() => {
        stream.cancel();
      });
      return { stream, inbox: inboxOf(stream) };
    },
    becomes: (kind) =>
      eventually(
        kind,
        () => {
          assert.equal(proxy.state.current.kind, kind);
          return proxy.state.current;
        },
        { withinMs: 5_000, everyMs: 5 },
      ),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
