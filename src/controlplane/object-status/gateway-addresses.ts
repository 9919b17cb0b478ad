/**
 * Where Gateways are called, as istiod writes it into their status: by the load balancers of their services, else by the services'
 * names. Pure.
 */
import { gatewayServices } from "../config/gateway-api/listeners.ts";
import { isAddress } from "../config/forms.ts";
import type { ConfigObject } from "../config/objects.ts";
import type { GatewayAddress } from "./status.ts";

/** More are not taken by the API. */
const mostAddresses = 16;

/** Of the objects of one configuration. */
export class GatewayAddresses {
  readonly #services: ReadonlyMap<string, readonly string[]>;

  constructor(objects: readonly ConfigObject[]) {
    this.#services = new Map(
      objects.flatMap((object) =>
        object.kind === "ServiceEntry"
          ? object.spec.hosts.map((host) => [host, object.loadBalancer ?? []] as const)
          : [],
      ),
    );
  }

  /** None while there is no service of it. */
  of(gateway: Extract<ConfigObject, { kind: "KubernetesGateway" }>): readonly GatewayAddress[] {
    const hosts = gatewayServices(gateway).filter((host) => this.#services.has(host));
    const outside = hosts.flatMap((host) => this.#services.get(host) ?? []);
    const values = outside.length > 0 ? outside : hosts;
    return [...new Set(values)]
      .slice(0, mostAddresses)
      .map((value) => ({ type: isAddress(value) ? "IPAddress" : "Hostname", value }));
  }
}
