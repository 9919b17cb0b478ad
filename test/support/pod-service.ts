/** The application of a pod, as the mesh knows it and as a stranger meets it. */
import { fetchHttp } from "../../src/net/http-client.ts";
import { applicationPorts } from "./pod-application.ts";

/** Where its service and its pod are. */
export interface PodServicePlace {
  /** A cluster IP, which no machine has. */
  readonly serviceAddress: string;
  readonly podAddress: string;
}

/** A service in the namespace demo with a port for each protocol of the application. */
export function podService(name: string, { serviceAddress, podAddress }: PodServicePlace): object {
  const { http, https, grpc, tcp } = applicationPorts;
  return {
    apiVersion: "networking.istio.io/v1",
    kind: "ServiceEntry",
    metadata: { name, namespace: "demo" },
    spec: {
      hosts: [`${name}.demo.svc.cluster.local`],
      addresses: [serviceAddress],
      location: "MESH_INTERNAL",
      resolution: "STATIC",
      ports: [
        { number: 80, name: "http", protocol: "HTTP" },
        { number: 443, name: "https", protocol: "HTTPS" },
        { number: grpc, name: "grpc", protocol: "GRPC" },
        { number: tcp, name: "tcp", protocol: "TCP" },
      ],
      endpoints: [{ address: podAddress, ports: { http, https, grpc, tcp }, serviceAccount: name }],
    },
  };
}

/** What somebody outside the mesh gets from a pod, in plain text: its answer's status, or that it is refused. */
export function callInPlainText(podAddress: string): Promise<string> {
  return fetchHttp({
    target: { host: podAddress, port: applicationPorts.http },
    url: "/",
    timeoutMs: 10_000,
  }).then(
    ({ status }) => `answered ${status}`,
    () => "refused",
  );
}
