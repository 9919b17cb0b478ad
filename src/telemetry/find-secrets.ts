/**
 * What of an environment and of configuration is secret, found by the names and the shapes around it.
 */
import { redactText } from "./redact.ts";
import { isSecretName } from "./secret-names.ts";

/** Variables whose values are sent as credentials, whatever they are called. */
const headerVariable = /^(?:XDS|CA)_HEADER_|^OTEL_EXPORTER_OTLP_(?:\w+_)?HEADERS$/;

/** Other names of the application's secrets. */
const secretVariable = /KEY|TOKEN|SECRET|PASSW|CREDENTIAL/i;

/**
 * Secrets among variables, and within their values.
 *
 * @param isHarmless says that a variable is known and holds none, whatever its name
 */
export function secretsOfEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  isHarmless: (name: string) => boolean,
): readonly string[] {
  return Object.entries(env).flatMap(([name, value = ""]) => {
    const isSecret =
      headerVariable.test(name) || (!isHarmless(name) && (secretVariable.test(name) || isSecretName(name)));
    return [...(isSecret && value !== "" ? [value] : []), ...secretsInText(value)];
  });
}

/** Secrets in a text of any kind: JSON, YAML, a URL, a key. Exactly what `redactText` would take out of it. */
export function secretsInText(text: string): readonly string[] {
  const found = new Set<string>();
  if (!mayHoldSecret(text)) return [];
  redactText(text, [], (secret) => {
    // What is quoted in a text stands there in its escaped form.
    for (const form of [secret, unescaped(secret), decoded(secret)]) if (form !== "") found.add(form);
  });
  return [...found];
}

/** Words and signs without which none of the patterns finds anything. */
const hint =
  /key|token|secret|pass|credential|authorization|cookie|ticket|bearer|basic\s|negotiate|signature|jwt|pwd|dsn|hmac|webhook|metadata|headers|honeycomb|conn\w*str|_header_|-----|eyj|:\/\/|(?:pw|pat|pin|sig|sign|sas|auth|code|[?&]k)\\*["']?\s*[=:]/i;

/** False for most texts, at a small part of what a full look costs. */
export function mayHoldSecret(text: string): boolean {
  return hint.test(text);
}

/** As it was before it was put into a URL. */
function decoded(secret: string): string {
  try {
    return secret.includes("%") ? decodeURIComponent(secret) : secret;
  } catch {
    return secret;
  }
}

function unescaped(secret: string): string {
  if (!secret.includes("\\")) return secret;
  try {
    const value: unknown = JSON.parse(`"${secret}"`);
    return typeof value === "string" ? value : secret;
  } catch {
    return secret;
  }
}
