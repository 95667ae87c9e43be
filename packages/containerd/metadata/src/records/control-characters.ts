/** Whether a text has characters that no name has: they would end it early, or write over what a terminal shows. */
export function hasControlCharacters(text: string): boolean {
  return /\p{Cc}/u.test(text);
}
