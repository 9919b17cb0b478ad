/**
 * What Envoy refuses, kept beside the cache: an agent that starts anew leads its first Envoy past it.
 *
 * Only what the cache has an accepted resource of is worth keeping.
 */
import { join } from "node:path";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import { inOwnFolder, makeOwnFolder, removeFromOwnFolder } from "../../files/own-folder.ts";
import { readOwnText } from "../../files/read-regular-file.ts";
import { listAt, textAt } from "../../lifecycle/json-path.ts";
import { typeUrl } from "../../xds/type-urls.ts";
import type { Refusal } from "../report/refusal.ts";

/** Refusals that are kept, and characters of Envoy's words for each. */
const limits = { refusals: 256, reason: 1_024 } as const;

/** Below the cache's folder. */
const fileName = "refused.json";

/** Largest file that is read, in bytes. */
const maxBytes = 2_097_152;

/** The file of one agent. */
export class RefusalFile {
  readonly #folder: string;
  readonly #owner: string;

  /** @param owner node and control plane; another one's file is of no use */
  constructor(folder: string, owner: string) {
    this.#folder = folder;
    this.#owner = owner;
  }

  /** What an agent before this one has left; nothing when the file is not there, or is not sound. */
  read(): readonly Refusal[] {
    try {
      const text = inOwnFolder(this.#folder, (anchored) =>
        readOwnText(join(anchored, fileName), { maxBytes }),
      );
      const file: unknown = JSON.parse(text ?? "{}");
      return textAt(file, "owner") === this.#owner ? listAt(file, "refusals").flatMap(readRefusal) : [];
    } catch {
      return [];
    }
  }

  /** @throws FolderNotOursError when the folder is not ours alone, or the system error */
  write(standing: readonly Refusal[]): void {
    const kept = standing.filter((refusal) => refusal.isKept && refusal.typeUrl !== typeUrl.secret);
    if (kept.length === 0) {
      removeFromOwnFolder(this.#folder, [fileName]);
      return;
    }
    makeOwnFolder(this.#folder);
    const refusals = kept.slice(0, limits.refusals).map(({ typeUrl: type, name, reason, since }) => ({
      ...{ typeUrl: type, name, since },
      reason: reason.slice(0, limits.reason),
    }));
    inOwnFolder(this.#folder, (anchored) => {
      writeFileAtomic(join(anchored, fileName), JSON.stringify({ owner: this.#owner, refusals }), 0o600);
    });
  }
}

function readRefusal(kept: unknown): readonly Refusal[] {
  const [type, name, reason] = [textAt(kept, "typeUrl"), textAt(kept, "name"), textAt(kept, "reason")];
  const since = new Date(textAt(kept, "since") ?? "");
  if (type === undefined || name === undefined || reason === undefined || Number.isNaN(since.getTime()))
    return [];
  return [{ typeUrl: type, name, reason, since, serves: "last accepted", wasAccepted: true, isKept: true }];
}
