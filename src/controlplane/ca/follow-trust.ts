/**
 * The CA's files and the JWKS are replaced while the control plane runs: what comes new is used, and what is gone is
 * trusted no longer, within a second or two. What cannot be used leaves the last good state as it is.
 */
import { errorMessage } from "../../lifecycle/error-message.ts";
import { FileFollower, type FileTexts } from "../../files/file-follower.ts";
import { Watch } from "../../lifecycle/watch.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { TokenAuthenticator } from "./authenticate.ts";
import type { CertificateAuthority } from "./authority.ts";
import { parseJwks } from "./jwks.ts";
import type { CaFolder } from "./material.ts";

/** What is followed, and who uses it. */
export interface FollowedTrust {
  readonly ca: CaFolder;
  /** Undefined where the keys of tokens are not in a file. */
  readonly jwksFile: string | undefined;
  readonly authority: CertificateAuthority;
  readonly authenticator: TokenAuthenticator;
  readonly log: Logger;
}

/** Follow until `signal` aborts. */
export async function followTrust(trust: FollowedTrust, signal: AbortSignal): Promise<void> {
  const { ca, jwksFile } = trust;
  const paths = [...ca.paths, ...(jwksFile === undefined ? [] : [jwksFile])];
  const texts = new Watch<FileTexts>(new Map());
  const follower = new FileFollower(
    () => paths,
    (newest) => {
      texts.set(newest);
    },
  );
  await Promise.all([follower.run(signal), useTexts(trust, texts, signal)]);
}

async function useTexts(trust: FollowedTrust, texts: Watch<FileTexts>, signal: AbortSignal): Promise<void> {
  let previous: FileTexts | undefined;
  for await (const newest of texts.changes(signal)) {
    if (newest.size === 0) continue;
    const before = previous;
    previous = newest;
    const isNew = (path: string): boolean => !isSame(before?.get(path), newest.get(path));
    // The first look is at what was read at the start, or at what came since.
    if (trust.jwksFile !== undefined && isNew(trust.jwksFile)) useJwks(trust, trust.jwksFile, newest);
    if (trust.ca.paths.some(isNew)) await useCa(trust);
  }
}

function useJwks({ authenticator, log }: FollowedTrust, path: string, texts: FileTexts): void {
  const file = texts.get(path);
  const outcome =
    file?.kind === "read"
      ? parseJwks(file.text)
      : { kind: "unusable" as const, problem: `cannot be read: ${file?.reason ?? "it is not there"}` };
  if (outcome.kind === "unusable") {
    log.error("JWKS refused, the last good one stays", { file: path, reason: outcome.problem });
    return;
  }
  authenticator.trust(outcome.jwks);
  log.info("JWKS in use", {
    file: path,
    keys: outcome.jwks.keys.length,
    leftOut: outcome.leftOut.join("; "),
  });
}

async function useCa({ ca, authority, log }: FollowedTrust): Promise<void> {
  try {
    if (!authority.replace(await ca.read())) return;
    log.info("CA replaced", { files: ca.paths.join(", ") });
  } catch (error) {
    log.error("CA refused, the last good one stays", { reason: errorMessage(error) });
  }
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
