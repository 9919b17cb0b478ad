/**
 * Notice of files that authenticate the workload or its control plane: what was missing or wrong may be right now.
 */
import type { AgentConfig } from "../config/agent-config.ts";
import { followChanges } from "../files/file-changes.ts";
import type { ServerTrust } from "../grpc/server-trust.ts";
import type { TaskGroup } from "../lifecycle/task-group.ts";
import { type ReadonlyWatch, Watch } from "../lifecycle/watch.ts";

/** How often one of them was replaced, followed in `tasks`. */
export function followCredentials(
  { identity, xds }: Pick<AgentConfig, "identity" | "xds">,
  tasks: TaskGroup,
): ReadonlyWatch<number> {
  const changes = new Watch(0);
  const paths = [identity.tokenPath, ...filesOf(identity.tls), ...filesOf(xds.upstream.tls)];
  tasks.spawn("follow-credentials", (signal) =>
    followChanges(
      () => paths,
      () => {
        changes.set(changes.current + 1);
      },
      signal,
    ),
  );
  return changes;
}

function filesOf(tls: ServerTrust | undefined): readonly string[] {
  if (tls === undefined) return [];
  const { rootCertificatePath, clientCertificate } = tls;
  return [
    // The operating system's are no file of the workload's.
    ...(rootCertificatePath === "SYSTEM" ? [] : [rootCertificatePath]),
    ...(clientCertificate === undefined
      ? []
      : [clientCertificate.certificateChainPath, clientCertificate.privateKeyPath]),
  ];
}
