/**
 * Readiness as it is at the moment of a probe, with the time since when each condition is what it is.
 */
import type { SecretManager } from "../identity/secret-manager.ts";
import { thisMoment } from "../lifecycle/moment.ts";
import { ConditionBook } from "../status/condition-book.ts";
import type { Readiness } from "../status/contract/readiness.ts";
import type { XdsProxy } from "../xdsproxy/xds-proxy.ts";
import { findReadinessWithoutEnvoy } from "./proxyless.ts";
import { findReadiness, type NameTableState } from "./readiness.ts";
import type { SupervisedEnvoy } from "./supervised-envoy.ts";

/** The parts that are asked. */
export interface ReadinessSources {
  /** Undefined where none is to run. */
  readonly envoy: SupervisedEnvoy | undefined;
  readonly identity: SecretManager;
  readonly xds: XdsProxy;
  /** Undefined where the agent serves no DNS. */
  readonly nameTable: NameTableState | undefined;
}

/** @param outputCerts folder of the files that an application without Envoy gets; undefined writes none */
export function readinessProbe(
  outputCerts: string | undefined,
  { envoy, identity, xds, nameTable }: ReadinessSources,
): () => Promise<Readiness> {
  const book = new ConditionBook(thisMoment);
  return async () => {
    const readiness = await envoy?.supervisor.readiness();
    const now = new Date();
    const { findings, ...found } =
      readiness === undefined
        ? findReadinessWithoutEnvoy(identity.state.current, outputCerts, now)
        : findReadiness({
            ...{ now, nameTable, envoy: readiness },
            identity: identity.state.current,
            xds: xds.state.current,
          });
    return { ...found, conditions: book.dated(findings) };
  };
}
