#define _GNU_SOURCE
#include "jsonlog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json_string.h"

/* Records are gathered here and appended with one write each time it is nearly full. */
static char batch[192 << 10];
static size_t batch_length;
static size_t batch_records;

struct jsonlog *jsonlog_open(const char *path, int64_t max_size, int max_files, bool compress, bool keep_bytes, const char *attrs) {
  struct jsonlog *log = calloc(1, sizeof *log);
  if (!log) return NULL;
  log->previous = -1;
  log->fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  log->path = strdup(path);
  log->attrs_length = *attrs ? strlen(attrs) + strlen("\"attrs\":,") : 0;
  log->attrs = malloc(log->attrs_length + 1);
  struct stat st;
  if (log->fd < 0 || !log->path || !log->attrs || fstat(log->fd, &st)) {
    int error = errno;
    jsonlog_close(log);
    errno = error;
    return NULL;
  }
  snprintf(log->attrs, log->attrs_length + 1, *attrs ? "\"attrs\":%s," : "%s", attrs);
  log->size = st.st_size;
  log->max_size = max_size;
  log->max_files = max_files < 1 ? 1 : max_files;
  log->compress = compress && log->max_files > 1;
  log->keep_bytes = keep_bytes;
  /* A half record of a machine that lost power must not swallow the first of ours. */
  char last = '\n';
  if (S_ISREG(st.st_mode) && st.st_size > 0 && pread(log->fd, &last, 1, st.st_size - 1) == 1 && last != '\n' && write(log->fd, "\n", 1) == 1) log->size++;
  return log;
}

void jsonlog_close(struct jsonlog *log) {
  if (log->fd >= 0) close(log->fd);
  jsonlog_wait_no_more(log);
  free(log->path);
  free(log->attrs);
  free(log);
}

void jsonlog_wait_no_more(struct jsonlog *log) {
  if (log->previous >= 0) close(log->previous);
  log->previous = -1;
}

