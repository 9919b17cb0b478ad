/**
 * Secrets: `RESOURCE NAME TYPE STATUS VALID CERT SERIAL NUMBER NOT AFTER NOT BEFORE`. Envoy shows no key.
 */
import { X509Certificate } from "node:crypto";
import { textAt } from "../../../lifecycle/json-path.ts";
import type { DumpedResource } from "../config-dump.ts";
import type { View } from "./view.ts";

/** A view at that moment, which decides what is valid. */
export function secretViewAt(now: Date): View {
  return {
    columns: [
      ...["RESOURCE NAME", "TYPE", "STATUS", "VALID CERT", "SERIAL NUMBER", "NOT AFTER", "NOT BEFORE"],
    ],
    select: (dump, { name }) => dump.secret.filter((secret) => name === undefined || secret.name === name),
    rows: (secret) => [[secret.name, ...certificateWords(secret, now)]],
  };
}

function certificateWords(secret: DumpedResource, now: Date): readonly string[] {
  const status =
    secret.versionInfo === "uninitialized"
      ? "UNINITIALIZED"
      : secret.isWarming === true
        ? "WARMING"
        : "ACTIVE";
  const chain =
    textAt(secret.json, "tls_certificate", "certificate_chain", "inline_bytes") ??
    textAt(secret.json, "validation_context", "trusted_ca", "inline_bytes");
  const certificate = certificateIn(chain ?? "");
  if (certificate === undefined) return ["", status, "false", "", "", ""];
  const { validFromDate: from, validToDate: to, ca, serialNumber } = certificate;
  const isValid = from <= now && now < to;
  const time = (date: Date): string => date.toISOString().replace(/\.000Z$/, "Z");
  return [
    ca ? "CA" : "Cert Chain",
    status,
    String(isValid),
    serialNumber.toLowerCase().replace(/^0+(?=.)/, ""),
    time(to),
    time(from),
  ];
}

/** The first one of a PEM in base64. */
function certificateIn(base64: string): X509Certificate | undefined {
  try {
    return new X509Certificate(Buffer.from(base64, "base64"));
  } catch {
    return undefined;
  }
}
