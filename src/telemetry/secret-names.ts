/**
 * Names of fields, headers and variables whose values are secrets, in any casing.
 *
 * What merely ends in `key` is a secret unless it is known to be none: Envoy's own fields must stay readable, as a
 * diagnosis without them is of no use.
 */

/** What is sent as a header of every call is a credential whatever it is called, and so is a variable's key. */
const secretVariable = /^(?:XDS|CA)_HEADER_|^OTEL_EXPORTER_OTLP_(?:\w+_)?HEADERS$|^[A-Z][A-Z0-9_]*_KEYS?$/;

/** Parts of names. `token_path` and the like are names of places, see `tellsPlace`. */
const secretPart =
  /pass(?:word|wd|phrase)|pwd|secret|token|(?:private|api|app|access|account|shared|signing|license|encryption|subscription|master|auth)_?key|credential|authorization|cookie|session_?ticket|bearer|signature|honeycomb_team|conn(?:ection)?_?str(?:ing)?$|jwt$/;

/** Endings of names; shorter ones need a word of their own: `compat` and `config_pin_count` are none. */
const secretEnding =
  /(?<!by|com|sur|over|under|tres)pass$|pw$|dsn$|(?:^|_)(?:pat|pin|sig|sas|auth|hmac|webhook)$|[a-z0-9]_key$/;

/** Endings of names that tell where a secret is, or of what kind, not what it is. */
const tellsPlace =
  /(?:path|file|filename|name|names|url|uri|endpoint|type|config|configs|source|audience|audiences|issuer|ttl|expiry|duration|count|seconds|size|format|policy|provider|enabled|required|header|headers|version|hash)$/;

/** Keys that look something up, most of them fields of Envoy, and keys for everybody. */
const lookupKey =
  /(?:^|_)(?:public|runtime|metadata|metadata_labels?|header|hash|descriptor|map|field|string|json|generic|object|cache|connection|selected_host|factory|current|disable|enabled|label|tag|topology|sort|order|partition|foreign|column|row|index|lookup|attribute|property|dimension|filter_state|path|query|param|parameter|stat|route|shard|context|resource|cluster|zone|locality|request|response|pool|annotation|prefix)_key$/;

/** The shell's working directory, which a connection string writes like a password. */
const workingDirectory = /^(?:OLD)?PWD$/;

/** True when values under `name` are secrets. */
export function isSecretName(name: string): boolean {
  if (secretVariable.test(name)) return true;
  if (workingDirectory.test(name)) return false;
  const plain = name
    .replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`)
    .toLowerCase()
    .replaceAll(/[-.]/g, "_");
  return (
    (secretPart.test(plain) || secretEnding.test(plain)) && !tellsPlace.test(plain) && !lookupKey.test(plain)
  );
}

/** Says whether values under a name are secrets. Names repeat, so one text is looked at with one of these. */
export function secretNames(): (name: string) => boolean {
  const known = new Map<string, boolean>();
  return (name) => {
    const found = known.get(name) ?? isSecretName(name);
    known.set(name, found);
    return found;
  };
}

/** The same for an assignment in a text, whose value counts too: `PWD=/srv` is a folder, `PWD=x;` a password. */
export function isSecretAssignment(name: string, value: string): boolean {
  return workingDirectory.test(name) && !value.startsWith("/");
}

/** Envoy's data sources: whatever is written into the configuration itself may be a key. */
export function isInline(name: string): boolean {
  return /^inline_?(?:string|bytes)$/i.test(name);
}