/* Whether a follower has still to come to the live file: it would miss that, were the next one begun. */
static bool awaits_follower(struct jsonlog *log) {
  if (log->previous < 0) return false;
  if (flock(log->previous, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) return true;
  jsonlog_wait_no_more(log);
  return false;
}

bool jsonlog_must_wait(struct jsonlog *log) {
  return log->max_size > 0 && log->size >= log->max_size && (log->compressing || awaits_follower(log));
}

/* Appends the batch. What a full disk cuts off is taken back to the last whole record. */
static void flush(struct jsonlog *log) {
  size_t done = 0;
  int error = 0;
  while (done < batch_length) {
    ssize_t n = write(log->fd, batch + done, batch_length - done);
    if (n > 0) done += (size_t)n;
    else if (n < 0 && errno == EINTR) continue;
    else {
      error = n < 0 ? errno : ENOSPC;
      break;
    }
  }
  if (done < batch_length) {
    size_t whole = done;
    while (whole > 0 && batch[whole - 1] != '\n') whole--;
    if (whole < done && ftruncate(log->fd, log->size + (int64_t)whole)) whole = done;
    for (size_t i = whole; i < batch_length; i++) log->lost += batch[i] == '\n';
    done = whole;
  }
  log->error = error;
  log->size += (int64_t)done;
  batch_length = batch_records = 0;
}

static void numbered(char *to, size_t size, const struct jsonlog *log, int number, bool gz) {
  if (number == 0) snprintf(to, size, "%s", log->path);
  else snprintf(to, size, gz ? "%s.%d.gz" : "%s.%d", log->path, number);
}

/* What is written from now on goes to `fd`. Who reads the file before has it open. */
static void turn_to(struct jsonlog *log, int fd) {
  jsonlog_wait_no_more(log);
  log->previous = log->fd;
  log->fd = fd;
  log->size = 0;
  awaits_follower(log);
}

/* A new file takes the place of the only one, which followers read on; for want of room it is emptied. */
static void replace(struct jsonlog *log, char *beside, size_t size) {
  snprintf(beside, size, "%s.tmp", log->path);
  int fd = open(beside, O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd >= 0 && !rename(beside, log->path)) return turn_to(log, fd);
  if (fd >= 0) close(fd);
  unlink(beside);
  if (!ftruncate(log->fd, 0)) log->size = 0;
}

/* x.log becomes x.log.1, x.log.1 becomes x.log.2 and so on. */
static void rotate(struct jsonlog *log) {
  size_t size = strlen(log->path) + 24;
  char *from = malloc(size), *to = malloc(size);
  if (!from || !to) goto out;
  if (log->max_files == 1) {
    replace(log, to, size);
    goto out;
  }
  for (int gz = 0; gz < 2; gz++) {
    numbered(to, size, log, log->max_files - 1, gz);
    unlink(to);
  }
  for (int i = log->max_files - 2; i >= 0; i--)
    for (int gz = 0; gz < (i ? 2 : 1); gz++) {
      numbered(from, size, log, i, gz);
      numbered(to, size, log, i + 1, gz);
      if (rename(from, to) && i == 0) goto out; /* kept growing rather than lost */
    }
  int fd = open(log->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (fd < 0) {
    numbered(to, size, log, 1, false);
    rename(to, log->path);
    goto out;
  }
  turn_to(log, fd);
  if (log->compress) log->compressing = log->rotated = true;
out:
  free(from);
  free(to);
}

/* "2006-01-02T15:04:05.000000000Z"; the calendar is worked out once a second. */
static void put_time(char *to, struct timespec now) {
  static time_t second = -1;
  static char date[24];
  if (now.tv_sec != second) {
    struct tm tm;
    gmtime_r(&now.tv_sec, &tm);
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S.", &tm);
    second = now.tv_sec;
  }
  memcpy(to, date, 20);
  long ns = now.tv_nsec;
  for (int i = 28; i >= 20; i--, ns /= 10) to[i] = (char)('0' + ns % 10);
  to[29] = 'Z';
}

static void record(struct jsonlog *log, const char *stream, const uint8_t *text, size_t length, bool newline, struct timespec time) {
  size_t most = length * 6 + 96 + log->attrs_length;
  if (log->max_size > 0 && log->size + (int64_t)batch_length >= log->max_size && !log->compressing && !awaits_follower(log)) {
    flush(log);
    if (log->size >= log->max_size) rotate(log);
  }
  if (batch_length + most > sizeof batch) flush(log);
  if (most > sizeof batch) { /* attributes of absurd size */
    log->lost++;
    return;
  }
  char *p = batch + batch_length;
  p = mempcpy(p, "{\"log\":\"", 8);
  p = json_escape(p, text, length, log->keep_bytes);
  if (newline) p = mempcpy(p, "\\n", 2);
  p = mempcpy(p, "\",\"stream\":\"", 12);
  p = mempcpy(p, stream, 6);
  p = mempcpy(p, "\",", 2);
  p = mempcpy(p, log->attrs, log->attrs_length);
  p = mempcpy(p, "\"time\":\"", 8);
  put_time(p, time);
  p = mempcpy(p + 30, "\"}\n", 3);
  batch_length = (size_t)(p - batch);
  batch_records++;
}

/* All parts of a line that is split carry the time of its first. */
static struct timespec time_of(const struct jsonlog_line *line) {
  if (line->continued) return line->time;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now;
}

static void part(struct jsonlog *log, struct jsonlog_line *line, const uint8_t *text, size_t length, bool newline) {
  line->time = time_of(line);
  record(log, line->stream, text, length, newline, line->time);
  line->continued = !newline;
}

void jsonlog_write(struct jsonlog *log, struct jsonlog_line *line, const uint8_t *data, size_t length) {
  while (length > 0) {
    size_t room = JSONLOG_LINE - line->length;
    const uint8_t *end = memchr(data, '\n', length < room ? length : room);
    size_t n = end ? (size_t)(end - data) : length < room ? length : room;
    if (line->length == 0 && (end || n == JSONLOG_LINE)) { /* nothing waits: straight from the read buffer */
      size_t cut = end ? n : json_whole_characters(data, n);
      part(log, line, data, cut, end != NULL);
      data += cut + (end ? 1 : 0);
      length -= cut + (end ? 1 : 0);
      continue;
    }
    if (!line->text && !(line->text = malloc(JSONLOG_LINE))) {
      log->lost++;
      return;
    }
    memcpy(line->text + line->length, data, n);
    line->length += n;
    data += n;
    length -= n;
    if (end) {
      part(log, line, line->text, line->length, true);
      line->length = 0;
      data++;
      length--;
    } else if (line->length == JSONLOG_LINE) {
      size_t cut = json_whole_characters(line->text, JSONLOG_LINE);
      part(log, line, line->text, cut, false);
      memmove(line->text, line->text + cut, JSONLOG_LINE - cut);
      line->length = JSONLOG_LINE - cut;
    }
  }
  flush(log);
}

void jsonlog_finish(struct jsonlog *log, struct jsonlog_line *line) {
  if (line->length > 0) {
    part(log, line, line->text, line->length, false);
    flush(log);
  }
  free(line->text);
  line->text = NULL;
  line->length = 0;
  line->continued = false;
}
