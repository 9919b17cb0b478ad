/** Objects and proxies for what a bad value costs. */
import assert from "node:assert/strict";
import { parseProxy, type Proxy } from "../../src/controlplane/model/proxy.ts";

export const settings = { trustDomains: ["cluster.local"], rootNamespace: "istio-system" } as const;

const ofSecurity = ["PeerAuthentication", "AuthorizationPolicy", "RequestAuthentication"];

/** One document; the content is YAML in braces. */
export function yaml(kind: string, content: string, name = "a"): string {
  const group = ofSecurity.includes(kind) ? "security" : "networking";
  const version = kind === "EnvoyFilter" ? "v1alpha3" : "v1";
  return `apiVersion: ${group}.istio.io/${version}\nkind: ${kind}\nmetadata: {name: ${name}, namespace: demo}\nspec: {${content}}\n`;
}

/** @param mode of interception */
export function demoProxy(mode: string): Proxy {
  const metadata = { NAMESPACE: "demo", LABELS: { a: "b" }, INTERCEPTION_MODE: mode };
  const parsed = parseProxy({ id: "sidecar~10.0.0.1~web-1.demo~demo.svc.cluster.local", metadata });
  assert.ok(parsed !== undefined);
  return parsed;
}
