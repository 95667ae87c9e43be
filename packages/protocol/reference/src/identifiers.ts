import { InvalidArgument } from "@longshore/errdefs";

const maxLength = 76;
const pattern = /^[A-Za-z0-9]+(?:[._-](?:[A-Za-z0-9]+))*$/;

/**
 * Checks a name that becomes part of paths and topics: a namespace, a container's or exec's id, a
 * component of a topic.
 * @param prefix goes before the message, e.g. `container.ID: `
 * @throws InvalidArgument with containerd's message
 */
export function validateIdentifier(name: string, prefix = ""): void {
  const problem = identifierProblem(name);
  if (problem !== undefined) throw new InvalidArgument(`${prefix}${problem}: invalid argument`);
}

function identifierProblem(name: string): string | undefined {
  if (name === "") return "identifier must not be empty";
  if (Buffer.byteLength(name) > maxLength)
    return `identifier "${name}" greater than maximum length (${maxLength} characters)`;
  if (!pattern.test(name)) return `identifier ${JSON.stringify(name)} must match ${pattern.source}`;
  return undefined;
}
