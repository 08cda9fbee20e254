//  spawner.h: the actor that owns child processes. It starts them through troupe-launch, sees their
//  end by pidfd, and knows a process only as the kernel does: PID:START:BOOTID.
//
//  process.spawn    starts the launcher with {argv, env, folder, log, uid, gid, drop_capabilities,
//                   privileged, tied, memlock_bytes, listen, devices, cgroups, owner}; {process}
//                   when all that can fail before the program was done. It then waits for go. If
//                   none comes within a minute, or who asked ends before, it exits without a trace.
//                   It is in the cgroups from its beginning
//  process.go       {process}; nil once the program was executed, or why not
//  process.kill     {process, signal}; nil also if it ended before. Whoever's child it is
//  process.wait     {process}; nil once it ended
//  process.watch    {process, owner}: {alive}. The owner, the last one given, is told of its end
//
//  `process.exited` {process, code, signal} is sent to the owner exactly once for each process that
//  spawn returned or that was alive at watch. A signal ended it: code is -1. It was nobody's child
//  that we could reap: code is -1, signal 0. An owner "" is none.

#ifndef TROUPE_SPAWNER_H
#define TROUPE_SPAWNER_H

#include "actors/runtime/actor.h"

#define SPAWNER_GO_MS 60000

//  Start arguments: config; go_ms: instead of SPAWNER_GO_MS, for tests.
extern const actor_class_t spawner_class;

#endif
