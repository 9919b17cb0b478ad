/** Label selectors, as the API of Kubernetes has them (`matchLabels`, `matchExpressions`). */
import { isMapping } from "../../document/mapping.ts";
import { meetsSelector } from "../config/label-selector.ts";
import type { Texts } from "./pod.ts";

/** All of its requirements have to hold. */
export interface LabelSelector {
  readonly matchLabels: Texts;
  readonly matchExpressions: readonly {
    readonly key: string;
    readonly operator: (typeof operators)[number];
    readonly values: readonly string[];
  }[];
}

const operators = ["In", "NotIn", "Exists", "DoesNotExist"] as const;

/** True where all holds; an empty selector selects nothing here, as in Istio's injector. */
export function matchesSelector(selector: LabelSelector, labels: Texts): boolean {
  const isEmpty = Object.keys(selector.matchLabels).length === 0 && selector.matchExpressions.length === 0;
  return !isEmpty && meetsSelector(labels, selector);
}

/** Undefined for what is no selector. */
export function readSelector(value: unknown): LabelSelector | undefined {
  if (!isMapping(value)) return undefined;
  const { matchLabels = {}, matchExpressions = [] } = value;
  if (!isTexts(matchLabels) || !Array.isArray(matchExpressions)) return undefined;
  const expressions = matchExpressions.flatMap((each: unknown) => {
    if (!isMapping(each)) return [];
    const { key, operator, values = [] } = each;
    const known = operators.find((one) => one === operator);
    const isList = Array.isArray(values) && values.every((one) => typeof one === "string");
    return typeof key === "string" && known !== undefined && isList ? [{ key, operator: known, values }] : [];
  });
  return expressions.length === matchExpressions.length
    ? { matchLabels, matchExpressions: expressions }
    : undefined;
}

function isTexts(value: unknown): value is Texts {
  return isMapping(value) && Object.values(value).every((each) => typeof each === "string");
}
