/**
 * A software bill of materials, in SPDX 2.3's JSON (https://spdx.github.io/spdx-spec/v2.3/): what is in a release or an
 * image, in which version, under which licence.
 */
import { createHash } from "node:crypto";

/** One thing that is in it. */
export interface Component {
  readonly name: string;
  readonly version: string;
  /** Its licence as an SPDX expression; undefined where only its text is known. */
  readonly licence: string | undefined;
  /** Who made it, by the package URL's rules: https://github.com/package-url/purl-spec */
  readonly purl: string;
  /** Where it came from. */
  readonly url?: string | undefined;
}

/** What the document is about. */
export interface Bill {
  readonly subject: Component;
  readonly components: readonly Component[];
  /** The date that it gives, in seconds since the epoch. */
  readonly createdAt: number;
}

interface SpdxPackage {
  readonly SPDXID: string;
  readonly [field: string]: unknown;
}

/** The document as text: the same for the same bill. */
export function spdxDocument({ subject, components, createdAt }: Bill): string {
  const packages = [subject, ...sorted(components)].map(toPackage);
  const [first, ...others] = packages.map(({ SPDXID }) => SPDXID);
  // The namespace is one document's alone: release and image have the same subject and date.
  const hash = createHash("sha256").update(JSON.stringify(packages)).digest("hex").slice(0, 32);
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name: `${subject.name}-${subject.version}`,
    documentNamespace: `https://spdx.org/spdxdocs/${encodeURIComponent(subject.purl)}-${createdAt}-${hash}`,
    creationInfo: {
      created: new Date(createdAt * 1_000).toISOString().replace(/\.\d+Z$/, "Z"),
      creators: ["Tool: outrider-build"],
    },
    packages,
    relationships: [
      { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: first },
      ...others.map((id) => ({
        spdxElementId: first,
        relationshipType: "CONTAINS",
        relatedSpdxElement: id,
      })),
    ],
  };
  return `${JSON.stringify(document, undefined, 1)}\n`;
}

/** The components of a document that `spdxDocument` made. @throws SyntaxError for what is no JSON */
export function componentsOf(document: string): readonly Component[] {
  const { packages } = JSON.parse(document) as {
    readonly packages: readonly Readonly<Record<string, unknown>>[];
  };
  return packages.map((entry) => {
    const [reference] = entry["externalRefs"] as readonly { readonly referenceLocator: string }[];
    const { licenseDeclared: licence, downloadLocation: url } = entry;
    return {
      name: String(entry["name"]),
      version: String(entry["versionInfo"]),
      licence: licence === "NOASSERTION" ? undefined : String(licence),
      purl: reference?.referenceLocator ?? "",
      url: url === "NOASSERTION" ? undefined : String(url),
    };
  });
}

function sorted(components: readonly Component[]): readonly Component[] {
  return components.toSorted((one, other) => (one.purl < other.purl ? -1 : Number(one.purl > other.purl)));
}

function toPackage({ name, version, licence, purl, url }: Component): SpdxPackage {
  return {
    // Letters, digits, dots and hyphens are all that an identifier may have.
    SPDXID: `SPDXRef-${purl.replaceAll(/[^A-Za-z0-9.-]+/g, "-")}`,
    name,
    versionInfo: version,
    downloadLocation: url ?? "NOASSERTION",
    filesAnalyzed: false,
    licenseConcluded: "NOASSERTION",
    licenseDeclared: licence ?? "NOASSERTION",
    copyrightText: "NOASSERTION",
    externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }],
  };
}
