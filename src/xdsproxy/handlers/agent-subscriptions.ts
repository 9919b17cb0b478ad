/**
 * What the agent itself subscribes to on Envoy's stream: the name table of its DNS server and the trust bundle of
 * the mesh (Istio's NDS and PCDS).
 *
 * Both are asked for after Envoy's first request for listeners, as Istio's agent does it: the first message on the
 * stream, which names the node, stays Envoy's.
 */
import { type ReadonlyWatch, Watch } from "../../lifecycle/watch.ts";
import { readableCertificates } from "../../pki/certificate.ts";
import { typeUrl } from "../../xds/type-urls.ts";
import { decodeNameTable, decodeTrustBundle, type NameTable, type TrustBundle } from "../istio-messages.ts";
import type { AdsProtocol, ResponseFacts } from "../../xds/protocol.ts";
import { anyOf, fieldOf } from "../../xds/wire-resource.ts";

/** What to subscribe to. */
export interface AgentSubscriptionOptions {
  readonly nameTable: boolean;
  readonly trustBundle: boolean;
}

/** The answer to a response that is the agent's. */
export type Handled =
  | { readonly kind: "not-the-agents" }
  | { readonly kind: "answer"; readonly request: Buffer; readonly error?: string };

/** The subscriptions and the latest of what came, over all streams. */
export class AgentSubscriptions {
  readonly #options: AgentSubscriptionOptions;
  readonly #nameTable = new Watch<NameTable | undefined>(undefined);
  readonly #trustBundle = new Watch<TrustBundle | undefined>(undefined);

  constructor(options: AgentSubscriptionOptions) {
    this.#options = options;
  }

  /** Undefined until the first came. */
  get nameTable(): ReadonlyWatch<NameTable | undefined> {
    return this.#nameTable;
  }

  /** Undefined until the first came. */
  get trustBundle(): ReadonlyWatch<TrustBundle | undefined> {
    return this.#trustBundle;
  }

  /** The requests to send once on each stream. */
  requests(protocol: AdsProtocol): readonly Buffer[] {
    const types = [
      ...(this.#options.nameTable ? [typeUrl.nameTable] : []),
      ...(this.#options.trustBundle ? [typeUrl.proxyConfig] : []),
    ];
    return types.map((type) => protocol.writeRequest({ typeUrl: type }));
  }

  /** Take a response in if it is the agent's, and say what to answer. An empty one empties what is there. */
  handle(protocol: AdsProtocol, response: ResponseFacts): Handled {
    const { typeUrl: type, nonce, version } = response;
    if (type !== typeUrl.nameTable && type !== typeUrl.proxyConfig) return { kind: "not-the-agents" };
    try {
      const [view] = response.resources;
      const any = view === undefined || !protocol.isDelta ? view : anyOf(view);
      const value = any === undefined ? undefined : fieldOf(any, 2);
      if (type === typeUrl.nameTable) this.#nameTable.set(decodeNameTable(value));
      else this.#trustBundle.set(checkBundle(decodeTrustBundle(value)));
      return { kind: "answer", request: protocol.writeRequest({ typeUrl: type, nonce, version }) };
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return {
        kind: "answer",
        request: protocol.writeRequest({ typeUrl: type, nonce, error: reason }),
        error: reason,
      };
    }
  }
}

/** @throws Error when a part of it holds no certificate: the bundle before it stays */
function checkBundle(bundle: TrustBundle): TrustBundle {
  const bad = bundle.rootsPem.findIndex((pem) => readableCertificates(pem).length === 0);
  if (bad === -1) return bundle;
  throw new Error(`ca_certificates_pem[${bad}] holds no PEM certificate`);
}
