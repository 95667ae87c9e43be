/* The relay as JavaScript sees it: every call becomes a command to its thread. */
#include "addon.h"

#include <fcntl.h>
#include <unistd.h>

#include "relay_command.h"

/* relayStart(callback, reap): one relay per process. */
METHOD(relay_start) {
  bool reap = arg_bool(c, 1);
  if (c->failed) return NULL;
  int error = relay_running() ? EBUSY : relay_thread_start(c->env, c->argv[0], reap);
  return error ? throw_errno(c, error, "relay", NULL, NULL) : NULL;
}

static napi_value submit(call *c, struct command command) {
  struct command *cmd = relay_running() ? malloc(sizeof *cmd) : NULL;
  if (!cmd) return throw_errno(c, relay_running() ? ENOMEM : EINVAL, "relay", NULL, NULL);
  *cmd = command;
  bool copied = !command.text || (cmd->text = strdup(command.text));
  if (copied && command.bytes && (copied = (cmd->bytes = malloc(command.length + 1)))) memcpy(cmd->bytes, command.bytes, command.length);
  if (!copied) {
    if (command.text) free(cmd->text);
    free(cmd);
    return throw_errno(c, ENOMEM, "relay", NULL, NULL);
  }
  relay_queue(cmd);
  return NULL;
}

static void nonblocking(int fd) {
  if (fd >= 0) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* relayOpen(id, terminal, [stdout, stderr, sink1, sink2, file1, file2, input, fifo, keeper], log path | null, max size, max files, compress, keep bytes, attrs).
   All descriptors become the relay's own, also when it fails. */
METHOD(relay_open) {
  size_t count = 0;
  int id = (int)arg_int(c, 0);
  bool terminal = arg_bool(c, 1);
  int *fds = arg_ints(c, 2, &count);
  const char *log_path = arg_optional_string(c, 3);
  int64_t max_size = arg_int(c, 4);
  int max_files = (int)arg_int(c, 5);
  bool compress = arg_bool(c, 6);
  bool keep_bytes = arg_bool(c, 7);
  const char *attrs = arg_string(c, 8);
  if (c->failed) return NULL;
  if (count != 9) return throw_errno(c, EINVAL, "relay", NULL, NULL);
  struct channel *ch = calloc(1, sizeof *ch);
  struct jsonlog *log = NULL;
  if (!ch || (log_path && !(log = jsonlog_open(log_path, max_size, max_files, compress, keep_bytes, attrs)))) {
    int error = ch ? errno : ENOMEM;
    free(ch);
    for (size_t i = 0; i < count; i++)
      if (fds[i] >= 0) close(fds[i]);
    return throw_errno(c, error, "open", log_path, NULL);
  }
  ch->id = id;
  ch->terminal = terminal;
  ch->log = log;
  for (int i = 0; i < 2; i++) {
    struct output *o = &ch->outputs[i];
    o->channel = ch;
    o->number = i + 1;
    o->line.stream = i ? "stderr" : "stdout";
    o->src.fd = fds[i];
    o->sink.fd = fds[2 + i];
    o->file = fds[4 + i];
    nonblocking(o->src.fd);
    nonblocking(o->sink.fd);
  }
  ch->input.fd = fds[6];
  ch->fifo.fd = fds[7];
  ch->fifo_keeper = fds[8];
  nonblocking(ch->input.fd);
  nonblocking(ch->fifo.fd);
  return submit(c, (struct command){.type = COMMAND_OPEN, .object = ch});
}

/* relayTerminal(id, master): the master becomes the relay's own, also when it fails. */
METHOD(relay_terminal) {
  int id = (int)arg_int(c, 0), master = (int)arg_int(c, 1);
  if (c->failed) return NULL;
  int input = fcntl(master, F_DUPFD_CLOEXEC, 3);
  if (input < 0) {
    int error = errno;
    close(master);
    return throw_errno(c, error, "dup", NULL, NULL);
  }
  nonblocking(master);
  return submit(c, (struct command){.type = COMMAND_TERMINAL, .id = id, .channel_id = master, .flags = (unsigned)input});
}

static napi_value submit_id(call *c, enum command_type type) {
  int id = (int)arg_int(c, 0);
  return c->failed ? NULL : submit(c, (struct command){.type = type, .id = id});
}

METHOD(relay_exited) { return submit_id(c, COMMAND_EXITED); }
METHOD(relay_release) { return submit_id(c, COMMAND_RELEASE); }
METHOD(relay_close_input) { return submit_id(c, COMMAND_CLOSE_INPUT); }
METHOD(relay_compressed) { return submit_id(c, COMMAND_COMPRESSED); }
METHOD(relay_unlisten) { return submit_id(c, COMMAND_UNLISTEN); }
METHOD(relay_unwatch) { return submit_id(c, COMMAND_UNWATCH); }
METHOD(relay_stop) { return relay_running() ? submit(c, (struct command){.type = COMMAND_STOP}) : NULL; }

/* relayListen(id, fd, path): path is removed with the listener. */
METHOD(relay_listen) {
  int id = (int)arg_int(c, 0), fd = (int)arg_int(c, 1);
  const char *path = arg_string(c, 2);
  if (c->failed) return NULL;
  struct listener *l = calloc(1, sizeof *l);
  if (!l || !(l->path = strdup(path))) {
    free(l);
    return throw_errno(c, ENOMEM, "relay", path, NULL);
  }
  l->id = id;
  l->src.fd = fd;
  nonblocking(fd);
  return submit(c, (struct command){.type = COMMAND_LISTEN, .object = l});
}

/* relayAccept(client, channel, flags, reply, detach keys) */
METHOD(relay_accept) {
  struct command cmd = {.type = COMMAND_ACCEPT, .id = (int)arg_int(c, 0), .channel_id = (int)arg_int(c, 1), .flags = (unsigned)arg_int(c, 2), .text = arg_string(c, 3)};
  cmd.bytes = arg_bytes(c, 4, &cmd.length);
  return c->failed ? NULL : submit(c, cmd);
}

METHOD(relay_refuse) {
  struct command cmd = {.type = COMMAND_REFUSE, .id = (int)arg_int(c, 0), .text = arg_string(c, 1)};
  return c->failed ? NULL : submit(c, cmd);
}

METHOD(relay_watch) {
  int id = (int)arg_int(c, 0), fd = (int)arg_int(c, 1);
  if (c->failed) return NULL;
  struct watch *w = calloc(1, sizeof *w);
  if (!w) return throw_errno(c, ENOMEM, "relay", NULL, NULL);
  w->id = id;
  w->src.fd = fd;
  nonblocking(fd);
  return submit(c, (struct command){.type = COMMAND_WATCH, .object = w});
}

void register_relay(napi_env env, napi_value exports) {
  export_method(env, exports, "relayStart", relay_start);
  export_method(env, exports, "relayStop", relay_stop);
  export_method(env, exports, "relayOpen", relay_open);
  export_method(env, exports, "relayTerminal", relay_terminal);
  export_method(env, exports, "relayExited", relay_exited);
  export_method(env, exports, "relayRelease", relay_release);
  export_method(env, exports, "relayCloseInput", relay_close_input);
  export_method(env, exports, "relayCompressed", relay_compressed);
  export_method(env, exports, "relayListen", relay_listen);
  export_method(env, exports, "relayUnlisten", relay_unlisten);
  export_method(env, exports, "relayAccept", relay_accept);
  export_method(env, exports, "relayRefuse", relay_refuse);
  export_method(env, exports, "relayWatch", relay_watch);
  export_method(env, exports, "relayUnwatch", relay_unwatch);
}
