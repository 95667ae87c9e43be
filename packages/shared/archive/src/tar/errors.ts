import { Unknown } from "@longshore/errdefs";

/** An archive that cannot be unpacked: Docker answers 500 to it, containerd with code Unknown. */
export class BadArchive extends Unknown {}

/** The archive is no tar, or is damaged; Go's archive/tar uses the same words, and clients see them. */
export class InvalidTarHeader extends BadArchive {
  constructor() {
    super("archive/tar: invalid tar header");
  }
}

/** The archive (or its compression) ends early. */
export class UnexpectedEof extends BadArchive {
  constructor(cause?: unknown) {
    super("unexpected EOF", { cause });
  }
}
