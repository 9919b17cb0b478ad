/**
 * Which Gateways are this control plane's, by their class.
 */
import type { ConfigObject } from "../objects.ts";

/** As Istio's; what a status says of whose it is. */
export const ownController = "istio.io/gateway-controller";

/** The class that is there without being declared. */
const ownClass = "istio";

/** The controllers of all classes that are declared. */
export class GatewayClasses {
  readonly #controllers: ReadonlyMap<string, string>;

  constructor(objects: readonly ConfigObject[]) {
    const declared = objects.flatMap((object) =>
      object.kind === "GatewayClass" ? [[object.name, object.spec.controllerName] as const] : [],
    );
    this.#controllers = new Map([[ownClass, ownController], ...declared]);
  }

  isOwn(name: string): boolean {
    return this.#controllers.get(name) === ownController;
  }
}
