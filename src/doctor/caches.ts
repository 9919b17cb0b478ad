/**
 * What a sidecar that is started while the control plane is down would serve with: the last certificate and the last
 * configuration that were kept.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { AgentConfig } from "../config/agent-config.ts";
import type { Actor } from "../files/ownership.ts";
import { keptIdentity } from "../identity/identity-cache.ts";
import { errorCode, errorMessage } from "../lifecycle/error-message.ts";
import { formatDuration } from "../lifecycle/format-duration.ts";
import { userOf } from "../process/user.ts";
import { type Finding, ok, warning } from "./finding.ts";
import type { Check } from "./run-checks.ts";

/** What was found of one of them; undefined where it is switched off. */
export type Kept =
  | { readonly kind: "kept"; readonly at: Date; readonly until: Date | undefined }
  | { readonly kind: "nothing" }
  | { readonly kind: "unreadable"; readonly reason: string }
  /** This user may not read it, which says nothing about the agent's. */
  | { readonly kind: "not-told"; readonly reason: string }
  | undefined;

const name = "caches";

/** Both are needed to serve mutual TLS without a control plane. */
export function judgeCaches(identity: Kept, configuration: Kept, now: Date): Finding {
  const seen = `${describe("certificate", identity, now)}; ${describe("configuration", configuration, now)}`;
  const broken = [identity, configuration].find((kept) => kept?.kind === "unreadable");
  if (broken !== undefined)
    return warning(name, seen, "let the folder belong to the agent's user, who alone may read it");
  if ([identity, configuration].some((kept) => kept?.kind === "not-told"))
    return warning(
      name,
      seen,
      "ask again while the agent runs, or as its user; where this is its user, let the folder belong to it",
    );
  const isOver = identity?.kind === "kept" && identity.until !== undefined && identity.until <= now;
  if (!isOver) return ok(name, seen);
  return warning(name, seen, "a restart serves nothing until the CA answers: see the finding ca");
}

function describe(what: string, kept: Kept, now: Date): string {
  switch (kept?.kind) {
    case undefined:
      return `no ${what} is to be kept for a restart`;
    case "nothing":
      return `no ${what} is kept for a restart yet`;
    case "unreadable":
      return `the kept ${what} cannot be read: ${kept.reason}`;
    case "not-told":
      return `whether a ${what} is kept cannot be told as this user: ${kept.reason}`;
    case "kept": {
      const ago = formatDuration(now.getTime() - kept.at.getTime());
      if (kept.until === undefined) return `a ${what} of ${ago} ago is kept for a restart`;
      const restMs = kept.until.getTime() - now.getTime();
      const rest =
        restMs > 0 ? `valid for ${formatDuration(restMs)}` : `expired ${formatDuration(-restMs)} ago`;
      return `a ${what} of ${ago} ago is kept for a restart, ${rest}`;
    }
  }
}

/**
 * None for a configuration that cannot be used.
 *
 * @param agentPid whose caches they are; undefined where no agent runs
 */
export function cacheChecks(config: AgentConfig | undefined, agentPid: number | undefined): readonly Check[] {
  if (config === undefined) return [];
  const { identity, xds } = config;
  return [
    {
      name,
      run: () => {
        const agent = agentPid === undefined ? undefined : userOf(agentPid);
        return [
          judgeCaches(
            lookAtIdentity(identity.cache?.folder, agent),
            lookAtFolder(xds.cache?.folder, agent),
            new Date(),
          ),
        ];
      },
    },
  ];
}

/** @param agent whose cache it is; undefined where nobody knows */
export function lookAtIdentity(folder: string | undefined, agent: Actor | undefined): Kept {
  if (folder === undefined) return undefined;
  try {
    const { keptAt, notAfter } = keptIdentity(folder, agent);
    return { kind: "kept", at: keptAt, until: notAfter };
  } catch (error) {
    return notKept(error, agent);
  }
}

function lookAtFolder(folder: string | undefined, agent: Actor | undefined): Kept {
  if (folder === undefined) return undefined;
  try {
    const times = readdirSync(folder).map((file) => statSync(join(folder, file)).mtimeMs);
    if (times.length === 0) return { kind: "nothing" };
    return { kind: "kept", at: new Date(Math.max(...times)), until: undefined };
  } catch (error) {
    return notKept(error, agent);
  }
}

/** A system's refusal is about this process, so only the agent's own user and root can say that something is wrong. */
function notKept(error: unknown, agent: Actor | undefined): Kept {
  const code = errorCode(error);
  if (code === "ENOENT") return { kind: "nothing" };
  const caller = process.geteuid?.() ?? 0;
  const speaksForAgent = agent !== undefined && (caller === 0 || caller === agent.uid);
  const isAboutUser = code === "EACCES" || code === "EPERM" || code === "NOT_OURS";
  const kind = isAboutUser && !speaksForAgent ? "not-told" : "unreadable";
  return { kind, reason: errorMessage(error) };
}
