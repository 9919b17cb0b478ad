/** Of what a pod's sidecar is made: `inject.istio.io/templates` (Istio's "Custom templates"), or what the settings say. Pure. */
import { shown } from "../../schema/config-problem.ts";
import type { Fields, InjectionProblem, Texts } from "./pod.ts";
import type { InjectionSettings } from "./settings.ts";

const name = "inject.istio.io/templates";

/** What there is beside overlays. */
const bases = ["sidecar", "gateway"] as const;

/** One of ours, and what is laid over it. */
export type ChosenTemplates =
  | { readonly kind: "chosen"; readonly base: (typeof bases)[number]; readonly overlays: readonly Fields[] }
  | { readonly kind: "refused"; readonly problem: InjectionProblem };

export function chosenTemplates(
  annotations: Texts,
  { values, overlays }: InjectionSettings,
): ChosenTemplates {
  const said = annotations[name];
  const names =
    said === undefined
      ? values.defaultTemplates
      : said
          .split(",")
          .map((each) => each.trim())
          .filter((each) => each !== "");
  const chosen = names.length === 0 ? ["sidecar"] : names;
  const isBase = (each: string): each is (typeof bases)[number] => bases.some((base) => base === each);
  const unknown = chosen.filter((each) => !isBase(each) && !overlays.has(each));
  const given = chosen.filter(isBase);
  const [base] = given;
  const path = `metadata.annotations.${name}`;
  if (unknown.length > 0) {
    const known = [...bases, ...overlays.keys()].join(", ");
    return {
      kind: "refused",
      problem: { path, message: `${shown(unknown.join(", "))} is no template here: there are ${known}` },
    };
  }
  if (base === undefined || given.length > 1)
    return {
      kind: "refused",
      problem: {
        path,
        message: `is ${shown(chosen.join(","))}: name one of ${bases.join(" and ")}, and what is laid over it`,
      },
    };
  return {
    kind: "chosen",
    base,
    overlays: chosen.map((each) => overlays.get(each)).filter((each) => each !== undefined),
  };
}
