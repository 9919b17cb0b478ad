/**
 * Envoy's own rules for the fields of its messages (protoc-gen-validate's options, which its API has on them): Envoy refuses a
 * whole response for one message that breaks any, so they are asked before it is sent. Pure.
 *
 * The rules stand in the descriptors of the generated messages; the library for them reads another dialect (buf.validate),
 * which Envoy's API does not have.
 */
import {
  type AnyDesc,
  type DescField,
  type DescMessage,
  type DescOneof,
  getOption,
  hasOption,
  type Message,
  type Registry,
} from "@bufbuild/protobuf";
import { anyUnpack, type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { type FieldRules, required, rules as fieldRules } from "../../proto/envoy/validate/validate_pb.js";
import { brokenValueRules } from "./value-rules.ts";

/** A field that is looked at: one with rules, or with messages in it. */
interface LookedField {
  readonly field: DescField;
  readonly rules: FieldRules | undefined;
  /** It must be there; of a choice it is the one that is chosen that must be. */
  readonly isRequired: boolean;
  readonly inside: DescMessage | undefined;
}

/** What is looked at in a message. */
interface Looked {
  readonly fields: readonly LookedField[];
  readonly oneofs: readonly DescOneof[];
}

const looked = new WeakMap<DescMessage, Looked>();

/**
 * Every broken rule, as `field.path: what it must be`.
 *
 * @param registry of what may be inside `google.protobuf.Any`; what is not there is not looked at
 * @param only the one field that counts, where the message is a part of one
 */
export function brokenRules(
  schema: DescMessage,
  message: Message,
  registry: Registry,
  only?: string,
): readonly string[] {
  const findings = { registry, place: [], broken: [] };
  checkMessage(schema, message, findings, only);
  return findings.broken;
}

interface Findings {
  readonly registry: Registry;
  /** Parts of the path to what is looked at: most messages break no rule, and nobody asks where they are. */
  readonly place: (string | number)[];
  readonly broken: string[];
}

function tell({ place, broken }: Findings, words: string): void {
  const path = place
    .map((part, index) =>
      typeof part === "number" ? `[${part}]` : `${index === 0 || part.startsWith("[") ? "" : "."}${part}`,
    )
    .join("");
  broken.push(`${path}: ${words}`);
}

function checkMessage(schema: DescMessage, message: Message, findings: Findings, only?: string): void {
  const { fields, oneofs } = lookedOf(schema);
  const values = message as unknown as Readonly<Record<string, unknown>>;
  for (const each of fields) {
    const { field } = each;
    if (only !== undefined && field.localName !== only) continue;
    const value = valueOf(field, values);
    if (value === undefined && !each.isRequired) continue;
    findings.place.push(field.name);
    checkField(each, value, findings);
    findings.place.pop();
  }
  if (only !== undefined) return;
  for (const oneof of oneofs) {
    const chosen = values[oneof.localName] as { readonly case?: string } | undefined;
    if (chosen?.case !== undefined) continue;
    findings.place.push(oneof.name);
    tell(findings, `must be one of ${oneof.fields.map(({ name }) => name).join(", ")}`);
    findings.place.pop();
  }
}

function checkField({ field, rules, inside }: LookedField, value: unknown, findings: Findings): void {
  if (value === undefined) {
    tell(findings, "must be there");
    return;
  }
  if (rules !== undefined) {
    if (rules.message?.skip === true) return;
    for (const words of brokenValueRules(rules, value, field)) tell(findings, words);
  }
  if (inside === undefined) return;
  if (field.fieldKind === "list") {
    const items = value as readonly unknown[];
    for (let index = 0; index < items.length; index += 1) checkItem(inside, items[index], index, findings);
  } else if (field.fieldKind === "map") {
    for (const [key, item] of Object.entries(value as object)) checkItem(inside, item, `[${key}]`, findings);
  } else checkInside(inside, value, findings);
}

function checkItem(inside: DescMessage, item: unknown, place: string | number, findings: Findings): void {
  findings.place.push(place);
  checkInside(inside, item, findings);
  findings.place.pop();
}

function checkInside(schema: DescMessage, item: unknown, findings: Findings): void {
  // Wrappers of numbers and texts are these themselves.
  if (typeof item !== "object" || item === null) return;
  if (schema.typeName !== AnySchema.typeName) {
    checkMessage(schema, item as Message, findings);
    return;
  }
  const any = item as Any;
  const found = findings.registry.getMessage(any.typeUrl.replace(/^.*\//, ""));
  const message = found && anyUnpack(any, found);
  if (found !== undefined && message !== undefined) checkMessage(found, message, findings);
}

function requiresValue(rules: FieldRules | undefined): boolean {
  const { case: kind, value } = rules?.type ?? {};
  return (kind === "any" || kind === "duration" || kind === "timestamp") && value?.required === true;
}

/** Undefined where the field is not set, and of a choice that is another one. */
function valueOf(field: DescField, values: Readonly<Record<string, unknown>>): unknown {
  if (field.oneof === undefined) return values[field.localName];
  const chosen = values[field.oneof.localName] as { readonly case?: string; readonly value?: unknown };
  return chosen.case === field.localName ? chosen.value : undefined;
}

function lookedOf(schema: DescMessage): Looked {
  const known = looked.get(schema);
  if (known !== undefined) return known;
  const fields = schema.fields
    .map((field): LookedField => {
      const rules = rulesOf(field);
      const isRequired =
        field.oneof === undefined && (rules?.message?.required === true || requiresValue(rules));
      return { field, rules, isRequired, inside: field.message ?? undefined };
    })
    .filter(({ rules, inside }) => rules !== undefined || inside !== undefined);
  const oneofs = schema.oneofs.filter((oneof) => hasOption(oneof, required) && getOption(oneof, required));
  const made = { fields, oneofs };
  looked.set(schema, made);
  return made;
}

function rulesOf(field: Extract<AnyDesc, { kind: "field" }>): FieldRules | undefined {
  return hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
}
