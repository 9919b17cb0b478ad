/**
 * The status of the cluster's objects, as this control plane sees them, written where it says something else.
 *
 * An object has a status once it is known what became of it as it is now: of an older generation nothing is said. Of what another
 * control plane has written meanwhile the API says so (409), and it is looked at anew.
 */
import type { ReadonlyWatch } from "../../lifecycle/watch.ts";
import { kinds, writtenKind } from "../config/schema.ts";
import type { Kinds } from "../config/objects.ts";
import type { ApiObject } from "../kubernetes/api.ts";
import { keepObjects } from "../kubernetes/keep-objects.ts";
import type { ObjectWriterOptions, WantedWrite } from "../kubernetes/object-writer.ts";
import { Reflector } from "../kubernetes/reflector.ts";
import { collectionPath, mappingOf, pluralOf, type Resource } from "../kubernetes/resource.ts";
import type { Configuration } from "../registry/registry.ts";
import { mergeStatus } from "./merge-status.ts";
import type { WantedStatus } from "./status.ts";
import { WantedStatuses } from "./wanted-status.ts";

/** An object's status, as the cluster has it. */
interface Said {
  readonly namespace: string;
  readonly name: string;
  readonly generation: unknown;
  readonly resourceVersion: string;
  readonly status: ApiObject;
}

/** Kinds that have a status. */
const kindsWithStatus = (Object.keys(kinds) as (keyof Kinds)[]).filter(
  (kind) => kinds[kind].group !== "" && kind !== "ReferenceGrant",
);

function statusesOf(kind: keyof Kinds): Resource<Said> {
  const { group, versions } = kinds[kind];
  return {
    ...{ plural: pluralOf(writtenKind(kind)), group, versions, isOptional: true },
    keep: ({ metadata, status }, { namespace, name, resourceVersion }) => ({
      ...{ namespace, name, resourceVersion },
      generation: mappingOf(metadata)["generation"],
      status: mappingOf(status),
    }),
  };
}

/** Until `signal` aborts. @param configuration what is served, and what is wrong with it */
export function keepStatus(
  {
    configuration,
    ...writing
  }: { readonly configuration: ReadonlyWatch<Configuration> } & Omit<ObjectWriterOptions, "what">,
  signal: AbortSignal,
): Promise<void> {
  return keepObjects(
    { ...writing, what: "status" },
    (onChange) => {
      const statuses = new WantedStatuses();
      let wanted: ReadonlyMap<string, WantedStatus> = new Map();
      const said = new Map(
        kindsWithStatus.map((kind) => [kind, new Reflector(statusesOf(kind), writing.api, onChange)]),
      );
      /** What says already what it is to say. */
      const settled = new WeakMap<Said, WantedStatus>();
      function* due(): Generator<WantedWrite> {
        for (const [id, status] of wanted) {
          const at = id.indexOf(" ");
          const reflector = said.get(id.slice(0, at) as keyof Kinds);
          const key = id.slice(at + 1);
          const object = reflector?.get(key.includes("/") ? key : `/${key}`);
          if (reflector === undefined || object?.generation !== status.generation) continue;
          if (settled.get(object) === status) continue;
          const next = mergeStatus(object.status, status, new Date());
          if (next === undefined) settled.set(object, status);
          else yield writeOf(id, reflector, object, { wish: JSON.stringify(status), next });
        }
      }
      const followConfiguration = async (stop: AbortSignal): Promise<void> => {
        for await (const current of configuration.changes(stop)) {
          wanted = statuses.of(current);
          onChange();
        }
      };
      const reflectors = [...said.values()].map((each) => (stop: AbortSignal) => each.run(stop));
      return { followed: [...reflectors, followConfiguration], due };
    },
    signal,
  );
}

function writeOf(
  object: string,
  { resource, version = "" }: Reflector<Said>,
  { namespace, name, resourceVersion }: Said,
  { wish, next }: { readonly wish: string; readonly next: ApiObject },
): WantedWrite {
  const { plural, group } = resource;
  const place = { plural, group, ...(namespace === "" ? {} : { namespace }) };
  return {
    object,
    wish,
    request: {
      method: "PATCH",
      path: `${collectionPath(place, version)}/${name}/status`,
      contentType: "application/merge-patch+json",
      body: { metadata: { resourceVersion }, status: next },
    },
  };
}
