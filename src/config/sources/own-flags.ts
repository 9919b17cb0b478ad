/**
 * Flags of `proxy` that pilot-agent does not have. An injected pod has no place for flags, so by rule each of them is a
 * variable of the container and an annotation of the pod as well.
 */
import { defaultRestartPolicy } from "../../envoy/supervision/restart-policy.ts";
import { swapModes } from "../../envoy/inspect/swap-mode.ts";
import { defaultHangPolicy } from "../../envoy/supervision/watchdog.ts";
import { defaultTerminationLog } from "../../files/termination-log.ts";
import {
  anyDuration,
  counts,
  type DurationRange,
  type NumberRange,
  positiveCounts,
  someDuration,
} from "../../schema/range.ts";
import { choice, duration, flag, integer, optionalText, text } from "../../schema/setting.ts";
import { wordsOf } from "../../schema/own-variables.ts";
import { metricNames } from "./metric-names.ts";
import { rotationNotice } from "./rotation-notice.ts";
import { scrapeTargets } from "./scrape-targets.ts";
import { socketMode } from "./socket-mode.ts";

/** Of DNS answers, in seconds (RFC 2181, 8). */
const ttls: NumberRange = { least: 0, most: 2_147_483_647 };

/** Of DNS answers that are kept. */
const cacheSizes: NumberRange = { least: 0, most: 100_000 };

/** What Prometheus may wait for. */
const scrapeTimes: DurationRange = { leastMs: 100, mostMs: 120_000 };

