/**
 * Whom a token's claims prove (RFC 7519, section 4.1; Kubernetes' service account tokens).
 *
 * Namespace and name become parts of a SPIFFE ID, so only what Kubernetes allows as their names is taken.
 */

/** An authenticated workload. */
export interface Caller {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Name of the pod that the token was issued to, where it says one. */
  readonly pod?: string | undefined;
}

/** What a token must say. */
export interface ExpectedClaims {
  /** Undefined where those who sign with these keys name none. */
  readonly issuer: string | undefined;
  /** One of these must be among the token's audiences. */
  readonly audiences: readonly string[];
}

/** The caller, or which check failed, in words that follow "the token". */
export type ClaimsOutcome =
  | { readonly kind: "caller"; readonly caller: Caller }
  | { readonly kind: "refused"; readonly reason: string };

/** How far an issuer's clock may be ahead, in milliseconds; Kubernetes allows as much. */
const leewayMs = 60_000;

/** The last second that a `Date` can hold. */
const lastSecond = 8_640_000_000_000;

/** Whom claims that are well otherwise prove. */
export type ReadSubject = (claims: Readonly<Record<string, unknown>>) => ClaimsOutcome;

/** Check every claim that matters. Never quotes what a token says. @param subject Kubernetes' unless told */
export function readCaller(
  claims: unknown,
  { issuer, audiences }: ExpectedClaims,
  now: Date,
  subject: ReadSubject = readSubject,
): ClaimsOutcome {
  if (!isRecord(claims)) return refused("holds no claims");
  if (issuer !== undefined && claims["iss"] !== issuer) return refused(`has not the issuer ${issuer} (iss)`);
  const stated = audiencesOf(claims["aud"]);
  if (stated === undefined) return refused("names no audience (aud)");
  if (!stated.some((audience) => audiences.includes(audience)))
    return refused(`has none of the audiences ${audiences.join(", ")} (aud)`);
  const untimely = timeProblem(claims, now);
  if (untimely !== undefined) return refused(untimely);
  return subject(claims);
}

function timeProblem(claims: Readonly<Record<string, unknown>>, now: Date): string | undefined {
  const times = new Map<string, number>();
  for (const name of ["exp", "nbf", "iat"]) {
    const value = claims[name];
    if (value === undefined) continue;
    if (typeof value !== "number" || !(value >= 0 && value <= lastSecond))
      return `has a time that cannot be read (${name})`;
    times.set(name, value * 1_000);
  }
  const { exp, nbf, iat } = Object.fromEntries(times);
  if (exp === undefined) return "has no expiry (exp)";
  if (exp <= now.getTime()) return `expired at ${new Date(exp).toISOString()} (exp)`;
  const latest = now.getTime() + leewayMs;
  if (nbf !== undefined && nbf > latest) return `is valid from ${new Date(nbf).toISOString()} on only (nbf)`;
  if (iat !== undefined && iat > latest)
    return `was issued at ${new Date(iat).toISOString()}, which is in the future (iat)`;
  return undefined;
}

function readSubject(claims: Readonly<Record<string, unknown>>): ClaimsOutcome {
  const subject = claims["sub"];
  const parts = typeof subject === "string" ? subject.split(":") : [];
  const [system, kind, namespace = "", serviceAccount = ""] = parts;
  if (parts.length !== 4 || system !== "system" || kind !== "serviceaccount")
    return refused("has a subject that is not system:serviceaccount:<namespace>:<name> (sub)");
  if (!isNamespace(namespace))
    return refused("has a subject whose namespace is no name of a Kubernetes namespace (sub)");
  if (!isServiceAccount(serviceAccount))
    return refused("has a subject whose name is no name of a Kubernetes service account (sub)");
  const caller = { namespace, serviceAccount };
  if (!agrees(claims["kubernetes.io"], caller))
    return refused("says one workload in sub and another in kubernetes.io");
  const pod = podOf(claims["kubernetes.io"]);
  return { kind: "caller", caller: pod === undefined ? caller : { ...caller, pod } };
}

/** An identity that Nomad signs for a task: its namespace and its job (Nomad's workload identity). */
export const readNomadSubject: ReadSubject = (claims) => {
  const { nomad_namespace: namespace, nomad_job_id: job } = claims;
  if (typeof namespace !== "string" || !isNamespace(namespace))
    return refused("has a namespace that is none of the mesh (nomad_namespace)");
  // What a periodic or a parameterized job starts is of that job.
  const serviceAccount = typeof job === "string" ? job.replace(/\/(?:periodic|dispatch)-.*$/s, "") : "";
  if (!isServiceAccount(serviceAccount))
    return refused(
      "is of a job whose ID cannot be the name of a service account: lower-case letters, digits, - and . (nomad_job_id)",
    );
  return { kind: "caller", caller: { namespace, serviceAccount } };
};

/** A token that Kubernetes mounts into a pod is bound to it. */
function podOf(bound: unknown): string | undefined {
  const pod = isRecord(bound) ? bound["pod"] : undefined;
  const name = isRecord(pod) ? pod["name"] : undefined;
  return typeof name === "string" ? name : undefined;
}

/** What Kubernetes says besides the subject is the same workload, where it says something. */
function agrees(bound: unknown, caller: Caller): boolean {
  if (bound === undefined) return true;
  if (!isRecord(bound)) return false;
  const { namespace, serviceaccount } = bound;
  const name = isRecord(serviceaccount) ? serviceaccount["name"] : undefined;
  return (
    (namespace === undefined || namespace === caller.namespace) &&
    (name === undefined || name === caller.serviceAccount)
  );
}

/** A DNS label (RFC 1123). */
export function isNamespace(name: string): boolean {
  return name.length <= 63 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(name);
}

/** A DNS subdomain (RFC 1123). */
export function isServiceAccount(name: string): boolean {
  return (
    name.length <= 253 && name.split(".").every((label) => /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(label))
  );
}

function audiencesOf(claim: unknown): readonly string[] | undefined {
  const list: unknown = typeof claim === "string" ? [claim] : claim;
  if (!Array.isArray(list) || list.length === 0) return undefined;
  return list.every((one): one is string => typeof one === "string") ? list : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function refused(reason: string): ClaimsOutcome {
  return { kind: "refused", reason };
}
