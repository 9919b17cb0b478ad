/**
 * One connection to a port of a pod, over a WebSocket of the cluster's API: `v4.channel.k8s.io`, which kubelets and container
 * runtimes have spoken on `/portforward?ports=` since Kubernetes 1.5, and which newer API servers pass on as it is.
 *
 * A message is the number of its channel and bytes: 0 is the connection, 1 what the node says is wrong with it, and each begins
 * with a message that has the port (k8s.io/kubelet, `pkg/cri/streaming/portforward`). It knows no half-closed connection.
 */
import { Duplex } from "node:stream";
import { type ClientOptions, WebSocket } from "ws";
import type { KubernetesApi } from "../../controlplane/kubernetes/api.ts";
import { textsOf } from "../../controlplane/kubernetes/resource.ts";
import { jsonValue } from "../../document/json.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { closedPort, forwardError, type PodPort, refusedForward } from "./port-forward-error.ts";

const protocol = "v4.channel.k8s.io";
const dataChannel = 0;
const errorChannel = 1;

/** Bytes of the port that begins a channel. */
const portBytes = 2;

/** From the first byte to the API server until the pod's node has taken it, in milliseconds. */
const openWithinMs = 15_000;

/** Longest message of a node, in bytes; runtimes send some 32 KiB. */
const maxPayload = 2 ** 24;

/** Longest refusal that is read, in bytes. */
const refusalLimits = { maxBytes: 65_536, maxDepth: 16, maxParts: 10_000 };

/** Open one. The stream fails with PortForwardError. @throws PortForwardError, or the signal's reason when it aborts */
export async function openForward(api: KubernetesApi, target: PodPort, signal: AbortSignal): Promise<Duplex> {
  const unreachable = (error: unknown): Error =>
    forwardError(
      target,
      `${api.server} does not answer: ${errorMessage(error)}`,
      "Look at the cluster's API, and at --kubeconfig",
      error,
    );
  const { namespace, pod, port } = target;
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/portforward`;
  let options: ClientOptions;
  try {
    const { headers, agent, ...connection } = await api.connection();
    const through = typeof agent === "object" ? { agent } : {};
    options = { ...connection, ...through, headers: textsOf(headers) };
  } catch (error) {
    throw unreachable(error);
  }
  signal.throwIfAborted();
  const socket = new WebSocket(`${api.server.replace(/^http/, "ws")}${path}?ports=${port}`, protocol, {
    ...options,
    handshakeTimeout: openWithinMs,
    perMessageDeflate: false,
    maxPayload,
  });
  // Nothing that comes with the answer may be lost before somebody reads it; until then nobody hears of its errors.
  const stream = new ForwardedStream(socket, target).on("error", () => undefined);
  const abort = (): void => {
    socket.terminate();
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", (error) => reject(unreachable(error)));
      socket.once("unexpected-response", (_request, response) => {
        void refusalText(response).then((text) => {
          reject(refusedForward(target, response.statusCode ?? 0, jsonValue(text, refusalLimits)));
          socket.terminate();
        });
      });
    });
  } catch (error) {
    stream.destroy();
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
  return stream;
}

/** As much of it as counts. Never rejects. */
async function refusalText(response: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > refusalLimits.maxBytes) break;
    }
  } catch {
    // The status says enough.
  }
  return Buffer.concat(chunks).toString("utf8");
}

class ForwardedStream extends Duplex {
  readonly #socket: WebSocket;
  readonly #target: PodPort;
  readonly #skipped = [portBytes, portBytes];

  constructor(socket: WebSocket, target: PodPort) {
    super();
    this.#socket = socket;
    this.#target = target;
    socket.on("message", (message: Buffer) => {
      this.#take(message);
    });
    socket.on("close", () => {
      this.push(null);
    });
    socket.on("error", (error) => {
      this.destroy(forwardError(target, errorMessage(error), "Ask again", error));
    });
  }

  #take(message: Buffer): void {
    const channel = message[0] ?? dataChannel;
    const toSkip = Math.min(this.#skipped[channel] ?? 0, message.length - 1);
    this.#skipped[channel] = (this.#skipped[channel] ?? 0) - toSkip;
    const bytes = message.subarray(1 + toSkip);
    if (bytes.length === 0) return;
    if (channel === errorChannel) this.destroy(closedPort(this.#target, bytes.toString("utf8")));
    else if (channel === dataChannel && !this.push(bytes)) this.#socket.pause();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.send(Buffer.concat([Buffer.of(dataChannel), chunk]), { binary: true }, done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.terminate();
    done(error);
  }
}
