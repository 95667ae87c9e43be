#define _GNU_SOURCE
#include "json_string.h"

#include <stdbool.h>
#include <string.h>

/* The length of the UTF-8 sequence at p, 0 when it is none (overlong forms and surrogates included). */
static size_t sequence(const uint8_t *p, const uint8_t *end) {
  uint8_t lead = *p;
  size_t length = lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 && lead < 0xe0 ? 2 : 0;
  if (lead > 0xf4 || !length || (size_t)(end - p) < length) return 0;
  uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (p[1] < low || p[1] > high) return 0;
  for (size_t i = 2; i < length; i++)
    if ((p[i] & 0xc0) != 0x80) return 0;
  return length;
}

static bool plain(uint8_t b) {
  return b >= 0x20 && b < 0x80 && b != '"' && b != '\\' && b != '<' && b != '>' && b != '&';
}

/* Eight bytes at once: true when all of them are plain. */
static bool plain8(const uint8_t *p) {
  uint64_t w;
  memcpy(&w, p, 8);
  const uint64_t ones = 0x0101010101010101ull, highs = 0x8080808080808080ull;
#define HAS_ZERO(v) (((v) - ones) & ~(v) & highs)
  uint64_t odd = (w & highs) | ((w - ones * 0x20) & ~w & highs);
  odd |= HAS_ZERO(w ^ (ones * '"')) | HAS_ZERO(w ^ (ones * '\\')) | HAS_ZERO(w ^ (ones * '&'));
  odd |= HAS_ZERO((w ^ (ones * '<')) & ~(ones * 2)); /* '<' and '>' differ in this one bit */
#undef HAS_ZERO
  return odd == 0;
}

static char *put_unicode(char *to, unsigned code) {
  static const char hex[] = "0123456789abcdef";
  memcpy(to, "\\u", 2);
  for (int i = 0; i < 4; i++) to[2 + i] = hex[code >> (12 - 4 * i) & 15];
  return to + 6;
}

char *json_escape(char *to, const uint8_t *text, size_t length) {
  const uint8_t *p = text, *end = text + length;
  while (p < end) {
    while (end - p >= 8 && plain8(p)) {
      memcpy(to, p, 8);
      to += 8;
      p += 8;
    }
    if (p == end) break;
    uint8_t b = *p;
    if (plain(b)) {
      *to++ = (char)*p++;
    } else if (b < 0x80) {
      if (b == '"' || b == '\\') to = mempcpy(to, (char[]){'\\', (char)b}, 2);
      else if (b == '\n') to = mempcpy(to, "\\n", 2);
      else if (b == '\r') to = mempcpy(to, "\\r", 2);
      else to = put_unicode(to, b);
      p++;
    } else {
      size_t n = sequence(p, end);
      if (n == 0) {
        to = put_unicode(to, 0xfffd);
        p++;
      } else if (n == 3 && p[0] == 0xe2 && p[1] == 0x80 && (p[2] & 0xfe) == 0xa8) { /* U+2028, U+2029 */
        to = put_unicode(to, p[2] == 0xa8 ? 0x2028 : 0x2029);
        p += 3;
      } else {
        to = mempcpy(to, p, n);
        p += n;
      }
    }
  }
  return to;
}

size_t json_whole_characters(const uint8_t *text, size_t length) {
  for (size_t back = 1; back <= 3 && back < length; back++) {
    uint8_t b = text[length - back];
    if ((b & 0xc0) == 0x80) continue;
    size_t wanted = b >= 0xf0 && b <= 0xf4 ? 4 : b >= 0xe0 && b < 0xf0 ? 3 : b >= 0xc2 && b < 0xe0 ? 2 : 1;
    return wanted > back ? length - back : length;
  }
  return length;
}
