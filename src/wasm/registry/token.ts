/**
 * Access tokens of registries.
 */
import { WasmFetchError } from "../fetch-error.ts";
import type { GuardedHttp } from "../fetch/guarded-http.ts";
import { receiveBytes } from "../fetch/receive.ts";
import { statusError } from "../fetch/status.ts";
import type { Challenge } from "./challenge.ts";
import type { Credentials } from "./docker-config.ts";

const maxAnswerBytes = 1_048_576;

/** Who asks for what. */
export interface TokenRequest {
  readonly challenge: Extract<Challenge, { kind: "bearer" }>;
  readonly credentials: Credentials;
  /** Where the challenge came from. */
  readonly registry: URL;
  readonly repository: string;
  readonly signal: AbortSignal;
}

/**
 * Ask the place that the registry names. It gets the credentials, so that it has to have TLS as the registry has, and
 * what is another server has to be a public one.
 *
 * @throws WasmFetchError
 */
export async function fetchToken(http: GuardedHttp, request: TokenRequest): Promise<string> {
  const { challenge, credentials, registry, repository, signal } = request;
  const { realm, service } = challenge;
  if (realm.protocol !== "https:" && !http.licence(realm).insecure)
    throw new WasmFetchError(
      "manifest_failure",
      `${registry.host} wants tokens from ${realm.host} without TLS`,
    );
  const scope = challenge.scope || `repository:${repository}:pull`;
  using response = await http.send({
    ...tokenRequest(realm, { ...(service === "" ? {} : { service }), scope }, credentials),
    isPublicOnly: realm.hostname !== registry.hostname,
    signal,
  });
  if (response.status !== 200) throw statusError("manifest_failure", realm, response.status, "a token");
  const answer = readJson(await receiveBytes(response, maxAnswerBytes));
  const token = answer["token"] ?? answer["access_token"];
  if (typeof token !== "string" || !/^[\x21-\x7e]+$/.test(token))
    throw new WasmFetchError("manifest_failure", `${realm.host} answers without a token`);
  return token;
}

function tokenRequest(
  realm: URL,
  parameters: Readonly<Record<string, string>>,
  credentials: Credentials,
): { url: URL; headers?: Record<string, string>; form?: URLSearchParams } {
  if (credentials.kind === "identity-token") {
    const form = {
      ...parameters,
      grant_type: "refresh_token",
      client_id: "outrider",
      refresh_token: credentials.token,
    };
    return { url: realm, form: new URLSearchParams(form) };
  }
  const url = new URL(realm);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return credentials.kind === "password" ? { url, headers: { authorization: basic(credentials) } } : { url };
}

/** The value of a header `Authorization`. */
export function basic({
  username,
  password,
}: {
  readonly username: string;
  readonly password: string;
}): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

function readJson(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
