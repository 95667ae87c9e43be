// A plugin of buf and protoc: reads a CodeGeneratorRequest on stdin and answers on stdout with a
// module `<file>_compact.js` for each file and those that it imports. They export the names of
// protoc-gen-es's modules, as tables of packages/wire.
import { readFileSync, writeSync } from "node:fs";
import { dirname, relative } from "node:path/posix";
import {
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescService,
  ScalarType,
  create,
  createFileRegistry,
  fromBinary,
  toBinary,
} from "@bufbuild/protobuf";
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponseSchema,
  CodeGeneratorResponse_Feature,
  Edition,
  FeatureSet_FieldPresence,
  FieldDescriptorProto_Type,
  FileDescriptorSetSchema,
} from "@bufbuild/protobuf/wkt";

const scalarNames = new Map<ScalarType, string>(
  Object.entries(ScalarType).flatMap(([name, value]) =>
    typeof value === "number" ? [[value, name.toLowerCase()] as const] : [],
  ),
);

/** `Outer.Inner` of a package is `Outer_Inner` in a module. */
function exportName({ typeName, file }: DescMessage | DescEnum): string {
  const { package: prefix } = file.proto;
  return typeName.slice(prefix === "" ? 0 : prefix.length + 1).replaceAll(".", "_");
}

function allMessages(messages: readonly DescMessage[]): DescMessage[] {
  return messages.flatMap((message) =>
    message.proto.options?.mapEntry === true ? [] : [message, ...allMessages(message.nestedMessages)],
  );
}

function moduleOf(file: DescFile): string {
  return `${file.name}_compact.js`;
}

/** The imports of one module, by the file that they come from. */
class Imports {
  readonly #own: DescFile;
  readonly #names = new Map<string, Set<string>>();

  constructor(own: DescFile) {
    this.#own = own;
  }

  schema(message: DescMessage): string {
    const name = `${exportName(message)}Schema`;
    if (message.file !== this.#own) {
      const path = relative(dirname(this.#own.name), moduleOf(message.file));
      const from = path.startsWith(".") ? path : `./${path}`;
      this.#names.set(from, (this.#names.get(from) ?? new Set()).add(name));
    }
    return name;
  }

  lines(): string[] {
    return [...this.#names].map(([path, names]) => `import { ${[...names].sort().join(", ")} } from "${path}";`);
  }
}

function fieldText(field: DescField, index: (message: DescMessage) => number): string {
  if (field.proto.type === FieldDescriptorProto_Type.GROUP)
    throw new Error(`${field.toString()}: groups are not supported`);
  const kind =
    field.fieldKind === "list" ? field.listKind : field.fieldKind === "map" ? field.mapKind : field.fieldKind;
  const value =
    kind === "message" ? String(index(field.message!)) : kind === "enum" ? "enum" : scalarNames.get(field.scalar!)!;
  const key = field.fieldKind === "map" ? `${scalarNames.get(field.mapKey)!}:` : "";
  const explicit =
    (field.fieldKind === "scalar" || field.fieldKind === "enum") &&
    field.oneof === undefined &&
    field.presence !== FeatureSet_FieldPresence.IMPLICIT;
  const mark = field.fieldKind === "list" ? (field.packed ? "#" : "*") : explicit ? "?" : "";
  return `${field.number} ${field.localName} ${mark}${key}${value}${field.oneof === undefined ? "" : ` @${field.oneof.localName}`}`;
}

function messageLine(message: DescMessage, imports: Imports): string {
  const types: DescMessage[] = [];
  const index = (type: DescMessage): number => (types.includes(type) ? types.indexOf(type) : types.push(type) - 1);
  const text = message.fields
    .toSorted((a, b) => a.number - b.number)
    .map((field) => fieldText(field, index))
    .join(";");
  const list = types.length === 0 ? "" : `, () => [${types.map((type) => imports.schema(type)).join(", ")}]`;
  return `export const ${exportName(message)}Schema = /*@__PURE__*/ message("${message.typeName}", "${text}"${list});`;
}

function enumLine(type: DescEnum): string {
  const values = Object.fromEntries(type.values.map(({ localName, number }) => [localName, number]));
  return `export const ${exportName(type)} = /*@__PURE__*/ enumeration(${JSON.stringify(values)});`;
}

function serviceLine({ name, typeName, methods }: DescService, imports: Imports): string {
  const lines = methods.map(
    (method) =>
      `  ["${method.name}", "${method.localName}", "${method.methodKind}", ${imports.schema(method.input)}, ${imports.schema(method.output)}],`,
  );
  return `export const ${name} = /*@__PURE__*/ service("${typeName}", [\n${lines.join("\n")}\n]);`;
}

function moduleText(file: DescFile): string {
  const imports = new Imports(file);
  const messages = allMessages(file.messages);
  const enums = [...file.enums, ...messages.flatMap(({ nestedEnums }) => nestedEnums)];
  const body = [
    ...enums.map(enumLine),
    ...messages.map((message) => messageLine(message, imports)),
    ...file.services.map((service) => serviceLine(service, imports)),
  ];
  return [
    `// Generated from ${file.proto.name}.`,
    `import { enumeration, message, service } from "@longshore/wire";`,
    ...imports.lines(),
    ...body,
    "",
  ].join("\n");
}

const request = fromBinary(CodeGeneratorRequestSchema, readFileSync(0));
const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: request.protoFile }));
const response = create(CodeGeneratorResponseSchema, {
  supportedFeatures: BigInt(CodeGeneratorResponse_Feature.PROTO3_OPTIONAL),
  minimumEdition: Edition.EDITION_PROTO3,
  maximumEdition: Edition.EDITION_PROTO3,
  file: [...registry.files].map((file) => ({ name: moduleOf(file), content: moduleText(file) })),
});
for (let rest = toBinary(CodeGeneratorResponseSchema, response); rest.length > 0;)
  rest = rest.subarray(writeSync(1, rest));
