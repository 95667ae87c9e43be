import { InvalidArgument } from "@longshore/errdefs";

/** The archive is no tar, or is damaged; Go's archive/tar uses the same words, and clients see them. */
export class InvalidTarHeader extends InvalidArgument {
  constructor() {
    super("archive/tar: invalid tar header");
  }
}

/** The archive (or its compression) ends early. */
export class UnexpectedEof extends InvalidArgument {
  constructor(cause?: unknown) {
    super("unexpected EOF", { cause });
  }
}
