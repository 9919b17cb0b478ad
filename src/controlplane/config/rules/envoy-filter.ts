/** What spans several fields of an EnvoyFilter. */
import type { ConfigPatchSpec, EnvoyFilterSpec } from "../objects.ts";
import { readPatchValue } from "../patch-values.ts";
import type { Complaint } from "./complaint.ts";
import { oneWayToSelect } from "./selection.ts";

/** Every broken rule. */
export function envoyFilter(spec: EnvoyFilterSpec): readonly Complaint[] {
  const { configPatches = [], workloadSelector, targetRefs } = spec;
  const selector = workloadSelector && { matchLabels: workloadSelector.labels };
  return [
    ...oneWayToSelect({ selector, targetRefs }),
    ...(configPatches.length === 0
      ? [["spec.configPatches", "is empty: nothing is changed", "warning"] as const]
      : []),
    ...(workloadSelector !== undefined && Object.keys(workloadSelector.labels ?? {}).length === 0
      ? [
          [
            "spec.workloadSelector",
            "has no labels: all workloads of the namespace are meant",
            "warning",
          ] as const,
        ]
      : []),
    ...configPatches.flatMap((each, index) => patch(each, `spec.configPatches[${index}]`)),
  ];
}

/** Of what is patched, what a match may look at. */
const matched = {
  listener: ["LISTENER", "FILTER_CHAIN", "NETWORK_FILTER", "HTTP_FILTER", "LISTENER_FILTER"],
  routeConfiguration: ["ROUTE_CONFIGURATION", "VIRTUAL_HOST", "HTTP_ROUTE"],
  cluster: ["CLUSTER"],
} as const satisfies Readonly<Record<string, readonly ConfigPatchSpec["applyTo"][]>>;

type Operation = ConfigPatchSpec["patch"]["operation"];

const inLists = ["INSERT_BEFORE", "INSERT_AFTER", "INSERT_FIRST"] as const satisfies readonly Operation[];
const merged = ["MERGE", "MERGE_AND_REPLACE_LIST"] as const satisfies readonly Operation[];
const ofMessages = [...merged, "ADD", "REMOVE", ...inLists] as const satisfies readonly Operation[];
const ofFilters = ["MERGE", "ADD", "REMOVE", "REPLACE", ...inLists] as const satisfies readonly Operation[];

/** What can be done with each; elsewhere it changes nothing. */
const operations: Readonly<Record<ConfigPatchSpec["applyTo"], readonly Operation[]>> = {
  LISTENER: ofMessages,
  FILTER_CHAIN: ofMessages,
  NETWORK_FILTER: ofFilters,
  HTTP_FILTER: ofFilters,
  LISTENER_FILTER: ofFilters,
  ROUTE_CONFIGURATION: merged,
  VIRTUAL_HOST: [...merged, "ADD", "REMOVE", "REPLACE", ...inLists],
  HTTP_ROUTE: ofMessages,
  CLUSTER: ofMessages,
  EXTENSION_CONFIG: [],
  BOOTSTRAP: [],
};

/** Istio's, for an operation where it has no effect. */
const codes: Readonly<Partial<Record<Operation, string>>> = {
  REPLACE: "IST0152",
  ADD: "IST0153",
  REMOVE: "IST0154",
};

function patch(
  { applyTo, match = {}, patch: { operation, value } }: ConfigPatchSpec,
  path: string,
): readonly Complaint[] {
  if (applyTo === "BOOTSTRAP")
    return [[`${path}.applyTo`, "has no effect here: a proxy has its bootstrap from its agent", "warning"]];
  if (applyTo === "EXTENSION_CONFIG")
    return [
      [
        `${path}.applyTo`,
        "has no effect here: extensions are not served by themselves (ECDS); give the filter its typed_config",
        "warning",
      ],
    ];
  if (match.context === "WAYPOINT")
    return [[`${path}.match.context`, "has no effect here: there are no waypoints", "warning"]];
  const complaints: Complaint[] = [];
  for (const [kind, targets] of Object.entries(matched))
    if (kind in match && !(targets as readonly string[]).includes(applyTo))
      complaints.push([`${path}.match.${kind}`, `does not go with ${applyTo}`]);
  if (match.listener?.portName !== undefined)
    complaints.push([
      `${path}.match.listener.portName`,
      "has no effect here, as in Istio: give portNumber",
      "warning",
    ]);
  if (!operations[applyTo].includes(operation))
    complaints.push([
      `${path}.patch.operation`,
      `has no effect with ${applyTo}: use ${operations[applyTo].join(", ")}`,
      "warning",
      codes[operation],
    ]);
  if (value === undefined && operation !== "REMOVE")
    complaints.push([`${path}.patch.value`, `is missing, which ${operation} needs`]);
  if (value !== undefined) {
    const read = readPatchValue(applyTo, value);
    if (read.kind === "refused")
      complaints.push([`${path}.patch.value`, `is nothing of Envoy's: ${read.reason}`]);
    else if (read.unknown !== undefined)
      complaints.push([
        `${path}.patch.value`,
        `has something that Envoy does not know, and is taken without it: ${read.unknown}`,
        "warning",
      ]);
  }
  return [...complaints, ...filterMatch(applyTo, match, operation, `${path}.match.listener`)];
}

const connectionManagers: readonly (string | undefined)[] = [
  "envoy.filters.network.http_connection_manager",
  "envoy.http_connection_manager",
];

function filterMatch(
  applyTo: ConfigPatchSpec["applyTo"],
  { listener }: NonNullable<ConfigPatchSpec["match"]>,
  operation: ConfigPatchSpec["patch"]["operation"],
  path: string,
): readonly Complaint[] {
  const filter = listener?.filterChain?.filter;
  const at = `${path}.filterChain.filter`;
  const isAimless =
    ["MERGE", "REMOVE", "REPLACE"].includes(operation) &&
    (applyTo === "LISTENER_FILTER"
      ? listener?.listenerFilter === undefined
      : operation !== "MERGE" &&
        ((applyTo === "NETWORK_FILTER" && filter === undefined) ||
          (applyTo === "HTTP_FILTER" && filter?.subFilter === undefined)));
  const aimless: readonly Complaint[] = isAimless
    ? [[path.replace(/\.listener$/, ""), `names no filter, so that ${operation} changes nothing`, "warning"]]
    : [];
  if (filter === undefined) return aimless;
  if (filter.name === undefined) return [...aimless, [at, "has no name"]];
  if (filter.subFilter === undefined) {
    return ["LISTENER", "FILTER_CHAIN"].includes(applyTo)
      ? [...aimless, [at, `has no effect with ${applyTo}`, "warning"]]
      : aimless;
  }
  if (applyTo !== "HTTP_FILTER") return [...aimless, [`${at}.subFilter`, "goes with HTTP_FILTER only"]];
  if (!connectionManagers.includes(filter.name))
    return [...aimless, [`${at}.name`, `must be ${connectionManagers[0]}, where filters of requests are`]];
  return filter.subFilter.name === undefined ? [...aimless, [`${at}.subFilter`, "has no name"]] : aimless;
}
