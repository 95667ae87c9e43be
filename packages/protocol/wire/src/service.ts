import type { MessageTable } from "./table.ts";

type MethodKind = "unary" | "server_streaming" | "client_streaming" | "bidi_streaming";

/** A method of a service, named as in the .proto file and as a property. */
interface Method {
  name: string;
  localName: string;
  methodKind: MethodKind;
  input: MessageTable;
  output: MessageTable;
  parent: Service;
}

interface Service {
  typeName: string;
  methods: Method[];
}

/** A service by its full name; each method is its name, its property's name, kind, input and output. */
export function service(
  typeName: string,
  methods: [string, string, MethodKind, MessageTable, MessageTable][],
): Service {
  const described: Service = { typeName, methods: [] };
  for (const [name, localName, methodKind, input, output] of methods)
    described.methods.push({ name, localName, methodKind, input, output, parent: described });
  return described;
}
