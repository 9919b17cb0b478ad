/**
 * The status of an object of Istio's: whether it is served, and what the analysis finds ("Configuration Status Field" and
 * `IstioStatus` in Istio's reference). Pure.
 */
import { istioMessages } from "../config/analysis/istio-messages.ts";
import type { ConfigProblem } from "../config/problem.ts";
import type { AnalysisMessage, StatusCondition, WantedStatus } from "./status.ts";

/** Longest message of a condition, in characters: the API takes 32,768. */
const longestMessage = 2_000;

/** @param problems at its place @param isHidden another source has it, and that one's is served */
export function istioStatus(
  id: string,
  problems: readonly ConfigProblem[],
  isHidden: boolean,
): Omit<Extract<WantedStatus, { kind: "istio" }>, "generation"> {
  const refusals = problems.filter(({ refuses }) => refuses === id);
  const others = problems.filter(({ refuses }) => refuses === undefined);
  const reconciled: StatusCondition =
    refusals.length > 0
      ? { type: "Reconciled", isTrue: false, reason: "Refused", message: textOf(refusals) }
      : isHidden
        ? { type: "Reconciled", isTrue: false, reason: "Conflicted", message: textOf(others) }
        : { type: "Reconciled", isTrue: true, reason: "Reconciled", message: "" };
  const hasErrors = problems.some(({ severity }) => severity === undefined);
  const messages = new Map(problems.flatMap(messageOf).map((message) => [message.type.code, message]));
  return {
    kind: "istio",
    conditions: [
      reconciled,
      problems.length === 0
        ? { type: "PassedAnalysis", isTrue: true, reason: "noneFound", message: "" }
        : {
            type: "PassedAnalysis",
            isTrue: false,
            reason: hasErrors ? "errorsFound" : "warningsFound",
            message: textOf(problems),
          },
    ],
    messages: [...messages.values()],
  };
}

/** Codes of what Istio's schemas refuse, and of what they warn of. */
const schemaCodes = { error: "IST0106", warning: "IST0133" } as const;

function messageOf({ code, severity: given }: ConfigProblem): readonly AnalysisMessage[] {
  const severity = given ?? "error";
  const known = code ?? schemaCodes[severity];
  const { name, level } = istioMessages[known] ?? {};
  if (name === undefined || level === undefined) return [];
  return [
    {
      type: { name, code: known },
      level: severity === "error" ? "ERROR" : (level.toUpperCase() as AnalysisMessage["level"]),
      documentationUrl: `https://istio.io/latest/docs/reference/config/analysis/${known.toLowerCase()}/`,
    },
  ];
}

/** All of them, as long as a condition may be. */
export function textOf(problems: readonly ConfigProblem[]): string {
  const text = problems
    .map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
    .join("; ");
  return text.length <= longestMessage ? text : `${text.slice(0, longestMessage - 1)}…`;
}
