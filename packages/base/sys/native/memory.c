/* What a process that waits can do without. */
#include "addon.h"

#include <malloc.h>
#include <stdio.h>
#include <sys/mman.h>

/* The next mapping of smaps whose pages are the file's alone: read-only, none of them written before that. */
static bool next_clean(FILE *smaps, char **line, size_t *size, unsigned long *start, unsigned long *end) {
  bool candidate = false;
  char permissions[5], path[2];
  unsigned long from, to;
  while (getline(line, size, smaps) > 0) {
    if (sscanf(*line, "%lx-%lx %4s %*s %*s %*s %1s", &from, &to, permissions, path) == 4) {
      candidate = permissions[0] == 'r' && permissions[1] == '-' && path[0] == '/';
      *start = from;
      *end = to;
    } else if (candidate && !strncmp(*line, "Anonymous:", 10)) {
      candidate = false;
      if (strtoul(*line + 10, NULL, 10) == 0) return true;
    }
  }
  return false;
}

/*
 * Unmaps the pages of code and constants; those that are used again come back from the page cache. What was
 * relocated, thus exists in memory alone, stays.
 */
METHOD(sys_release_file_pages) {
  FILE *smaps = fopen("/proc/self/smaps", "re");
  if (!smaps) return throw_errno(c, errno, "open", "/proc/self/smaps", NULL);
  char *line = NULL;
  size_t size = 0;
  unsigned long start, end;
  /* A mapping that cannot be advised on keeps its pages. */
  while (next_clean(smaps, &line, &size, &start, &end)) (void)madvise((void *)start, end - start, MADV_DONTNEED);
  free(line);
  fclose(smaps);
  return NULL;
}

/* Gives the system what malloc keeps of freed memory. */
METHOD(sys_malloc_trim) {
  (void)c;
  malloc_trim(0);
  return NULL;
}

void register_memory(napi_env env, napi_value exports) {
  export_method(env, exports, "releaseFilePages", sys_release_file_pages);
  export_method(env, exports, "mallocTrim", sys_malloc_trim);
}
