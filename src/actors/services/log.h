//  log.h: the daemon's log, LOG/troupe.log: a line a message, written by the actor "log" alone.
//
//  `log` {level, time_us (us since 1970), text}, as actor_log sends it. Levels above the
//  configuration's are left out. At 16 MiB the file becomes troupe.log.1, replacing the one before.
//  In the foreground the lines go to stderr too. When the file can't be written, stderr is told
//  once, and the log says how many lines are missing as soon as it can.

#ifndef TROUPE_LOG_H
#define TROUPE_LOG_H

#include "actors/runtime/actor.h"

#define LOG_MAX_BYTES (16 * 1024 * 1024)

//  Start argument: config.
extern const actor_class_t log_class;

#endif
