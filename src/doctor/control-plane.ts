/**
 * The CA and the discovery server: reached, trusted, speaking gRPC, and taking the workload's token.
 */
import { explainCause, type ServerDescription } from "../grpc/server-trust.ts";
import { formatDuration } from "../lifecycle/format-duration.ts";
import type { EndpointAnswer } from "./endpoint.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";
import { fairMs, outOfTime } from "./out-of-time.ts";

/** What was asked. */
export interface AskedServer {
  /** Name of the finding: `ca` or `discovery`. */
  readonly name: string;
  readonly server: ServerDescription;
  /** The gRPC service that must be there. */
  readonly service: string;
  /** Undefined when there was none to present. */
  readonly tokenPath: string | undefined;
}

/** gRPC status codes that matter here (gRPC's statuscodes documentation). */
const unauthenticated = 16;
const permissionDenied = 7;
const unimplemented = 12;
const unavailable = 14;

/** The step that failed, or what the answer means. */
export function judgeEndpoint(asked: AskedServer, answer: EndpointAnswer, now: Date): Finding {
  const { name, server } = asked;
  switch (answer.kind) {
    case "failed": {
      const { problem, remedy } = explainCause(answer.cause, server);
      return failure(name, `${problem} (${answer.step}, after ${answer.tookMs} ms)`, remedy);
    }
    case "silent":
      if (answer.tookMs < fairMs) {
        return outOfTime(
          name,
          `${server.name} ${server.address}: only ${answer.tookMs} ms were left to ask it (${answer.step})`,
        );
      }
      return failure(
        name,
        `${server.name} ${server.address} did not answer within ${answer.tookMs} ms (${answer.step})`,
        answer.step === "connect"
          ? `Look for a NetworkPolicy or firewall on the way, and check ${server.addressSetting}`
          : `Check ${server.addressSetting}: something else may listen there, or the control plane hangs`,
      );
    case "answered":
      return judgeStatus(asked, answer, now);
  }
}

function judgeStatus(
  { name, server, service, tokenPath }: AskedServer,
  answer: Extract<EndpointAnswer, { kind: "answered" }>,
  now: Date,
): Finding {
  const where = `${server.name} ${server.address}`;
  const { status, message, certificate } = answer;
  const said = message === "" ? "" : `: ${message}`;
  if (status === undefined) {
    return failure(
      name,
      `${where} answers HTTP ${answer.httpStatus}, but no gRPC`,
      `Check ${server.addressSetting}: another server listens there`,
    );
  }
  if (status === unimplemented) {
    return failure(
      name,
      `${where} speaks gRPC, but has no ${service}${said}`,
      `Check ${server.addressSetting}: it is not that of ${server.name}`,
    );
  }
  if (status === unavailable) {
    return failure(
      name,
      `${where} answers, but is not available${said}`,
      "Look at the control plane's log and health",
    );
  }
  const refused = status === unauthenticated || status === permissionDenied;
  if (refused && tokenPath !== undefined) {
    return failure(
      name,
      `${where} does not accept the token ${tokenPath}${said}`,
      "Check its audience, issuer and expiry, and that POD_NAMESPACE and SERVICE_ACCOUNT are those of the token",
    );
  }
  const took = `answered after ${answer.tookMs} ms`;
  const token =
    tokenPath === undefined ? "; no token was there to present" : refused ? "" : "; it accepts the token";
  if (certificate === undefined) return ok(name, `${where} ${took} in plain text${token}`);
  const left = certificate.notAfter.getTime() - now.getTime();
  const seen = `${where} ${took}, its certificate verifies and is valid for ${formatDuration(left)}${token}`;
  if (left > 3_600_000) return ok(name, seen);
  return warning(name, seen, "Look why the control plane does not renew its certificate");
}
