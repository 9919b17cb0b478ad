/**
 * A merged ProxyConfig as the agent acts on it. Most of it follows from the fields' rows; what one field alone does not
 * say is decided here.
 */
import type { RemoteService, Tracing } from "../../bootstrap/services.ts";
import type { ConfigProblem } from "../../schema/config-problem.ts";
import { parseDurationMs } from "../../schema/duration.ts";
import type { Field, Fields, Value } from "./field.ts";
import type { MergedProxyConfig } from "./merge.ts";
import { proxyConfigFields } from "./schema.ts";

type Rows = typeof proxyConfigFields;

/** Durations are numbers of milliseconds, and are named so. */
type Decoded<Row extends Field> = Row extends { readonly kind: "duration" } ? number : Value<Row>;

type DecodedName<All extends Fields, Name extends keyof All> = All[Name] extends { readonly kind: "duration" }
  ? `${Name & string}Ms`
  : Name;

/** Every field: undefined is one that no source has, or that is empty; a default stands for it where it has one. */
type DecodedFields<All extends Fields> = {
  readonly [Name in keyof All as DecodedName<All, Name>]: All[Name] extends
    { readonly default: unknown } | { readonly unset: unknown }
    ? Decoded<All[Name]>
    : Decoded<All[Name]> | undefined;
};

/** What more than one field says. */
interface Decided {
  /** Set only where a user named a binary: the default is one of the places that are searched. */
  readonly binaryPath: string | undefined;
  /** Those of Istio 1.5's `zipkinAddress` as well. */
  readonly tracing: Tracing;
  /** That of Istio 1.5's `envoyMetricsServiceAddress` as well. */
  readonly envoyMetricsService: RemoteService;
  readonly envoyAccessLogService: RemoteService;
}

/** A ProxyConfig as the agent acts on it. */
export type ProxyConfig = Omit<DecodedFields<Rows>, keyof Decided> & Decided;

/** The fields of `merged` as the agent acts on them; one that is required and empty is a problem. */
export function decodeProxyConfig(merged: MergedProxyConfig, problems: ConfigProblem[]): ProxyConfig {
  const { fields, origins } = merged;
  for (const [name, { isRequired }] of Object.entries<Field>(proxyConfigFields)) {
    const isMissing = isRequired === true && !(name in fields && fields[name as keyof Rows] !== "");
    if (!isMissing || problems.some(({ path }) => path === name)) continue;
    problems.push({ source: origins.get(name) ?? "ProxyConfig", path: name, message: "must not be empty" });
  }
  const decoded = decodeFields(merged);
  const { tracing = {}, zipkinAddress: zipkin } = decoded;
  const isOldTracer = Object.keys(tracing).length === 0 && zipkin !== undefined;
  return {
    ...decoded,
    binaryPath:
      decoded.binaryPath === proxyConfigFields.binaryPath.default
        ? undefined
        : decoded.binaryPath || undefined,
    tracing: isOldTracer ? { zipkin: { address: zipkin } } : tracing,
    envoyMetricsService: remoteService(decoded.envoyMetricsService, decoded.envoyMetricsServiceAddress),
    envoyAccessLogService: remoteService(decoded.envoyAccessLogService, undefined),
  };
}

function decodeFields({ fields }: MergedProxyConfig): DecodedFields<Rows> {
  const values: Readonly<Record<string, unknown>> = fields;
  const entries = Object.entries<Field>(proxyConfigFields).map(([name, row]) => {
    const value = isUnset(row, values[name]) ? (row.unset ?? row.default) : values[name];
    if (row.kind !== "duration") return [name, value];
    return [`${name}Ms`, typeof value === "string" ? parseDurationMs(value) : undefined];
  });
  // Each value has been read by its own row.
  return Object.fromEntries(entries) as DecodedFields<Rows>;
}

/** Where nothing tells an empty text or a zero from none, a field without a default has none. */
function isUnset(row: Field, value: unknown): boolean {
  if (value === undefined) return true;
  if (row.default !== undefined || row.kind === "flag" || row.kind === "choice") return false;
  return value === "" || (value === 0 && row.isOptional !== true);
}

/** An empty address is none. */
function remoteService(given: RemoteService | undefined, oldAddress: string | undefined): RemoteService {
  const { address, ...service } = given ?? {};
  const found = address || oldAddress;
  return found === undefined ? service : { ...service, address: found };
}
