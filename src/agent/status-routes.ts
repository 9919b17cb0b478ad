/**
 * The table of the status port: one row for each route, whatever feature it comes from. The first that fits answers.
 */
import { appHealthRoute, appLifecycleRoute } from "../app-probes/route.ts";
import { explainRoute, nameTableRoute } from "../dns/report/routes.ts";
import { plainScrapeRoute, scrapeRoute } from "../scrape/scrape-route.ts";
import { configurationRoute } from "../status/routes/configuration.ts";
import { drainRoute } from "../status/routes/drain.ts";
import { logRoute } from "../status/routes/log.ts";
import { liveRoute } from "../status/routes/live.ts";
import { certificatesRoute, generationsRoute } from "../status/routes/parts-of-report.ts";
import { cpuProfileRoute, heapSnapshotRoute, profilesRoute } from "../status/routes/profiles.ts";
import { quitRoute } from "../status/routes/quit.ts";
import { readinessRoute } from "../status/routes/readiness.ts";
import { reloadRoute } from "../status/routes/reload.ts";
import { reportRoute } from "../status/routes/report.ts";
import type { PartsOf, Route } from "../status/contract/route.ts";
import { pageEventsRoute, pageRoute } from "../status-page/routes.ts";
import { exchangesRoute } from "../xdsproxy/report/exchanges-route.ts";

const rows = [
  readinessRoute,
  liveRoute,
  appHealthRoute,
  appLifecycleRoute,
  scrapeRoute,
  plainScrapeRoute,
  reportRoute,
  generationsRoute,
  certificatesRoute,
  configurationRoute,
  exchangesRoute,
  nameTableRoute,
  explainRoute,
  logRoute,
  profilesRoute,
  cpuProfileRoute,
  heapSnapshotRoute,
  reloadRoute,
  drainRoute,
  quitRoute,
  pageRoute,
  pageEventsRoute,
] as const;

/** What all of them work with. */
export type StatusParts = PartsOf<typeof rows>;

/** In the order in which the documentation has them. */
export const statusRoutes: readonly Route<StatusParts>[] = rows;

/** Those that --profiling switches. */
const profiles: readonly Route<StatusParts>[] = [profilesRoute, cpuProfileRoute, heapSnapshotRoute];

/** The rows that are served. */
export function servedRoutes({ profiling }: { readonly profiling: boolean }): readonly Route<StatusParts>[] {
  return profiling ? statusRoutes : statusRoutes.filter((route) => !profiles.includes(route));
}
