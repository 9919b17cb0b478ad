/** What a role gives and what somebody did, in the same words. */
import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import { jsonValue } from "../../../src/document/json.ts";
import { mappingOf, textOf } from "../../../src/controlplane/kubernetes/resource.ts";

/** One verb for one kind, perhaps of one name or in one namespace. */
export interface Right {
  readonly verb: string;
  /** With its subresource, such as `gateways/status`. */
  readonly resource: string;
  readonly group: string;
  /** Every one unless told. */
  readonly name?: string;
  readonly namespace?: string;
}

interface Role {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string };
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
}

/** Every right of the roles in a file of manifests. */
export function rightsIn(manifest: string): readonly Right[] {
  return parseAllDocuments(readFileSync(manifest, "utf8"))
    .map((each) => each.toJS() as Role)
    .filter(({ kind }) => kind === "ClusterRole" || kind === "Role")
    .flatMap(({ rules = [], metadata: { namespace } }) =>
      rules.flatMap(({ apiGroups, resources, resourceNames = [undefined], verbs }) =>
        apiGroups.flatMap((group) =>
          resources.flatMap((resource) =>
            resourceNames.flatMap((name) =>
              verbs.map((verb) => ({
                ...{ verb, resource, group },
                ...(name === undefined ? {} : { name }),
                ...(namespace === undefined ? {} : { namespace }),
              })),
            ),
          ),
        ),
      ),
    );
}

/** A request as the API server has written it down. */
export interface Audited extends Required<Right> {
  readonly user: string;
  /** Of the answer. */
  readonly code: number;
}

/** What was asked for objects of a kind. */
export function auditedIn(log: string): readonly Audited[] {
  return readFileSync(log, "utf8")
    .split("\n")
    .map((line) => mappingOf(jsonValue(line, { maxBytes: 2 ** 20, maxDepth: 32, maxParts: 10_000 })))
    .flatMap((event) => {
      const object = mappingOf(event["objectRef"]);
      const [resource, subresource] = [textOf(object["resource"]), textOf(object["subresource"])];
      if (resource === "") return [];
      return [
        {
          verb: textOf(event["verb"]),
          resource: subresource === "" ? resource : `${resource}/${subresource}`,
          group: textOf(object["apiGroup"]),
          name: textOf(object["name"]),
          namespace: textOf(object["namespace"]),
          user: textOf(mappingOf(event["user"])["username"]),
          code: Number(mappingOf(event["responseStatus"])["code"]),
        },
      ];
    });
}

/** True where a right lets a request through. */
export function covers({ verb, resource, group, name, namespace }: Right, asked: Audited): boolean {
  return (
    verb === asked.verb &&
    resource === asked.resource &&
    group === asked.group &&
    (name === undefined || name === asked.name) &&
    (namespace === undefined || namespace === asked.namespace)
  );
}

/** `patch gateways/status.gateway.networking.k8s.io`, with its name. */
export function describeRight({ verb, resource, group, name }: Right): string {
  return `${verb} ${resource}${group === "" ? "" : `.${group}`}${name === undefined ? "" : ` ${name}`}`;
}
