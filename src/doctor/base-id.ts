/**
 * Base IDs of hot restart that others hold: abstract sockets in this network namespace and segments in this
 * `/dev/shm` (Envoy's hot restart documentation). outrider lets Envoy choose a free one.
 */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { sharedMemoryFolder } from "../envoy/generation/shared-memory.ts";
import { type Finding, ok, warning } from "./finding.ts";

/** A segment of some Envoy. */
export interface Segment {
  readonly path: string;
  readonly uid: number;
}

/** What was found. */
export interface BaseIds {
  /** Base IDs with a socket, whoever owns it. */
  readonly inUse: readonly number[];
  readonly segments: readonly Segment[];
  /** The user that Envoy runs as. */
  readonly uid: number;
}

const name = "hot-restart-base-id";

/** A segment of another user cannot be opened or replaced: an Envoy that draws its base ID aborts. */
export function judgeBaseIds({ inUse, segments, uid }: BaseIds): Finding {
  const foreign = uid === 0 ? [] : segments.filter((segment) => segment.uid !== uid);
  if (foreign.length > 0) {
    const list = foreign.map((segment) => `${segment.path} (uid ${segment.uid})`).join(", ");
    return warning(
      name,
      `segments of another user, which uid ${uid} can neither open nor replace: ${list}`,
      `remove them as their owner when no Envoy of theirs runs: rm ${foreign.map(({ path }) => path).join(" ")}`,
    );
  }
  const stale = segments.filter(({ path }) => !inUse.includes(baseIdIn(path))).length;
  const used = inUse.length === 0 ? "no base ID is in use" : `base IDs in use: ${inUse.join(", ")}`;
  return ok(name, `${used}; segments without a running Envoy: ${stale}`);
}

/** Base IDs among the abstract sockets of `/proc/net/unix`: `…_<base ID * 10 + epoch % 3>`. */
export function baseIdsIn(table: string): readonly number[] {
  const found = table.matchAll(/@envoy_domain_socket_(?:udp_)?(?:parent|child)_\d+/g);
  return [...new Set([...found].map(([socket]) => baseIdIn(socket)))].sort((a, b) => a - b);
}

/**
 * The base ID in a name that Envoy ends with `<base ID * 10>` and an epoch; NaN where it is none. Envoy widens the
 * product of a socket's name with a sign, so that of a large one only the lower 32 bits are true.
 */
function baseIdIn(name: string): number {
  const product = /_(\d+)$/.exec(name)?.[1];
  return product === undefined ? NaN : Math.floor(Number(BigInt.asUintN(32, BigInt(product))) / 10);
}

/** @param unixSockets the text of `/proc/net/unix` */
export function lookAtBaseIds(unixSockets: string, uid: number): BaseIds {
  return { inUse: baseIdsIn(unixSockets), segments: segmentsIn(sharedMemoryFolder), uid };
}

function segmentsIn(folder: string): readonly Segment[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.startsWith("envoy_shared_memory_"))
      .map((file) => ({ path: join(folder, file), uid: statSync(join(folder, file)).uid }));
  } catch {
    // A folder that is not there, or a segment that went away meanwhile, holds nobody up.
    return [];
  }
}
