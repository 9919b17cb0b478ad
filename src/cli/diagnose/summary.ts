/**
 * What a diagnosis says to whoever has a minute: the state, what is wrong and what to do, and what happened last.
 */
import type { Finding } from "../../doctor/finding.ts";
import { statusLines } from "../status/lines.ts";
import type { AgentLook } from "../status/look.ts";

/** Lines of the log. */
const events = 10;

/**
 * @param look undefined, with the reason, where no agent answers
 * @param findings undefined where they could not be had
 */
export function summaryLines(
  look: AgentLook | { readonly reason: string },
  findings: readonly Finding[] | undefined,
  now: Date,
): readonly string[] {
  const state =
    "reason" in look
      ? [`no agent answers: ${look.reason}`]
      : statusLines({ ...look, log: look.log.slice(-events) }, now);
  const wrong = (findings ?? []).flatMap((finding) =>
    finding.verdict === "ok"
      ? []
      : [
          `${finding.verdict === "failure" ? "✖" : "▲"} ${finding.name}: ${finding.seen}`,
          `  → ${finding.remedy}`,
        ],
  );
  const examined = findings === undefined ? "doctor could not look" : "doctor finds nothing wrong";
  return [...state, "", "what outrider doctor finds", ...(wrong.length === 0 ? [examined] : wrong)];
}
