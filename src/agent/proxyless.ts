/**
 * What a proxyless gRPC application gets instead of an Envoy: a bootstrap of its own and certificates in files.
 */
import { accessSync } from "node:fs";
import { dirname, join } from "node:path";
import { grpcBootstrapText } from "../bootstrap/grpc-bootstrap.ts";
import type { ProxylessOptions } from "../config/agent-config.ts";
import { stopEnd } from "../envoy/drain/stop-step.ts";
import type { SupervisionEnd } from "../envoy/supervision/shown.ts";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { makeFolder } from "../files/folder.ts";
import { identityObstacle, type IdentityState } from "../identity/identity-state.ts";
import { aborted } from "../lifecycle/sleep.ts";
import type { ReadonlyWatch } from "../lifecycle/watch.ts";
import type { ConditionFinding } from "../status/contract/readiness.ts";
import type { Logger } from "../telemetry/log.ts";
import { finding } from "./condition-finding.ts";
import type { FoundReadiness } from "./readiness.ts";

/** Write what gRPC reads when the application starts, where that is wanted. */
export function writeGrpcBootstrap({ bootstrapPath, bootstrap }: ProxylessOptions, log: Logger): void {
  if (bootstrapPath === undefined) return;
  makeFolder(dirname(bootstrapPath), 0o755);
  // The application has a user of its own; there is no secret in it.
  writeFileAtomic(bootstrapPath, grpcBootstrapText(bootstrap), 0o644);
  log.info("bootstrap of proxyless gRPC written", { path: bootstrapPath });
}

/**
 * Ready when the application has its certificate, and the files of it.
 *
 * @param folder where the files are to be; undefined writes none
 */
export function findReadinessWithoutEnvoy(
  identity: IdentityState,
  folder: string | undefined,
  now: Date,
): FoundReadiness {
  const { secret, problem } = identity;
  const scarce =
    secret === undefined
      ? (problem?.message ?? "the workload certificate is not there yet")
      : identityObstacle(identity, now);
  const missing = folder === undefined || secret === undefined ? undefined : missingFile(folder);
  const unwritten = missing === undefined ? undefined : `${missing} is not written yet`;
  const findings = [
    finding("certificate", scarce),
    ...(folder === undefined
      ? []
      : [secret === undefined ? unknownFiles : finding("certificate-files", unwritten)]),
  ];
  const reason = scarce ?? unwritten;
  return reason === undefined ? { ready: true, findings } : { ready: false, reason, findings };
}

const unknownFiles: ConditionFinding = { name: "certificate-files", status: "unknown" };

function missingFile(folder: string): string | undefined {
  return ["cert-chain.pem", "key.pem", "root-cert.pem"]
    .map((name) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path);
        return false;
      } catch {
        return true;
      }
    });
}

/**
 * Resolves once an end is asked for: there is nothing to drain.
 *
 * @param failed aborts when a part has failed
 */
export async function endWithoutEnvoy(
  identity: ReadonlyWatch<IdentityState>,
  failed: AbortSignal,
  { shutdown, applicationEnded }: { readonly shutdown: AbortSignal; readonly applicationEnded: AbortSignal },
): Promise<SupervisionEnd> {
  await aborted(AbortSignal.any([failed, shutdown, applicationEnded]));
  return {
    kind: stopEnd({
      wasEverReady: identity.current.secret !== undefined,
      applicationEnded: applicationEnded.aborted,
      isCut: false,
    }),
  };
}
