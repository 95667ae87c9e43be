import { InvalidArgument } from "@longshore/errdefs";

/** Parses the kernel's list format, `0-3,7`; the empty list is empty. Undefined when it is malformed. */
function parseCpuList(text: string): Set<number> | undefined {
  const numbers = new Set<number>();
  if (text === "") return numbers;
  for (const part of text.split(",")) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    const start = Number(match?.[1]);
    const end = match?.[2] === undefined ? start : Number(match[2]);
    if (match === null || end < start || end > 8192) return undefined;
    for (let number = start; number <= end; number++) numbers.add(number);
  }
  return numbers;
}

function checkAvailable(given: string, available: string, kind: string, what: string): void {
  const wanted = parseCpuList(given);
  if (wanted === undefined) throw new InvalidArgument(`Invalid value ${given} for ${kind}: invalid format: ${given}`);
  const present = parseCpuList(available) ?? new Set();
  if ([...wanted].some((number) => !present.has(number))) {
    throw new InvalidArgument(`Requested ${what} are not available - requested ${given}, available: ${available}`);
  }
}

/** @throws InvalidArgument when CPUs or memory nodes are malformed or not there */
export function checkCpusets(given: { cpus: string; mems: string }, available: { cpus: string; mems: string }): void {
  checkAvailable(given.cpus, available.cpus, "cpuset cpus", "CPUs");
  checkAvailable(given.mems, available.mems, "cpuset mems", "memory nodes");
}
