/**
 * A stream on which another control plane asks for objects as they are: MCP over xDS, in state of the world. A type is
 * `networking.istio.io/v1/VirtualService`, a resource `istio.mcp.v1alpha1.Resource` (Istio's `api` generator).
 */
import type { ByteStream } from "../../grpc/channel.ts";
import { GrpcError } from "../../grpc/grpc-error.ts";
import type { ReadonlyWatch } from "../../lifecycle/watch.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Peer } from "../model/bind-proxy.ts";
import { type ControlPlaneIdentity, identifierOf } from "./debug-stream.ts";
import type { Page, Request, ServerProtocol } from "./protocol.ts";

/** The objects of the mesh, as they are told. */
export interface ObjectPages {
  readonly changes: ReadonlyWatch<unknown>;
  /** Those of a type now, each the same for as long as it does not change; none of a type that there is not, as istiod has it. */
  of(typeUrl: string): readonly Page[];
}

/** What a stream is answered from. */
export interface ConfigStreamContext {
  readonly objectPages: ObjectPages;
  readonly peer: Peer;
  /** Whose workloads may ask. */
  readonly rootNamespace: string;
  readonly identity: ControlPlaneIdentity;
  readonly log: Logger;
}

/** True for a request of objects: `group/version/Kind`. */
export function isConfigRequest({ typeUrl }: Request): boolean {
  return /^[a-z0-9.]+\.(?:istio|k8s)\.io\/v\d\w*\/[A-Z]\w*$/.test(typeUrl);
}

/** One control plane's stream. */
export class ConfigStream {
  readonly #protocol: ServerProtocol;
  readonly #stream: ByteStream;
  readonly #context: ConfigStreamContext;
  /** What was sent last of each type that is asked for. */
  readonly #sent = new Map<string, readonly Page[]>();

  /**
   * @throws GrpcError PERMISSION_DENIED for whoever has proven to be of another namespace; in plain text nobody proves anything, and
   *   whoever reaches that port reads what any proxy is told
   */
  constructor(protocol: ServerProtocol, stream: ByteStream, context: ConfigStreamContext) {
    const { peer, rootNamespace } = context;
    if (peer.identity !== undefined && peer.identity.namespace !== rootNamespace)
      throw new GrpcError(
        "PERMISSION_DENIED",
        `the mesh's configuration is for identities of the namespace ${rootNamespace}`,
      );
    if (protocol.name !== "state-of-the-world")
      throw new GrpcError("UNIMPLEMENTED", "objects are told in state of the world only");
    this.#protocol = protocol;
    this.#stream = stream;
    this.#context = context;
  }

  /** Answer a request; one that answers a response is told when it refuses it. */
  async receive({ typeUrl, nonce, error }: Request): Promise<void> {
    if (error !== undefined)
      this.#context.log.warn("a control plane refuses objects of this one", { typeUrl, reason: error });
    if (nonce !== "") return;
    await this.#send(typeUrl, this.#context.objectPages.of(typeUrl));
  }

  /** Send what changes of the types that are asked for. */
  async follow(signal: AbortSignal): Promise<void> {
    const { objectPages } = this.#context;
    for await (const _ of objectPages.changes.changes(signal))
      for (const [typeUrl, before] of this.#sent) {
        const pages = objectPages.of(typeUrl);
        const isSame = pages.length === before.length && pages.every((page, at) => page === before[at]);
        if (!isSame) await this.#send(typeUrl, pages);
      }
  }

  async #send(typeUrl: string, pages: readonly Page[]): Promise<void> {
    this.#sent.set(typeUrl, pages);
    const identifier = identifierOf(this.#context.identity);
    await this.#stream.write(this.#protocol.encodePages(typeUrl, pages, identifier));
  }
}
