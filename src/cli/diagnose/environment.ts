/**
 * The environment as a diagnosis shows it: every name, and the values that are known to be harmless.
 */
import { isDocumented } from "../../config/sources/documented.ts";
import { isSecretName } from "../../telemetry/secret-names.ts";

/** Names that Istio's injector and the system set. */
const shown =
  /^(?:PATH|HOME|PWD|HOSTNAME|USER|LANG|TZ|CI|HOST_IP|NODE_NAME|XDG_\w+|NODE_OPTIONS|GOMEMLIMIT|(?:ISTIO|ENVOY|POD|INSTANCE|PROXY|CA|XDS|PILOT|TRUST|KUBERNETES|OUTRIDER|DNS|SECRET_TTL|SECRET_GRACE)(?:_\w+)?)$/;

/** `NAME=value` per line, sorted. Values of other names are the application's business. */
export function describeEnvironment(env: Readonly<Record<string, string | undefined>>): string {
  const lines = Object.entries(env)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value = ""]) => {
      const harmless = (isDocumented(name) || shown.test(name)) && !isSecretVariable(name);
      return `${name}=${harmless ? value : `[not shown: ${value.length} characters]`}`;
    });
  return lines.map((line) => `${line}\n`).join("");
}

/** The agent's own variables are documented, and none of them holds a secret. */
function isSecretVariable(name: string): boolean {
  return isSecretName(name) && !isDocumented(name);
}
