/**
 * Moves messages between Envoy and the discovery server, one function for each direction.
 *
 * Responses wait for Envoy to take them. Requests never wait for the server: if both directions waited, a full
 * response path could keep the very acknowledgement from passing that would empty it.
 */
import type { ByteStream } from "../grpc/channel.ts";

/** Resolves when Envoy will send no more. Never rejects: the end of Envoy's stream is noticed elsewhere. */
export async function forwardRequests(
  envoy: ByteStream,
  upstream: ByteStream,
  onRequest: (message: Uint8Array) => void,
): Promise<void> {
  try {
    for await (const request of envoy) {
      onRequest(request);
      upstream.enqueue(request);
    }
    upstream.end();
  } catch {
    upstream.cancel();
  }
}

/**
 * Resolves when the upstream ends well.
 *
 * @param accept resolves when the response may pass; to false when it must not
 * @throws GrpcError with the upstream's status
 */
export async function forwardResponses(
  upstream: ByteStream,
  envoy: ByteStream,
  accept: (message: Uint8Array) => Promise<boolean>,
): Promise<void> {
  for await (const response of upstream) {
    if (await accept(response)) await envoy.write(response);
  }
}
