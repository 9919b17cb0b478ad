/** Volumes of the proxy and where it mounts them: sockets, the token, the root, its own folder, and what the pod's annotations add. */
import { namedIn } from "../annotations.ts";
import type { Fields, Named } from "../pod.ts";
import type { PodSettings } from "../pod-settings.ts";

/** One volume, and where it is. */
interface Mounted {
  readonly volume: Named;
  readonly mount: Fields;
}

/** Seconds: half a day, as Istio asks for. */
const tokenSeconds = 43_200;

export function proxyVolumes(settings: PodSettings): {
  readonly volumes: readonly Named[];
  readonly volumeMounts: readonly Fields[];
} {
  const all = mountedVolumes(settings);
  const { annotations } = settings;
  const added = (name: string): readonly Named[] =>
    namedIn(annotations[`sidecar.istio.io/${name}`] ?? "[]") ?? [];
  return {
    volumes: [...all.map(({ volume }) => volume), ...added("userVolume")],
    volumeMounts: [...all.map(({ mount }) => mount), ...added("userVolumeMount")],
  };
}

function mountedVolumes({ values, annotations }: PodSettings): readonly Mounted[] {
  const at = (name: string, mountPath: string, source: Fields): Mounted => ({
    volume: { name, ...source },
    mount: { name, mountPath },
  });
  const bootstrap = annotations["sidecar.istio.io/bootstrapOverride"];
  return [
    at("workload-socket", "/var/run/secrets/workload-spiffe-uds", { emptyDir: {} }),
    at("credential-socket", "/var/run/secrets/credential-uds", { emptyDir: {} }),
    at("workload-certs", "/var/run/secrets/workload-spiffe-credentials", { emptyDir: {} }),
    ...(values.certProvider === "istiod"
      ? [at("istiod-ca-cert", "/var/run/secrets/istio", { configMap: { name: values.trustBundleName } })]
      : []),
    ...(values.crlConfigMap === ""
      ? []
      : [
          at("istio-ca-crl", "/var/run/secrets/istio/crl", {
            configMap: { name: values.crlConfigMap, optional: true },
          }),
        ]),
    at("istio-data", "/var/lib/istio/data", { emptyDir: {} }),
    ...(bootstrap === undefined
      ? []
      : [at("custom-bootstrap-volume", "/etc/istio/custom-bootstrap", { configMap: { name: bootstrap } })]),
    // In memory: the agent's sockets, and the certificate that a restart begins with.
    at("istio-envoy", "/etc/istio/proxy", { emptyDir: { medium: "Memory" } }),
    at("istio-token", "/var/run/secrets/tokens", {
      projected: {
        sources: [
          {
            serviceAccountToken: {
              audience: values.tokenAudience,
              expirationSeconds: tokenSeconds,
              path: "istio-token",
            },
          },
        ],
      },
    }),
    at("istio-podinfo", "/etc/istio/pod", {
      downwardAPI: {
        items: ["labels", "annotations"].map((path) => ({
          path,
          fieldRef: { fieldPath: `metadata.${path}` },
        })),
      },
    }),
  ];
}

/** All that there may be. */
export const volumeNames: readonly string[] = [
  ...["workload-socket", "credential-socket", "workload-certs", "istiod-ca-cert", "istio-ca-crl"],
  ...["istio-data", "custom-bootstrap-volume", "istio-envoy", "istio-token", "istio-podinfo"],
];
