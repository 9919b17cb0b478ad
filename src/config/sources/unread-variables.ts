/**
 * Variables of pilot-agent that this agent knows and does not read: those of Istio 1.5 that mean nothing any more,
 * and those of parts that this release does not have. Whoever sets one is told, once, instead of wondering.
 */
import { parseGoBoolean } from "../../schema/go-boolean.ts";

/** Why a variable has no effect. */
export interface UnreadVariable {
  /** `retired`: nothing reads it any more. `unsupported`: this release lacks what it is for. */
  readonly kind: "retired" | "unsupported";
  readonly because: string;
}

function retired(because: string): UnreadVariable {
  return { kind: "retired", because };
}

function unsupported(because: string): UnreadVariable {
  return { kind: "unsupported", because };
}

const certificates = "certificates come over SDS, from the CA";
const grpcLimits = "gRPC runs with fixed limits";

/** The table. */
export const unreadVariables: Readonly<Record<string, UnreadVariable>> = {
  SDS_ENABLED: retired("Envoy always gets certificates over SDS"),
  SDS_UDS_PATH: retired("the agent serves SDS itself"),
  ISTIO_AUTO_MTLS_ENABLED: retired("the control plane decides it"),
  ISTIO_NAMESPACE: retired("discoveryAddress says where the control plane is"),
  STACKDRIVER_TRACING_ENABLED: retired("Envoy has no Stackdriver tracer any more"),
  STACKDRIVER_TRACING_DEBUG: retired("Envoy has no Stackdriver tracer any more"),
  STACKDRIVER_TRACING_MAX_NUMBER_OF_ANNOTATIONS: retired("Envoy has no Stackdriver tracer any more"),
  STACKDRIVER_TRACING_MAX_NUMBER_OF_ATTRIBUTES: retired("Envoy has no Stackdriver tracer any more"),
  STACKDRIVER_TRACING_MAX_NUMBER_OF_MESSAGE_EVENTS: retired("Envoy has no Stackdriver tracer any more"),
  PLUGINS: retired("token exchange plug-ins are gone"),
  ENABLE_INGRESS_GATEWAY_SDS: retired("the control plane serves gateway secrets"),
  SECRET_ROTATION_CHECK_INTERVAL: retired("each certificate has a rotation time of its own"),
  STALED_CONNECTION_RECYCLE_RUN_INTERVAL: retired("a closed stream is noticed at once"),
  INITIAL_BACKOFF_MSEC: retired("retries back off by themselves"),
  XDS_AUTH_PROVIDER: retired("nothing has read it for years"),
  JWT_POLICY: retired("the token is always read from ./var/run/secrets/tokens/istio-token"),
  TOKEN_AUDIENCES: retired("only the control plane checks audiences"),
  CREDENTIAL_IDENTITY_PROVIDER: retired("tokens are exchanged nowhere"),
  FILE_DEBOUNCE_DURATION: unsupported(certificates),
  GRPC_KEEPALIVE_INTERVAL: unsupported(grpcLimits),
  GRPC_KEEPALIVE_TIMEOUT: unsupported(grpcLimits),
  ISTIO_GPRC_MAXSTREAMS: unsupported(grpcLimits),
  ISTIO_GPRC_MAXRECVMSGSIZE: unsupported(grpcLimits),
};

/** One line per variable that is set and has no effect; one that switches something off needs none. */
export function noticesOf(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(unreadVariables).flatMap(([name, { kind, because }]) => {
    const value = env[name];
    if (value === undefined || value === "" || parseGoBoolean(value) === false) return [];
    return [
      kind === "retired"
        ? `${name} is deprecated and has no effect: ${because}. Remove it`
        : `${name} has no effect in this release: ${because}`,
    ];
  });
}
