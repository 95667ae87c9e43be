/* A log file of json-file records, with rotation. */
#ifndef LONGSHORE_JSONLOG_H
#define LONGSHORE_JSONLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* The text that one record holds at most, in bytes. */
#define JSONLOG_LINE 16384

struct jsonlog {
  char *path;
  int fd;
  int64_t size, max_size; /* max_size <= 0: never rotated */
  int max_files;
  bool keep_bytes; /* text that is no UTF-8 can be had back from the records */
  bool compress;
  bool compressing; /* the last rotated file is being compressed: no further rotation until it is done */
  int previous;     /* the file before the live one as long as a follower may read it, -1 without */
  bool rotated;     /* set by a rotation whose file waits for compression; the owner clears it */
  int error;        /* errno of the last failed write, 0 after one that succeeded */
  uint64_t lost;    /* records that a failing file did not take */
  char *attrs;      /* `"attrs":{...},` or empty */
  size_t attrs_length;
};

/* What has come of a line that is not complete yet; one per stream. */
struct jsonlog_line {
  const char *stream; /* "stdout" or "stderr" */
  uint8_t *text;      /* JSONLOG_LINE bytes, allocated on the first incomplete line */
  size_t length;
  bool continued; /* a part of this line is written already */
  struct timespec time; /* of its first part */
};

/* Opens the file for appending (0640). Returns NULL with errno. attrs is a JSON object or empty. */
struct jsonlog *jsonlog_open(const char *path, int64_t max_size, int max_files, bool compress, bool keep_bytes, const char *attrs);
void jsonlog_write(struct jsonlog *log, struct jsonlog_line *line, const uint8_t *data, size_t length);
/* Writes what is left of an unfinished line, without a newline. */
void jsonlog_finish(struct jsonlog *log, struct jsonlog_line *line);
/* Full, and the file before still being compressed, or read by a follower: that has a shared lock on it. */
bool jsonlog_must_wait(struct jsonlog *log);
void jsonlog_wait_no_more(struct jsonlog *log); /* for who reads the file before */
void jsonlog_close(struct jsonlog *log);

#endif
