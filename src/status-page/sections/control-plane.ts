/** What the control plane sent, and what Envoy said to it. */
import { shortType } from "../../xds/type-urls.ts";
import { html } from "../html.ts";
import type { PageView, ShownExchange } from "../view.ts";
import { facts, type Mark, moment, type Section, sign, table } from "./parts.ts";

const marks: Readonly<Record<ShownExchange["outcome"], Mark>> = {
  acked: "well",
  pending: "odd",
  nacked: "bad",
};

/** NACKs that are shown. */
const shownNacks = 5;

/** The connection, the newest of each type with the time from push to ACK, and the last NACKs. */
export function controlPlaneSection({ report: { xds }, exchanges, now }: PageView): Section {
  const newest = [...new Map(exchanges.map((exchange) => [exchange.typeUrl, exchange])).values()];
  const nacks = exchanges
    .filter(({ outcome }) => outcome === "nacked")
    .slice(-shownNacks)
    .toReversed();
  return {
    id: "control-plane",
    name: "Control plane",
    body: html`<h2>Control plane</h2>
      ${facts([
        ["address", xds.address],
        ["state", xds.state],
        ["problem", xds.problem],
        ["stale since", xds.stale === undefined ? undefined : moment(xds.stale.asOf, now)],
      ])}
      ${table(
        "Newest configuration of each type",
        ["type", "answer", "push to ACK", "resources", "when", "from"],
        newest.map(({ typeUrl, outcome, latencyMs, resources, bytes, at, source }) => [
          shortType(typeUrl),
          html`${sign(marks[outcome])} ${outcome.toUpperCase()}`,
          latencyMs === undefined ? "" : `${latencyMs} ms`,
          `${resources}, ${bytes} bytes`,
          moment(at, now),
          source,
        ]),
        "Nothing has come yet.",
      )}
      ${table(
        "What Envoy refuses now",
        ["type", "name", "since", "serves instead", "reason"],
        (xds.refused ?? []).map(({ typeUrl, name, reason, since, serves }) => [
          shortType(typeUrl),
          name,
          moment(since, now),
          serves,
          reason,
        ]),
        "Envoy refuses nothing.",
      )}
      ${
        nacks.length === 0
          ? undefined
          : table(
              "Last NACKs",
              ["type", "version", "when", "reason"],
              nacks.map(({ typeUrl, version, error, at }) => [
                shortType(typeUrl),
                version,
                moment(at, now),
                error,
              ]),
              "",
            )
      }`,
  };
}
