/**
 * External authorizers that policies with the action CUSTOM may name: MeshConfig's extensionProviders that are one, and whose
 * service is there. Pure.
 */
import { extensionProvider } from "../../config/extension-providers.ts";
import type { ExtensionProviderSpec } from "../../config/objects.ts";
import type { Model } from "../../model/model.ts";

/** One that can be asked. */
export interface Authorizer {
  readonly spec: Pick<ExtensionProviderSpec, "envoyExtAuthzHttp" | "envoyExtAuthzGrpc">;
  readonly host: string;
  readonly port: number;
}

/** Undefined for one that is not there: whoever names it is denied. */
export type FindAuthorizer = (name: string) => Authorizer | undefined;

export function authorizerFinder({
  meshConfig,
  providerServices,
}: Pick<Model, "meshConfig" | "providerServices">): FindAuthorizer {
  return (name) => {
    const spec = extensionProvider(meshConfig, name);
    const called = spec?.envoyExtAuthzHttp ?? spec?.envoyExtAuthzGrpc;
    const found = called && providerServices.get(called.service);
    if (spec === undefined || called === undefined || found?.ports.includes(called.port) !== true)
      return undefined;
    return { spec, host: found.host, port: called.port };
  };
}
