import { randomBytes } from "node:crypto";
import { InvalidArgument } from "@longshore/errdefs";

/** The label of volumes that nobody named. */
export const anonymousLabel = "com.docker.volume.anonymous";

const allowed = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** @throws InvalidArgument with Docker's texts */
export function validateName(name: string): void {
  if (Buffer.byteLength(name) < 2)
    throw new InvalidArgument(
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    );
  if (!allowed.test(name)) {
    throw new InvalidArgument(
      `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
    );
  }
}

export function anonymousName(): string {
  return randomBytes(32).toString("hex");
}
