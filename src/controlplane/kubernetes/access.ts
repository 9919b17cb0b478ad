/**
 * Where the API of Kubernetes is, and as whom it is asked.
 */
import type { OutgoingHttpHeaders } from "node:http";
import type { RequestOptions } from "node:https";

/** One cluster's API. */
export interface KubernetesAccess {
  /** Such as `https://10.96.0.1:443`, with a path perhaps. */
  readonly server: string;
  /** Of what is named without one, as a context of a kubeconfig has it. */
  readonly namespace?: string | undefined;
  /**
   * How the server is known and who is asking, for one request: tokens and roots are replaced while the control plane runs.
   *
   * @throws Error when a file of the credential cannot be read, or the program that gives it fails
   */
  credentials(): Promise<Credentials>;
}

/** The part of a request that proves who is at either end. */
export type Credentials = Pick<
  RequestOptions,
  "ca" | "cert" | "key" | "pfx" | "passphrase" | "rejectUnauthorized" | "servername" | "agent"
> & { readonly headers: Readonly<OutgoingHttpHeaders> };
