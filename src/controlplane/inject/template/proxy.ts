/** The container of agent and Envoy. */
import type { Container, Fields } from "../pod.ts";
import { type PodSettings, proxyUser } from "../pod-settings.ts";
import { proxyEnvironment } from "./environment.ts";

/** The proxy's container, `volumeMounts` left to whoever has the volumes. */
export function proxyContainer(settings: PodSettings): Container {
  const { values, annotations, images, isNative, resources } = settings;
  return {
    name: "istio-proxy",
    image: images.proxy,
    ...(values.image.pullPolicy === "" ? {} : { imagePullPolicy: values.image.pullPolicy }),
    ...(isNative ? { restartPolicy: "Always" } : {}),
    args: proxyArguments(settings),
    ports: [{ name: "http-envoy-prom", containerPort: 15_090, protocol: "TCP" }],
    env: proxyEnvironment(settings),
    ...lifecycleOf(settings),
    ...probesOf(settings, annotations),
    resources,
    securityContext: securityContextOf(settings),
  };
}

function proxyArguments({ kind, values, annotations }: PodSettings): readonly string[] {
  const { proxy } = values;
  const level = (name: string, fallback: string): string =>
    annotations[`sidecar.istio.io/${name}`] ?? fallback;
  return [
    "proxy",
    kind === "gateway" ? "router" : "sidecar",
    "--domain",
    `$(POD_NAMESPACE).svc.${proxy.clusterDomain}`,
    `--proxyLogLevel=${level("logLevel", proxy.logLevel)}`,
    `--proxyComponentLogLevel=${level("componentLogLevel", proxy.componentLogLevel)}`,
    `--log_output_level=${level("agentLogLevel", values.agentLogLevel)}`,
    ...(values.stsPort === 0 ? [] : [`--stsPort=${values.stsPort}`]),
    ...(values.logAsJson ? ["--log_as_json"] : []),
    ...(proxy.outlierLogPath === "" ? [] : [`--outlierLogPath=${proxy.outlierLogPath}`]),
  ];
}

function lifecycleOf({ values, holdsApplication, isNative, statusPort }: PodSettings): Fields {
  const exec = (...command: readonly string[]): Fields => ({
    exec: { command: ["pilot-agent", ...command] },
  });
  if (values.proxy.lifecycle !== undefined) return { lifecycle: values.proxy.lifecycle };
  if (holdsApplication) return { lifecycle: { postStart: exec("wait") } };
  // When the application is to end, others are told to call it no more, while it still answers.
  if (isNative)
    return { lifecycle: { preStop: exec("request", `--debug-port=${statusPort}`, "POST", "drain") } };
  return {};
}

function probesOf(
  { values, statusPort, kind }: PodSettings,
  annotations: PodSettings["annotations"],
): Fields {
  const { readiness, startup } = values.proxy;
  if (statusPort === 0) return {};
  const asked = { httpGet: { path: "/healthz/ready", port: 15_021 } };
  const of = (name: keyof typeof readiness): number =>
    Number(annotations[`readiness.status.sidecar.istio.io/${name}`] ?? readiness[name]);
  return {
    ...(startup.enabled && kind === "sidecar"
      ? {
          startupProbe: {
            ...asked,
            initialDelaySeconds: 0,
            periodSeconds: 1,
            timeoutSeconds: 3,
            failureThreshold: startup.failureThreshold,
          },
        }
      : {}),
    readinessProbe: {
      ...asked,
      initialDelaySeconds: of("initialDelaySeconds"),
      periodSeconds: of("periodSeconds"),
      timeoutSeconds: 3,
      failureThreshold: of("failureThreshold"),
    },
  };
}

function securityContextOf({ values, annotations, interception, user }: PodSettings): Fields {
  const { proxy } = values;
  const binds = annotations["sidecar.istio.io/capNetBindService"] ?? String(proxy.capNetBindService);
  const added = [
    ...(interception === "TPROXY" ? ["NET_ADMIN"] : []),
    ...(binds === "true" ? ["NET_BIND_SERVICE"] : []),
  ];
  return {
    allowPrivilegeEscalation: proxy.privileged,
    capabilities: { ...(added.length === 0 ? {} : { add: added }), drop: ["ALL"] },
    privileged: proxy.privileged,
    readOnlyRootFilesystem: true,
    // Capabilities of a file or a process that begins as another user would be lost.
    ...(added.length === 0
      ? { runAsGroup: user.gid, runAsNonRoot: true, runAsUser: user.uid }
      : { runAsGroup: proxyUser, runAsNonRoot: false, runAsUser: 0 }),
    ...(proxy.seccompProfile && { seccompProfile: proxy.seccompProfile }),
  };
}
