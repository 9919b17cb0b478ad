/**
 * A pod as plain values, as far as injection reads it, and whether a value is one.
 */
import { isMapping } from "../../document/mapping.ts";
import { shown } from "../../schema/config-problem.ts";

/** Whatever else a part of a pod holds goes with it. */
export type Fields = Readonly<Record<string, unknown>>;

/** Labels or annotations. */
export type Texts = Readonly<Record<string, string>>;

/** What somebody has to change. */
export interface InjectionProblem {
  /** Path in the pod, such as `metadata.annotations.sidecar.istio.io/logLevel`, or in the settings of injection. */
  readonly path: string;
  readonly message: string;
}

export interface Pod extends Fields {
  readonly metadata: PodMetadata;
  readonly spec: PodSpec;
}

export interface PodMetadata extends Fields {
  readonly labels?: Texts;
  readonly annotations?: Texts;
}

export interface PodSpec extends Fields {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly volumes?: readonly Named[];
  readonly imagePullSecrets?: readonly Named[];
}

/** An element of a list that is known by its name. */
export interface Named extends Fields {
  readonly name: string;
}

export interface Container extends Named {
  readonly image?: string;
  readonly args?: readonly string[];
  readonly env?: readonly Named[];
  readonly ports?: readonly Fields[];
  readonly volumeMounts?: readonly Fields[];
  readonly securityContext?: Fields;
}

/** The pod, or all that keeps `value` from being one. @param at path before each path that is told, such as `spec.template.` */
export function readPod(value: unknown, at = ""): Pod | readonly InjectionProblem[] {
  const problems: InjectionProblem[] = [];
  const tell = (path: string, message: string): void => {
    problems.push({ path: `${at}${path}`, message });
  };
  const root = isMapping(value) ? value : {};
  const { metadata = {}, spec } = root;
  if (!isMapping(metadata)) tell("metadata", "must be a mapping");
  else
    for (const field of ["labels", "annotations"]) {
      const texts = metadata[field] ?? {};
      if (!isMapping(texts)) tell(`metadata.${field}`, "must be a mapping of names to text");
      else
        for (const [name, text] of Object.entries(texts))
          if (typeof text !== "string")
            tell(`metadata.${field}.${name}`, `${shown(text)} is no text: write it in quotes`);
      if (field === "annotations" && isMapping(texts) && bytesOf(texts) > mostAnnotationBytes)
        tell("metadata.annotations", `has more than the ${mostAnnotationBytes} bytes that Kubernetes takes`);
    }
  if (!isMapping(spec)) tell("spec", "must be a mapping with the pod's containers");
  else {
    for (const field of ["containers", "initContainers", "volumes", "imagePullSecrets"])
      for (const [index, entry] of listOf(spec[field], `spec.${field}`, tell).entries()) {
        const path = `spec.${field}[${index}]`;
        if (!isMapping(entry) || typeof entry["name"] !== "string")
          tell(path, "must be a mapping with a name");
        else if (field.endsWith("ontainers"))
          for (const part of ["env", "ports", "volumeMounts"])
            for (const [at, element] of listOf(entry[part], `${path}.${part}`, tell).entries())
              if (!isMapping(element) || (part === "env" && typeof element["name"] !== "string"))
                tell(
                  `${path}.${part}[${at}]`,
                  part === "env" ? "must be a mapping with a name" : "must be a mapping",
                );
      }
  }
  return problems.length > 0 ? problems : (withoutNothing({ ...root, metadata }) as unknown as Pod);
}

/** Of the names and values of annotations together, as the API has it; it looks only after webhooks have changed the pod. */
const mostAnnotationBytes = 2 ** 18;

function bytesOf(texts: Fields): number {
  return Object.entries(texts)
    .flat()
    .reduce<number>((bytes, text) => bytes + (typeof text === "string" ? Buffer.byteLength(text) : 0), 0);
}

/** What says nothing says it as a field that is left out does. */
function withoutNothing(pod: Fields): Fields {
  const cleaned = (fields: unknown): unknown =>
    isMapping(fields)
      ? Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null))
      : fields;
  const spec = cleaned(pod["spec"]) as Fields;
  const { containers = [], initContainers } = spec as {
    readonly [name in "containers" | "initContainers"]?: readonly unknown[];
  };
  return {
    ...pod,
    metadata: cleaned(pod["metadata"]),
    spec: {
      ...spec,
      ...(initContainers && { initContainers: initContainers.map(cleaned) }),
      containers: containers.map(cleaned),
    },
  };
}

function listOf(
  value: unknown,
  path: string,
  tell: (path: string, message: string) => void,
): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  tell(path, "must be a list");
  return [];
}
