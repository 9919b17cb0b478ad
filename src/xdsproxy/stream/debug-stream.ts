/**
 * A stream on which somebody asks the control plane for what it knows: istiod's debug interface, which `istioctl`
 * speaks over ADS.
 *
 * It passes both ways as it is, with the workload's own rights. It is no stream of Envoy: it says nothing about the
 * connection, is never served from the cache, and the agent asks nothing on it.
 */
import type { ByteStream } from "../../grpc/channel.ts";
import type { ServerDescription } from "../../grpc/server-trust.ts";
import type { TaskGroup } from "../../lifecycle/task-group.ts";
import type { UpstreamOptions } from "../upstream/options.ts";
import type { AdsProtocol } from "../../xds/protocol.ts";
import { failureOf, type StreamEnd, statusFor } from "../upstream/stream-end.ts";
import { openUpstream } from "../upstream/upstream.ts";

/** Types of istiod's own, such as `istio.io/debug` and `istio.io/debug/syncz`; those of resources begin otherwise. */
const debugTypes = "istio.io/";

/** What a debug stream is served with. */
export interface DebugStreamDependencies {
  readonly protocol: AdsProtocol;
  readonly client: ByteStream;
  /** Names the stream's task. */
  readonly number: number;
  readonly upstream: UpstreamOptions;
  readonly server: ServerDescription;
  readonly token: string | undefined;
  readonly tasks: TaskGroup;
}

/** True for a stream that begins with this request. */
export function isDebugRequest(protocol: AdsProtocol, request: Uint8Array): boolean {
  try {
    return protocol.readRequest(request).typeUrl.startsWith(debugTypes);
  } catch {
    // Whoever serves the stream finds out.
    return false;
  }
}

/** Serve it to its end. @throws GrpcError with what the control plane said */
export async function serveDebugStream(deps: DebugStreamDependencies, ended: AbortSignal): Promise<void> {
  const { server, token } = deps;
  const end: StreamEnd = { hasAnswered: true, sentToken: token !== undefined };
  try {
    await relay(deps, ended);
  } catch (error) {
    if (ended.aborted) return;
    const failed = { ...end, error };
    // No answer is ever overdue here, so that there is no limit to tell.
    throw statusFor(failed, failureOf(failed, server, 0)) ?? error;
  }
}

async function relay(deps: DebugStreamDependencies, ended: AbortSignal): Promise<void> {
  const { protocol, client, number, upstream: options, token, tasks } = deps;
  using upstream = openUpstream(options, protocol.method, token);
  const { stream } = upstream;
  const cancel = (): void => {
    stream.cancel();
  };
  ended.addEventListener("abort", cancel, { once: true });
  tasks.spawn(`debug-requests-of-stream-${number}`, async () => {
    try {
      for await (const request of client) stream.enqueue(request);
      stream.end();
    } catch {
      stream.cancel();
    }
  });
  try {
    for await (const response of stream) await client.write(response);
  } finally {
    ended.removeEventListener("abort", cancel);
  }
}
