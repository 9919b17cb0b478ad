/**
 * The roots that the control plane is trusted by.
 */
import { X509Certificate } from "node:crypto";
import { readRegularText } from "../files/read-regular-file.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { splitPem } from "../pki/pem.ts";
import { maxRootBytes } from "../pki/system-roots.ts";
import { formatDuration } from "../lifecycle/format-duration.ts";
import { failure, type Finding, ok, warning } from "./finding.ts";

/** One certificate of the file. */
export interface RootFacts {
  readonly subject: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly isAuthority: boolean;
}

/** The file as it was found. */
export type RootFile =
  | { readonly kind: "system" }
  | { readonly kind: "unreadable"; readonly reason: string }
  | { readonly kind: "roots"; readonly roots: readonly RootFacts[] };

const name = "root-certificate";

const monthMs = 30 * 86_400_000;

/** @param setting the variable that names the file */
export function judgeRoots(path: string, setting: string, file: RootFile, now: Date): Finding {
  const mount = `mount the ConfigMap istio-ca-root-cert there (on a machine, put root-cert.pem of \`istioctl x workload entry configure\` there), or name another file in ${setting}`;
  if (file.kind === "system") return ok(name, `${setting} takes the operating system's roots`);
  if (file.kind === "unreadable") return failure(name, `${path} cannot be read: ${file.reason}`, mount);
  const { roots } = file;
  if (roots.length === 0) return failure(name, `${path} holds no PEM certificate`, mount);
  const usable = roots.filter(({ notBefore, notAfter }) => notBefore <= now && now < notAfter);
  const describe = ({ subject, notBefore, notAfter }: RootFacts): string =>
    now < notBefore
      ? `${subject} is not valid before ${notBefore.toISOString()}`
      : now < notAfter
        ? `${subject} is valid until ${notAfter.toISOString()}, for ${formatDuration(notAfter.getTime() - now.getTime())}`
        : `${subject} expired at ${notAfter.toISOString()}`;
  const seen = `${path}: ${roots.map(describe).join("; ")}`;
  if (usable.length === 0) {
    return failure(
      name,
      seen,
      `${mount}, with a root that is valid now; if that one should be valid, compare the clocks`,
    );
  }
  if (!usable.some(({ isAuthority }) => isAuthority)) {
    return warning(
      name,
      `${path}: none is a certificate of an authority: ${roots.map(describe).join("; ")}`,
      mount,
    );
  }
  const longest = Math.max(...usable.map(({ notAfter }) => notAfter.getTime()));
  if (longest - now.getTime() < monthMs) return warning(name, seen, "rotate the root of the control plane");
  return ok(name, seen);
}

/** Read and parse. */
export function lookAtRoots(path: string): RootFile {
  if (path === "SYSTEM") return { kind: "system" };
  try {
    return {
      kind: "roots",
      roots: splitPem(readRegularText(path, { maxBytes: maxRootBytes })).map(readRoot),
    };
  } catch (error) {
    return { kind: "unreadable", reason: errorMessage(error) };
  }
}

function readRoot(pem: string): RootFacts {
  const { subject, validFromDate, validToDate, ca } = new X509Certificate(pem);
  return {
    subject: subject.replaceAll("\n", ", "),
    notBefore: validFromDate,
    notAfter: validToDate,
    isAuthority: ca,
  };
}
