/** What is wrong with a text that should be an address, and the rest of the text from there on. */
type Problem = readonly [what: string, at?: string];

function ipv4Problem(text: string): Problem | undefined {
  const wrong = /[^0-9.]/.exec(text);
  const fields = text.slice(0, wrong?.index).split(".");
  let at = 0;
  for (const [index, field] of fields.entries()) {
    const isLast = index === fields.length - 1;
    if (/^0\d/.test(field)) return ["IPv4 field has octet with leading zero"];
    if (Number(field) > 255) return ["IPv4 field has value >255"];
    if (isLast && wrong !== null) break;
    // The dot before an empty last field is the one that is told of.
    if (field === "") return ["IPv4 field must have at least one digit", text.slice(isLast ? at - 1 : at)];
    if (index === 2 && fields.length > 4 && fields[3] !== "") continue;
    if (index === 3 && !isLast) return ["IPv4 address too long"];
    at += field.length + 1;
  }
  if (wrong !== null) return ["unexpected character", text.slice(wrong.index)];
  return fields.length < 4 ? ["IPv4 address too short"] : undefined;
}

/** The end of an IPv6 address that is written as an IPv4 one. @param fields before it; @param gap whether there was a `::` */
function embeddedProblem(rest: string, fields: number, gap: boolean): Problem | undefined {
  if (!gap && fields !== 6) return ["embedded IPv4 address must replace the final 2 fields of the address", rest];
  if (fields > 6) return ["too many hex fields to fit an embedded IPv4 at the end of the address", rest];
  return ipv4Problem(rest);
}

function ipv6Problem(text: string): Problem | undefined {
  const [address = "", zone] = text.split(/%(.*)/s, 2);
  if (zone === "") return ["zone must be a non-empty string"];
  let gap = address.startsWith("::");
  let rest = gap ? address.slice(2) : address;
  if (rest === "" && gap) return undefined;
  let fields = 0;
  while (fields < 8) {
    const [digits = ""] = /^[0-9a-fA-F]*/.exec(rest) ?? [];
    if (digits.length > 4) return ["each group must have 4 or less digits", rest];
    if (digits === "") return ["each colon-separated field must have at least one digit", rest];
    if (rest[digits.length] === ".") return embeddedProblem(rest, fields, gap);
    fields++;
    rest = rest.slice(digits.length);
    if (rest === "") break;
    if (!rest.startsWith(":")) return ["unexpected character, want colon", rest];
    if (rest === ":") return ["colon must be followed by more characters", rest];
    rest = rest.slice(1);
    if (!rest.startsWith(":")) continue;
    if (gap) return ["multiple :: in address", rest];
    gap = true;
    rest = rest.slice(1);
    if (rest === "") break;
  }
  if (rest !== "") return ["trailing garbage after address", rest];
  if (fields < 8) return gap ? undefined : ["address string too short"];
  return gap ? ["the :: must expand to at least one field of zeros"] : undefined;
}

/**
 * Why a text is no IP address (a zone may stand behind one of IPv6), in the words of Go's `netip.ParseAddr`.
 * @returns undefined for an address
 */
export function addressProblem(text: string): string | undefined {
  const [kind] = /[.:%]/.exec(text) ?? [];
  let problem: Problem | undefined = ["unable to parse IP"];
  if (kind === ".") problem = ipv4Problem(text);
  else if (kind === ":") problem = ipv6Problem(text);
  else if (kind === "%") problem = ["missing IPv6 address"];
  if (problem === undefined) return undefined;
  const [what, at] = problem;
  return `ParseAddr(${JSON.stringify(text)}): ${what}${at === undefined ? "" : ` (at ${JSON.stringify(at)})`}`;
}
