/** A word that cannot be read or expanded; the message is what the user is shown. */
export class WordError extends Error {
  override readonly name = "WordError";
}
