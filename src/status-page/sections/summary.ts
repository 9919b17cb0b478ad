/** Whether the sidecar serves, and why not. */
import { html } from "../html.ts";
import type { PageView } from "../view.ts";
import { type Section, sign } from "./parts.ts";

/** The first thing that is read. */
export function summary({ report: { ready, reason, xds, identity, envoy } }: PageView): Section {
  const oddities = [
    xds.stale === undefined ? undefined : `Envoy's configuration is kept from ${xds.stale.asOf}.`,
    (xds.refused ?? []).length === 0 ? undefined : `Envoy refuses ${xds.refused?.length} resources.`,
    identity.problem,
    envoy?.refused === undefined ? undefined : `A newer configuration was refused: ${envoy.refused}`,
    envoy?.swapWaitsFor === undefined ? undefined : `A swap waits for ${envoy.swapWaitsFor}.`,
    ...(envoy?.configurationProblems ?? []),
  ].filter((text) => text !== undefined);
  return {
    id: "summary",
    name: "State",
    body: html`<h2>${sign(ready ? "well" : "bad")} ${ready ? "Ready" : "Not ready"}</h2>
      ${ready ? undefined : html`<p class="reason">${reason ?? "The agent does not say why."}</p>`}
      ${
        oddities.length === 0
          ? undefined
          : html`<ul>
              ${oddities.map((text) => html`<li>${sign("odd")} ${text}</li>`)}
            </ul>`
      }`,
  };
}
