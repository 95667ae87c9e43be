#define _GNU_SOURCE
#include "json_string.h"

#include <string.h>

#define KEPT 0xdc00 /* and a byte of 0x80 or more: such a byte by itself */

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

char *json_escape(char *to, const uint8_t *text, size_t length, bool keep) {
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
        to = put_unicode(to, keep ? KEPT | b : 0xfffd);
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

static int hex_digit(uint8_t b) {
  if (b >= '0' && b <= '9') return b - '0';
  b |= 0x20;
  return b >= 'a' && b <= 'f' ? b - 'a' + 10 : -1;
}

/* The code unit of the four digits at p; -1 when they are none, or half of a pair that stands for no byte. */
static int code_unit(const uint8_t *p, const uint8_t *end) {
  if (end - p < 4) return -1;
  int code = 0;
  for (int i = 0; i < 4; i++) {
    int digit = hex_digit(p[i]);
    if (digit < 0) return -1;
    code = code << 4 | digit;
  }
  return code >= 0xd800 && code <= 0xdfff && (code < (KEPT | 0x80) || code > (KEPT | 0xff)) ? -1 : code;
}

static char *put_utf8(char *to, unsigned code) {
  if (code < 0x80) {
    *to++ = (char)code;
  } else if (code < 0x800) {
    *to++ = (char)(0xc0 | code >> 6);
    *to++ = (char)(0x80 | (code & 0x3f));
  } else {
    *to++ = (char)(0xe0 | code >> 12);
    *to++ = (char)(0x80 | (code >> 6 & 0x3f));
    *to++ = (char)(0x80 | (code & 0x3f));
  }
  return to;
}

char *json_unescape(char *to, const uint8_t **text, const uint8_t *end) {
  static const char escapes[128] = {['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b', ['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t'};
  const uint8_t *p = *text;
  while (p < end) {
    while (end - p >= 8 && plain8(p)) {
      memcpy(to, p, 8);
      to += 8;
      p += 8;
    }
    if (p == end) return NULL;
    uint8_t b = *p;
    if (b == '"') {
      *text = p + 1;
      return to;
    }
    if (b == '\\') {
      if (end - p < 2) return NULL;
      uint8_t kind = p[1];
      p += 2;
      if (kind == 'u') {
        int code = code_unit(p, end);
        if (code < 0) return NULL;
        if ((code & 0xff00) == KEPT) *to++ = (char)code;
        else to = put_utf8(to, (unsigned)code);
        p += 4;
      } else {
        if (kind >= 0x80 || !escapes[kind]) return NULL;
        *to++ = escapes[kind];
      }
    } else if (b >= 0x80) {
      size_t n = sequence(p, end);
      if (n == 0) return NULL;
      to = mempcpy(to, p, n);
      p += n;
    } else {
      if (b < 0x20) return NULL;
      *to++ = (char)*p++;
    }
  }
  return NULL;
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
