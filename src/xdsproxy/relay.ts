/**
 * Moves messages between two streams until one of them ends.
 *
 * Responses wait for Envoy to take them. Requests never wait for the server: if both directions waited, a full
 * response path could keep the very acknowledgement from passing that would empty it.
 */
import type { ByteStream } from "../grpc/channel.ts";

/** Looks at what passes. */
export interface Relay {
  readonly onRequest: (message: Uint8Array) => void;
  /** False keeps the response from Envoy. */
  readonly acceptResponse: (message: Uint8Array) => boolean;
}

/** Resolves when the upstream ends well; rejects with its error. The caller cancels `upstream` when Envoy goes away. */
export async function relay(downstream: ByteStream, upstream: ByteStream, observer: Relay): Promise<void> {
  void forwardRequests(downstream, upstream, observer);
  for await (const response of upstream) {
    if (observer.acceptResponse(response)) await downstream.write(response);
  }
}

async function forwardRequests(downstream: ByteStream, upstream: ByteStream, observer: Relay): Promise<void> {
  try {
    for await (const request of downstream) {
      observer.onRequest(request);
      void upstream.write(request);
    }
    upstream.end();
  } catch {
    // Envoy is gone: its end of the stream says why, and the upstream has no use for the reason.
    upstream.cancel();
  }
}
