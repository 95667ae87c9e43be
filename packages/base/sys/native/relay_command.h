/* What JavaScript's thread tells the relay's. */
#ifndef LONGSHORE_RELAY_COMMAND_H
#define LONGSHORE_RELAY_COMMAND_H

#include <node_api.h>

#include "relay.h"

enum command_type { COMMAND_OPEN, COMMAND_TERMINAL, COMMAND_EXITED, COMMAND_RELEASE, COMMAND_CLOSE_INPUT, COMMAND_COMPRESSED, COMMAND_LISTEN, COMMAND_UNLISTEN, COMMAND_ACCEPT, COMMAND_REFUSE, COMMAND_WATCH, COMMAND_UNWATCH, COMMAND_STOP };

struct command {
  struct command *next;
  enum command_type type;
  int id, channel_id;
  unsigned flags;
  void *object;
  char *text;
  uint8_t *bytes;
  size_t length;
};

/* A descriptor watched for JavaScript: eventfd, inotify. */
struct watch {
  struct watch *next;
  struct source src;
  int id;
};

/* Starts the thread; `callback` gets its events. Returns an errno or 0. */
int relay_thread_start(napi_env env, napi_value callback, bool reap);
bool relay_running(void);
void relay_queue(struct command *cmd);

#endif
