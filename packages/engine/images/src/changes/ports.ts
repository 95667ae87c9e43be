import { InvalidArgument } from "@longshore/errdefs";

const isPort = (text: string): boolean => /^\d+$/.test(text) && Number(text) <= 65_535;

/**
 * The ports of one word of EXPOSE: `80`, `80/udp`, `8000-8010/tcp`; a host's part before is of no use here.
 * @throws InvalidArgument `Invalid containerPort: x`
 */
export function portsOf(word: string): string[] {
  const [range = "", given = ""] = word.split("/", 2);
  const protocol = given === "" ? "tcp" : given;
  const container = range.slice(range.lastIndexOf(":") + 1);
  if (container === "") throw new InvalidArgument(`No port specified: ${word}<empty>`);
  const [start = "", end = start] = container.split("-", 2);
  if (!isPort(start) || !isPort(end) || Number(end) < Number(start))
    throw new InvalidArgument(`Invalid containerPort: ${container}`);
  if (!["tcp", "udp", "sctp"].includes(protocol.toLowerCase())) throw new InvalidArgument(`Invalid proto: ${protocol}`);
  return Array.from(
    { length: Number(end) - Number(start) + 1 },
    (_, offset) => `${Number(start) + offset}/${protocol.toLowerCase()}`,
  );
}