/** In the order in which help lists them. */
export const ownFlags = {
  platformMetadataDeadline: duration(
    250,
    anyDuration,
    "Longest time that a cloud's metadata service may delay Envoy; 0s does not ask it.",
  ),
  swapMode: choice(
    swapModes,
    "auto",
    "How a new Envoy takes over: overlap, hot, cold, or auto for the first of them that is possible.",
  ),
  swapTimeout: duration(30_000, someDuration, "Longest time until a new Envoy is LIVE."),
  swapProofTimeout: duration(
    5_000,
    someDuration,
    "Longest time from LIVE until a new Envoy is proven to serve.",
  ),
  swapProbation: duration(
    10_000,
    someDuration,
    "How long a new bootstrap must serve before a crash no longer goes back to the one before it.",
  ),
  restartBudget: integer(
    defaultRestartPolicy.budget,
    counts,
    "Restarts of Envoy within --restartWindow before the agent gives up and exits with Envoy's code.",
  ),
  restartWindow: duration(defaultRestartPolicy.windowMs, someDuration, "Sliding window of --restartBudget."),
  restartBackoff: duration(
    defaultRestartPolicy.backoff.initialMs,
    someDuration,
    "Delay after the second death in a row before Envoy served; it doubles with each.",
  ),
  restartMaxBackoff: duration(
    defaultRestartPolicy.backoff.maxMs,
    someDuration,
    "Longest delay of a restart.",
  ),
  restartStableAfter: duration(
    defaultRestartPolicy.stableAfterMs,
    someDuration,
    "An Envoy that has served this long makes earlier deaths count no more.",
  ),
  hangCheckInterval: duration(
    defaultHangPolicy.intervalMs,
    someDuration,
    "Between two checks of Envoy's main thread while it does not answer; else a tenth as many.",
  ),
  hangCheckTimeout: duration(
    defaultHangPolicy.timeoutMs,
    someDuration,
    "How long Envoy may take to answer a check.",
  ),
  hangChecks: integer(
    defaultHangPolicy.failures,
    positiveCounts,
    "Unanswered checks in a row after which an Envoy whose main thread does nothing is replaced.",
  ),
  hangChecksBusy: integer(
    defaultHangPolicy.busyFailures,
    positiveCounts,
    "The same for one whose main thread is busy, with a large configuration perhaps.",
  ),
  socketMode: socketMode("0600", "Mode of the socket that private keys pass through."),
  identityCache: text(
    "auto",
    "Keeps the last certificate for a restart: auto (<configPath>/identity-cache if in memory), off or a folder.",
  ),
  identityCacheOnDisk: flag(false, "Let --identityCache be on a disk, private key included."),
  onRotate: rotationNotice(
    "What follows the first certificate and each rotation: a command with arguments, or SIGHUP:/run/app.pid.",
  ),
  preDrainDelay: duration(
    0,
    anyDuration,
    "How long Envoy serves on after SIGTERM, readiness red, before it drains.",
  ),
  appSocket: optionalText(
    "Unix socket that an application holds while it lives (default <configPath>/app.sock); off for none.",
  ),
  appGrace: duration(1_000, anyDuration, "How long nobody may hold that socket before the sidecar ends."),
  xdsCache: flag(
    true,
    "Keep the configuration that Envoy acknowledged (<configPath>/xds-cache), for a start without control plane.",
  ),
  xdsCacheAfter: duration(
    2_000,
    anyDuration,
    "How long the control plane may be gone before Envoy is served from the cache.",
  ),
  dnsGate: duration(
    15_000,
    anyDuration,
    "How long DNS queries fail while the first name table is awaited; then all of them are forwarded.",
  ),
  dnsTtl: integer(30, ttls, "Seconds that DNS answers from the name table may be kept."),
  dnsShuffle: flag(true, "Give the addresses of a name in another order with each DNS answer."),
  dnsCache: integer(1_000, cacheSizes, "Answers of upstream DNS servers that are kept; 0 for none."),
  dnsServeStale: duration(
    3_600_000,
    anyDuration,
    "How long such an answer may serve after its end while no upstream answers; 0s for never.",
  ),
  dnsClientLimit: integer(
    1_000,
    positiveCounts,
    "Forwarded DNS queries of one client that may be open at once; more are refused.",
  ),
  wasmFolder: text("/var/lib/istio/data", "Folder for the Wasm modules that are fetched for Envoy."),
  metricsTargets: scrapeTargets(
    "Applications whose metrics are merged with Envoy's and the agent's, as port:path; beside those that Istio names.",
  ),
  metricsTimeout: duration(
    10_000,
    scrapeTimes,
    "Longest time of a scrape of the merged metrics, where the scraper names none.",
  ),
  metricsMaxBytes: integer(
    134_217_728,
    { least: 1, most: Number.MAX_SAFE_INTEGER },
    "What each source of the merged metrics may write, in bytes; what comes after that is left out.",
  ),
  metricsMaxSeries: integer(
    1_000_000,
    positiveCounts,
    "Series that each source of the merged metrics may have; what comes after that is left out.",
  ),
  metricsDrop: metricNames(
    "Metrics that are left out of the merged ones: a regular expression (RE2) for the whole name.",
  ),
  metricsKeep: metricNames(
    "Metrics that the merged ones are kept to: a regular expression (RE2) for the whole name.",
  ),
  runtimeFolder: text(
    "",
    "Folder in which the agent says where it is, for commands beside it (default /run/outrider for root, " +
      "$XDG_RUNTIME_DIR/outrider or outrider-<uid> among the temporary files for others).",
  ),
  terminationLog: {
    ...optionalText(
      `File that gets the reason of a failure (default ${defaultTerminationLog}, where it can be written); off for none.`,
    ),
    takesEmpty: true,
  },
} as const;

/**
 * What weakens the pod, or makes the agent run or write something. Whoever writes the container, its platform, says it
 * over whoever annotates the pod: their variable counts over the annotation.
 */
export const guardedFlags: ReadonlySet<string> = new Set<keyof typeof ownFlags>([
  "socketMode",
  "identityCache",
  "identityCacheOnDisk",
  "onRotate",
  "appSocket",
  "wasmFolder",
  "terminationLog",
  "runtimeFolder",
]);

/** `swapMode` as `outrider.dev/swap-mode`. */
export function annotationOf(flag: string): string {
  return `outrider.dev/${wordsOf(flag).join("-")}`;
}
