import { InvalidArgument, messageOf } from "@longshore/errdefs";
import { checkDevice } from "../local/network-address.ts";

const known: readonly string[] = ["type", "o", "device", "size"];

/**
 * Checks the options of the local driver: type, device and o as mount(8) has them.
 * @throws InvalidArgument with Docker's texts
 */
export function validateOptions(name: string, options: Record<string, string>): void {
  const refuse = (why: string) => new InvalidArgument(`create ${name}: ${why}`);
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) throw refuse(`invalid option: "${unknown}"`);
  const { size } = options;
  if (size !== undefined && !/^\d+(\.\d+)? ?([kmgtp]?i?b?)$/i.test(size)) throw refuse(`invalid size: '${size}'`);
  if (size !== undefined) throw refuse("quota size requested but no quota support");
  if (Object.keys(options).length === 0) return;
  const missing = ["device", "type"].find((key) => options[key] === undefined);
  if (missing !== undefined) throw refuse(`missing required option: "${missing}"`);
  try {
    checkDevice(options["type"] ?? "", options["device"] ?? "");
  } catch (error) {
    throw refuse(messageOf(error));
  }
}
