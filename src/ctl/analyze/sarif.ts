/**
 * Findings as SARIF 2.1.0 (OASIS), which code review tools show beside the lines. Pure.
 */
import { isOfCluster } from "./cluster-place.ts";
import type { Finding } from "./finding.ts";
import { istioMessages, type Level } from "../../controlplane/config/analysis/istio-messages.ts";

const sarifLevels: Readonly<Record<Level, string>> = { Error: "error", Warning: "warning", Info: "note" };

/** One run. @param version of outriderctl */
export function sarifLog(findings: readonly Finding[], version: string): object {
  const rules = [...new Set(findings.map(ruleOf))].toSorted();
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "outriderctl", version, rules: rules.map(ruleFor) } },
        results: findings.map((finding) => ({
          ruleId: ruleOf(finding),
          level: sarifLevels[finding.level],
          message: { text: `${finding.path === "" ? "" : `${finding.path}: `}${finding.message}` },
          locations: [
            {
              physicalLocation: {
                artifactLocation: {
                  uri: isOfCluster(finding.source) ? encodeURI(finding.source) : finding.source,
                },
                ...(finding.line === 0 ? {} : { region: { startLine: finding.line } }),
              },
            },
          ],
        })),
      },
    ],
  };
}

function ruleFor(id: string): object {
  const message = istioMessages[id];
  if (message === undefined) return { id };
  return {
    ...{ id, name: message.name },
    helpUri: `https://istio.io/latest/docs/reference/config/analysis/${id.toLowerCase()}/`,
    defaultConfiguration: { level: sarifLevels[message.level] },
  };
}

function ruleOf({ code, level }: Finding): string {
  return code ?? `OUTRIDER_${level.toUpperCase()}`;
}
