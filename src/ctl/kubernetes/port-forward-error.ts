/**
 * Why a port of a pod cannot be reached through the cluster's API, and what to do about it. Pure.
 */
import { isMapping } from "../../document/mapping.ts";
import { textOf } from "../../controlplane/kubernetes/resource.ts";

/** A port of a pod. */
export interface PodPort {
  readonly namespace: string;
  readonly pod: string;
  readonly port: number;
}

/** The message names pod and port, says what came of it, and what to do. */
export class PortForwardError extends Error {
  override readonly name = "PortForwardError";
}

/** Longest part of an answer that is quoted, in characters. */
const quoted = 300;

/** @param body of the API's answer, a Status of its own where it is one */
export function refusedForward(target: PodPort, status: number, body: unknown): PortForwardError {
  const said = isMapping(body) ? textOf(body["message"]).slice(0, quoted) : "";
  const words = `status ${status}${said === "" ? "" : `, ${JSON.stringify(said)}`}`;
  return forwardError(target, words, remedyOf(target, status));
}

function remedyOf({ namespace, pod }: PodPort, status: number): string {
  switch (status) {
    case 401:
      return "Look at the credential: the kubeconfig's user";
    case 403:
      return `Who asks needs the verbs get and create of pods/portforward in the namespace ${namespace}`;
    case 404:
      return `Is there a pod ${pod} in the namespace ${namespace}? Perhaps it has been replaced since: ask again`;
    default:
      return "Look at the pod's node: the cluster's API asks its kubelet for it";
  }
}

/** What the node says of a port once it has been asked for it. @param said in its own words */
export function closedPort(target: PodPort, said: string): PortForwardError {
  const { pod, namespace } = target;
  return forwardError(
    target,
    `its node says ${JSON.stringify(said.trim().slice(0, quoted))}`,
    `Does anybody listen there? \`kubectl describe pod ${pod} -n ${namespace}\` tells whether its containers run`,
  );
}

/** @param words what came of it @param remedy a whole sentence without its end */
export function forwardError(
  { namespace, pod, port }: PodPort,
  words: string,
  remedy: string,
  cause?: unknown,
): PortForwardError {
  const message = `port ${port} of the pod ${pod}.${namespace} cannot be reached through the cluster: ${words}. ${remedy}`;
  return new PortForwardError(message, { cause });
}
