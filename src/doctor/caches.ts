/**
 * What a sidecar that is started while the control plane is down would serve with: the last certificate and the last
 * configuration that were kept.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { AgentConfig } from "../config/agent-config.ts";
import { keptIdentity } from "../identity/identity-cache.ts";
import { errorCode, errorMessage } from "../lifecycle/error-message.ts";
import { formatDuration } from "../lifecycle/format-duration.ts";
import { type Finding, ok, warning } from "./finding.ts";
import type { Check } from "./run-checks.ts";

/** What was found of one of them; undefined where it is switched off. */
export type Kept =
  | { readonly kind: "kept"; readonly at: Date; readonly until: Date | undefined }
  | { readonly kind: "nothing" }
  | { readonly kind: "unreadable"; readonly reason: string }
  | undefined;

const name = "caches";

/** Both are needed to serve mutual TLS without a control plane. */
export function judgeCaches(identity: Kept, configuration: Kept, now: Date): Finding {
  const seen = `${describe("certificate", identity, now)}; ${describe("configuration", configuration, now)}`;
  const broken = [identity, configuration].find((kept) => kept?.kind === "unreadable");
  if (broken !== undefined)
    return warning(name, seen, "let the folder belong to the agent's user, who alone may read it");
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
    case "kept": {
      const ago = formatDuration(Math.max(0, now.getTime() - kept.at.getTime()));
      if (kept.until === undefined) return `a ${what} of ${ago} ago is kept for a restart`;
      const restMs = kept.until.getTime() - now.getTime();
      const rest =
        restMs > 0 ? `valid for ${formatDuration(restMs)}` : `expired ${formatDuration(-restMs)} ago`;
      return `a ${what} of ${ago} ago is kept for a restart, ${rest}`;
    }
  }
}

/** None for a configuration that cannot be used. */
export function cacheChecks(config: AgentConfig | undefined): readonly Check[] {
  if (config === undefined) return [];
  const { identity, xds } = config;
  return [
    {
      name,
      run: () => [
        judgeCaches(lookAtIdentity(identity.cache?.folder), lookAtFolder(xds.cache?.folder), new Date()),
      ],
    },
  ];
}

function lookAtIdentity(folder: string | undefined): Kept {
  if (folder === undefined) return undefined;
  try {
    const { keptAt, notAfter } = keptIdentity(folder);
    return { kind: "kept", at: keptAt, until: notAfter };
  } catch (error) {
    return notKept(error);
  }
}

function lookAtFolder(folder: string | undefined): Kept {
  if (folder === undefined) return undefined;
  try {
    const times = readdirSync(folder).map((file) => statSync(join(folder, file)).mtimeMs);
    if (times.length === 0) return { kind: "nothing" };
    return { kind: "kept", at: new Date(Math.max(...times)), until: undefined };
  } catch (error) {
    return notKept(error);
  }
}

function notKept(error: unknown): Kept {
  return errorCode(error) === "ENOENT"
    ? { kind: "nothing" }
    : { kind: "unreadable", reason: errorMessage(error) };
}
