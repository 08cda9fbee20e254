//  launch_protocol.h: how the daemon and its launcher talk. Both sides are of one build.
//
//  The daemon starts troupe-launch with one end of a UNIX stream socket as descriptor 3; its own
//  end must be close-on-exec, or the launcher never sees the daemon die. Then:
//
//      daemon      the spec: its size as a uint32_t in the machine's own byte order, then strings
//                  "key=value", each with a NUL at its end
//      launcher    "ready\n": everything that can fail before the program starts was done,
//                  except for the change of identity; or "error: ONE LINE\n", and it exits
//      daemon      "go\n". If it closes the socket instead, because it died or thought better of
//                  it, the launcher removes the sockets that it bound and exits with 0
//      launcher    the end of the stream: the program was executed; or "error: ONE LINE\n", and it
//                  exits with 127
//
//  The identity changes after "go", because before that the launcher may have to remove sockets
//  from folders where only the daemon's user may.
//
//  Keys, in the order in which they are applied (those with * may be repeated):
//
//      keep=FD *           the program inherits the daemon's descriptor FD; all others are closed
//      log=PATH            stdout and stderr are appended to this file; /dev/null without it
//      cgroup=PATH *       the folder of a cgroup to join
//      memlock=BYTES       RLIMIT_MEMLOCK
//      folder=PATH         working folder, "/" without it
//      listen=FD:PATH *    a listening UNIX stream socket, mode 0600, that the program inherits as
//                          descriptor FD; what socket was at PATH before is removed
//      device=FD:DEVICE *  what the program gets as descriptor FD (util/device.h has its text)
//      argv=TEXT *         the command line; the first is the absolute path of the program
//      env=NAME=VALUE *    the whole environment
//      group=GID *         the supplementary groups
//      uid=UID, gid=GID    the identity; both or none
//      bounded=1           of the launcher's capabilities only the inheritable ones can be got by
//                          the program, and by what it executes
//      drop_capabilities=1 no capability is left or can be got again, not even as root
//      tied=1              the program is killed when the thread ends that started the launcher
//
//  The program also gets a session of its own, umask 0077, /dev/null as stdin and all signals as
//  they are by default.

#ifndef TROUPE_LAUNCH_PROTOCOL_H
#define TROUPE_LAUNCH_PROTOCOL_H

#define LAUNCH_FD 3                  //  the launcher's end of the socket
#define LAUNCH_FD_MAX 63             //  the highest descriptor that a program can be given
#define LAUNCH_SPEC_MAX (256 * 1024) //  bytes
#define LAUNCH_LIST_MAX 48           //  of each of keep, cgroup, listen, device and group
#define LAUNCH_READY_LINE "ready"
#define LAUNCH_ERROR_PREFIX "error: "
#define LAUNCH_GO "go\n"

#endif
