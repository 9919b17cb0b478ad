/**
 * What is loaded while Envoy boots: gRPC, metrics and the servers cost as much as the agent's whole start before them.
 */
export { announced } from "../status/announced.ts";
export { announceAgent } from "./announce.ts";
export { listenOnAdminPort } from "./admin-port.ts";
export { listenForApplication } from "./application.ts";
export { startControlPlaneServices } from "./control-plane-services.ts";
export { nameTableState, startDns } from "./dns.ts";
export { keepSockets, SocketLosses } from "./keep-sockets.ts";
export { agentMetrics } from "./metrics.ts";
export { newcomerServices } from "./newcomer-services.ts";
export { endWithoutEnvoy, writeGrpcBootstrap } from "./proxyless.ts";
export { agentStarted, startOtlp } from "./otlp.ts";
export { followProblems } from "./problems.ts";
export { readinessProbe } from "./readiness-probe.ts";
export { listenOnStatusPort } from "./status-port.ts";
export { startWorkloadHealth } from "./workload-health.ts";
