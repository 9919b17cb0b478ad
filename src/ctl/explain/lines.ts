/**
 * An explanation as text. Pure.
 */
import type { Explanation, Outcome, Step } from "./request.ts";

/** @param placeOf `mesh/api.yaml:12` of an object, where that is known */
export function explanationLines(
  { steps, outcomes }: Explanation,
  placeOf: (rule: string) => string | undefined,
): readonly string[] {
  const line = ({ at, what, words, rule }: Step): string => {
    const place = rule === undefined ? undefined : placeOf(rule);
    const by = rule === undefined ? "" : `  by ${rule}${place === undefined ? "" : ` (${place})`}`;
    return `  ${at.padEnd(6)}  ${what.padEnd(15)} ${words}${by}`;
  };
  const many = outcomes.length > 1;
  return [
    ...steps.map(line),
    ...outcomes.flatMap((outcome) => [
      ...(many ? [`  ${percent(outcome.share)} of them:`] : []),
      ...outcome.steps.map((step) => (many ? `  ${line(step)}` : line(step))),
      `${many ? "  " : ""}=> ${verdict(outcome)}`,
    ]),
  ];
}

/** `403 from the server's Envoy: denied by …`. */
export function verdict({ status, answeredBy, reason }: Outcome): string {
  return `${status === undefined ? "the answer" : status} of ${answeredBy}: ${reason}`;
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}
