import { randomBytes } from "node:crypto";
import { InvalidArgument } from "@longshore/errdefs";

/** The label of volumes that nobody named. */
export const anonymousLabel = "com.docker.volume.anonymous";

const allowed = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** What a file name may have. */
const maxLength = 255;

/** @throws InvalidArgument with Docker's texts */
export function validateName(name: string): void {
  if (name.length < 2) throw new InvalidArgument(`create ${name}: volume name is too short, names should be at least two alphanumeric characters`);
  if (!allowed.test(name)) {
    throw new InvalidArgument(
      `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
  if (name.length > maxLength) throw new InvalidArgument(`create ${name}: volume name is too long, maximum allowed length is ${maxLength}`);
}

export function anonymousName(): string {
  return randomBytes(32).toString("hex");
}
