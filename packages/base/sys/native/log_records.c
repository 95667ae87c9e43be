/* The records of a json-file log as a client gets them. */
#include "addon.h"

#include "json_string.h"

struct show {
  bool streams[3]; /* by their numbers in frames: 1 for stdout, 2 for stderr */
  bool framed, timestamps;
};

#define TIME_LENGTH 30 /* of "2006-01-02T15:04:05.000000000Z" */
#define HEAD_ROOM 64   /* more than what is added to a record: a header of 8 bytes, a time with a space */

/* Moves *p behind `text` when that is what comes. */
static bool skip(const uint8_t **p, const uint8_t *end, const char *text, size_t length) {
  if ((size_t)(end - *p) < length || memcmp(*p, text, length) != 0) return false;
  *p += length;
  return true;
}
#define SKIP(text) skip(p, end, text, sizeof(text) - 1)

/* A string of ASCII that needs no decoding, with its quotes. */
static bool skip_simple_string(const uint8_t **p, const uint8_t *end) {
  if (!SKIP("\"")) return false;
  for (; *p < end && **p != '"'; (*p)++)
    if (**p < 0x20 || **p >= 0x80 || **p == '\\') return false;
  return SKIP("\"");
}

/* `"attrs":{...},`, or nothing. */
static bool skip_attrs(const uint8_t **p, const uint8_t *end) {
  if (!SKIP("\"attrs\":{")) return true;
  do
    if (!skip_simple_string(p, end) || !SKIP(":") || !skip_simple_string(p, end)) return false;
  while (SKIP(","));
  return SKIP("},");
}

/* What surrounds the text of a record: its stream, and its time when that has all its digits. */
static int parse_rest(const uint8_t **p, const uint8_t *end, const uint8_t **time) {
  if (!SKIP(",\"stream\":\"std")) return 0;
  int stream = SKIP("out\",") ? 1 : SKIP("err\",") ? 2 : 0;
  if (!stream || !skip_attrs(p, end) || !SKIP("\"time\":")) return 0;
  const uint8_t *start = *p + 1;
  if (!skip_simple_string(p, end)) return 0;
  *time = *p - 1 - start == TIME_LENGTH && start[TIME_LENGTH - 1] == 'Z' && start[19] == '.' ? start : NULL;
  return SKIP("}\n") ? stream : 0;
}

/*
 * Renders the record at *p, behind which *p is left. `to` has room for what is left to read and HEAD_ROOM: more is
 * taken away (names, quotes) than added, but the text is decoded before it is known to end. NULL for another form.
 */
static char *render(char *to, const uint8_t **p, const uint8_t *end, const struct show *show) {
  if (!SKIP("{\"log\":\"")) return NULL;
  char *text = to + (show->framed ? 8 : 0) + (show->timestamps ? TIME_LENGTH + 1 : 0);
  const uint8_t *time;
  char *text_end = json_unescape(text, p, end);
  if (!text_end) return NULL;
  int stream = parse_rest(p, end, &time);
  if (!stream || (show->timestamps && !time)) return NULL;
  if (!show->streams[stream]) return to;
  if (show->framed) {
    uint32_t payload = (uint32_t)(text_end - to - 8);
    to = mempcpy(to, (uint8_t[]){(uint8_t)stream, 0, 0, 0, (uint8_t)(payload >> 24), (uint8_t)(payload >> 16), (uint8_t)(payload >> 8), (uint8_t)payload}, 8);
  }
  if (show->timestamps) {
    to = mempcpy(to, time, TIME_LENGTH);
    *to = ' ';
  }
  return text_end;
}

/* (records, from, out, at, stdout, stderr, framed, timestamps): where it ended in both. */
METHOD(sys_render_log_records) {
  size_t length, room;
  const uint8_t *records = arg_bytes(c, 0, &length);
  int64_t from = arg_int(c, 1);
  uint8_t *out = arg_bytes(c, 2, &room);
  int64_t at = arg_int(c, 3);
  struct show show = {{false, arg_bool(c, 4), arg_bool(c, 5)}, arg_bool(c, 6), arg_bool(c, 7)};
  if (c->failed) return NULL;
  if (from < 0 || at < 0 || (size_t)from > length || (size_t)at > room || room - (size_t)at < length - (size_t)from + HEAD_ROOM)
    return throw_errno(c, EINVAL, "renderLogRecords", NULL, NULL);
  const uint8_t *p = records + from, *end = records + length;
  char *to = (char *)out + at;
  for (;;) {
    const uint8_t *next = p;
    char *rendered = p < end ? render(to, &next, end, &show) : NULL;
    if (!rendered) break;
    to = rendered;
    p = next;
  }
  napi_value result = result_object(c);
  set_int(c, result, "read", p - records);
  set_int(c, result, "written", to - (char *)out);
  return result;
}

void register_log_records(napi_env env, napi_value exports) {
  export_method(env, exports, "renderLogRecords", sys_render_log_records);
}
