import { InvalidArgument } from "@longshore/errdefs";
import { validateIdentifier } from "@longshore/reference";

/** Checks a topic: `/` and identifiers with `/` between. @throws InvalidArgument with containerd's message */
export function validateTopic(topic: string): void {
  const prefix = `envelope topic ${JSON.stringify(topic)}: `;
  if (topic === "") throw new InvalidArgument(`${prefix}must not be empty: invalid argument`);
  if (!topic.startsWith("/")) throw new InvalidArgument(`${prefix}must start with '/': invalid argument`);
  if (topic === "/") throw new InvalidArgument(`${prefix}must have at least one component: invalid argument`);
  for (const component of topic.slice(1).split("/")) {
    validateIdentifier(component, `${prefix}failed validation on component ${JSON.stringify(component)}: `);
  }
}
