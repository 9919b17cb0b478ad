/**
 * Istio's names of clusters, and the names by which a service can be called.
 */
import type { ServicePort } from "../model/model.ts";

/** `outbound|80|v1|api.demo.svc.cluster.local`. */
export function outboundCluster(host: string, port: number, subset = ""): string {
  return `outbound|${port}|${subset}|${host}`;
}

/** `inbound|8080||`. */
export function inboundCluster(port: number): string {
  return `inbound|${port}||`;
}

/** `outbound_.80_.v1_.api.demo.svc.cluster.local`, the server name of mutual TLS; `outbound_.80_._.…` without a subset. */
export function serverName(host: string, port: number, subset: string): string {
  return `outbound_.${port}_.${subset}_.${host}`;
}

/** Host, its absolute form unless it is a wildcard and, for cluster names, the short forms that a proxy of `namespace` may use. */
export function callableNames(host: string, namespace: string): readonly string[] {
  return namesOf(host, isOfNamespace(host, namespace));
}

/** The same where it is known whether the proxy is of the service's namespace: nothing else of it counts. */
export function namesOf(host: string, isOwn: boolean): readonly string[] {
  // A wildcard's first label is no short name: `*` is every host there is.
  if (host.startsWith("*")) return [host];
  const match = clusterName.exec(host);
  if (match === null) return [host, `${host}.`];
  const [, name = "", own = ""] = match;
  const short = [`${name}.${own}.svc`, `${name}.${own}`];
  return [host, `${host}.`, ...(isOwn ? [name] : []), ...short];
}

/** True for a cluster name of the namespace. */
export function isOfNamespace(host: string, namespace: string): boolean {
  return clusterName.exec(host)?.[2] === namespace;
}

const clusterName = /^([^.]+)\.([^.]+)\.svc\./;

/** True for the ports whose requests are routed one by one, whatever comes. */
export function isHttp({ protocol }: Pick<ServicePort, "protocol">): boolean {
  return protocol === "http" || isHttp2({ protocol });
}

/** True for those of them that speak HTTP/2. */
export function isHttp2({ protocol }: Pick<ServicePort, "protocol">): boolean {
  return protocol === "http2" || protocol === "grpc";
}
