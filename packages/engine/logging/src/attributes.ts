/** Go's query escaping: a space is `+`. */
function escape(text: string): string {
  return encodeURIComponent(text)
    .replaceAll("%20", "+")
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Attributes of a line as `key=value,key=value`, escaped and sorted. */
export function formatAttributes(attributes: Record<string, string>): string {
  return Object.keys(attributes)
    .sort()
    .map((key) => `${escape(key)}=${escape(attributes[key] ?? "")}`)
    .join(",");
}
