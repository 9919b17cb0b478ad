/** Conditions of readiness, with Envoy and without, and what to do about each. */
import type { EnvoyCondition } from "../envoy/admin/readiness.ts";
import type { ConditionFinding } from "../status/contract/readiness.ts";

/** What an agent that is ready holds. */
export type Condition = EnvoyCondition | "certificate" | "certificate-files" | "name-table";

/** What to do, by the condition that fails. */
const remedies: Readonly<Record<Condition, string>> = {
  process: "`outrider status` shows how the last Envoys ended; a pod that is being stopped needs nothing",
  clusters:
    "see that the named clusters' addresses can be had: `outrider doctor` asks the pod's name servers",
  configuration:
    "`outrider xds` shows what the control plane sent and what Envoy refused; `outrider doctor` asks it",
  live: "GET /init_dump on the admin port says what Envoy's start still waits for",
  workers: "GET /init_dump on the admin port says what Envoy's start still waits for",
  generation: "`outrider status` shows what this Envoy lacks; `outrider doctor` looks for the cause",
  certificate: "`outrider certs` shows the certificate, and `outrider doctor` asks the CA",
  "certificate-files": "see that OUTPUT_CERTS is a folder that the agent may write to",
  "name-table": "see that the control plane serves the name table (NDS), or unset ISTIO_META_DNS_CAPTURE",
};

/** @param reason why it fails; undefined for one that holds */
export function finding(name: Condition, reason: string | undefined): ConditionFinding {
  if (reason === undefined) return { name, status: "holds" };
  return { name, status: "fails", reason, remedy: remedies[name] };
}
