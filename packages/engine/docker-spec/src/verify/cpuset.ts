import { InvalidArgument, messageOf } from "@longshore/errdefs";

const maxCpu = 8192;

/** Parses the kernel's list format, `0-3,7`; the empty list is empty. @throws InvalidArgument saying what is wrong */
function parseCpuList(text: string): Set<number> {
  const numbers = new Set<number>();
  if (text === "") return numbers;
  for (const part of text.split(",")) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    const start = Number(match?.[1]);
    const end = match?.[2] === undefined ? start : Number(match[2]);
    if (match === null || end < start) throw new InvalidArgument(`invalid format: ${text}`);
    if (end > maxCpu) throw new InvalidArgument(`value of out range, maximum is ${maxCpu}`);
    for (let number = start; number <= end; number++) numbers.add(number);
  }
  return numbers;
}

function checkAvailable(given: string, available: string, kind: string, what: string): void {
  let wanted: Set<number>;
  try {
    wanted = parseCpuList(given);
  } catch (error) {
    throw new InvalidArgument(`Invalid value ${given} for ${kind}: ${messageOf(error)}`, { cause: error });
  }
  const present = parseCpuList(available);
  if ([...wanted].some((number) => !present.has(number))) {
    throw new InvalidArgument(`Requested ${what} are not available - requested ${given}, available: ${available}`);
  }
}

/** @throws InvalidArgument when CPUs or memory nodes are malformed or not there */
export function checkCpusets(given: { cpus: string; mems: string }, available: { cpus: string; mems: string }): void {
  checkAvailable(given.cpus, available.cpus, "cpuset cpus", "CPUs");
  checkAvailable(given.mems, available.mems, "cpuset mems", "memory nodes");
}
