/** Whether a pod gets a sidecar when it is made, and which: the answer is what has to be changed, as a JSON patch. Pure. */
import { isMapping } from "../../document/mapping.ts";
import { injectPod, type InjectionPlace } from "../inject/inject-pod.ts";
import { jsonPatch } from "../inject/json-patch.ts";
import { ownerOf } from "../inject/owner.ts";
import { readPod } from "../inject/pod.ts";
import type { InjectionSettings } from "../inject/settings.ts";
import { type AdmissionAnswer, answerTo, refusal, requestIn, withWarnings } from "./answer.ts";

/** What a review is answered with. */
export interface InjectionState {
  readonly settings: InjectionSettings;
  readonly hasNativeSidecars: boolean;
  /** Told of each pod that was asked about. */
  readonly count: (outcome: InjectionOutcome) => void;
}

/** What may become of a pod. */
export const outcomes = ["injected", "left", "refused"] as const;

/** What became of one. */
export type InjectionOutcome = (typeof outcomes)[number];

/** Where pods are, as the path says it: `/inject`, `/inject/cluster/EAST/net/EAST-1`; undefined for another path. */
export function injectionPlace(path: string): Pick<InjectionPlace, "cluster" | "network"> | undefined {
  const [, root, ...words] = path.split("/");
  if (root !== "inject" || words.length % 2 === 1) return undefined;
  const place: { cluster?: string; network?: string } = {};
  for (let at = 0; at < words.length; at += 2) {
    const value = unescaped(words[at + 1] ?? "");
    if (value === undefined || value === "") return undefined;
    if (words[at] === "cluster") place.cluster = value;
    else if (words[at] === "net") place.network = value;
    else return undefined;
  }
  return place;
}

/** Undefined for what is no AdmissionReview of a pod. */
export function injectionReviewed(
  review: unknown,
  place: Pick<InjectionPlace, "cluster" | "network">,
  { settings, hasNativeSidecars, count }: InjectionState,
): AdmissionAnswer | undefined {
  const request = requestIn(review);
  if (request === undefined) return undefined;
  const { uid, object, namespace } = request;
  if (!isMapping(object)) return answerTo(uid, { allowed: true });
  const pod = readPod(object);
  if (!("spec" in pod)) {
    count("refused");
    return answerTo(uid, refusal(pod.map(textOf)));
  }
  const outcome = injectPod(
    pod,
    {
      ...place,
      namespace: typeof namespace === "string" ? namespace : "default",
      owner: ownerOf(pod),
      hasNativeSidecars,
    },
    settings,
  );
  count(outcome.kind);
  if (outcome.kind === "refused") return answerTo(uid, refusal(outcome.problems.map(textOf)));
  const warnings = withWarnings(outcome.warnings);
  if (outcome.kind === "left") return answerTo(uid, { allowed: true, ...warnings });
  const patch = Buffer.from(JSON.stringify(jsonPatch(object, outcome.pod))).toString("base64");
  return answerTo(uid, { allowed: true, ...warnings, patchType: "JSONPatch", patch });
}

function textOf({ path, message }: { readonly path: string; readonly message: string }): string {
  return `${path}: ${message}`;
}

/** A slash in a name is `--slash--`, as Istio writes it. */
function unescaped(word: string): string | undefined {
  try {
    return decodeURIComponent(word).replaceAll("--slash--", "/");
  } catch {
    return undefined;
  }
}
