//  container_protocol.h: how the daemon and a container's supervisor talk. Both sides are of one
//  build, but a supervisor may be older than the daemon: it outlives the one that started it.
//
//  The launcher gives troupe-container a listening UNIX socket as descriptor 3. There it speaks as
//  QEMU's monitor does (QEMU's "QMP protocol specification": a greeting, qmp_capabilities, commands
//  with ids, events), so that the daemon watches both by the same means. One connection at a time;
//  when it is lost, the container goes on, and the next daemon connects again.
//
//      create  {the container, container_spec.h}
//                          makes the namespaces, the file systems and the consoles. Init is there,
//                          in all of them, and waits. Returns what query does
//      run                 executes init's program; an error if that can't be done
//      restart             starts one again that ended: create and run
//      query               {state: "none", "created", "running", "ended", init: PID:START:BOOTID
//                          (while there is one), consoles: [{alias, path}], how, code, shutdown (of
//                          one that ended)}
//      shutdown, reboot    {mode: "initctl", "signal", or none: the first that init understands}
//                          asks init. Whichever way it ends then, it counts as that
//
//      signal              {pid, number}: sends a process, as it is called inside, a signal
//
//      enter               {argv}: returns {ticket}, which allows whoever brings it to the second
//                          socket to have that run in the container, once
//
//  The second socket is descriptor 4. A client sends one line, the ticket and three digits, and
//  with it the descriptors for the program's stdin, stdout and stderr; those of digit 1 do not
//  come, and are a terminal. It gets lines: "terminal", with the descriptor of the terminal's
//  master, if there is one; "error TEXT" if the program could not be run; "exit CODE" or "signal
//  NUMBER" when it ended. A client that goes has SIGHUP sent to its program.
//
//  Events:
//
//      ENDED               as query's how, code and shutdown. how: "exit" (code: its status),
//                          "signal" (its number), "halt", "reboot" (it is not to be started again),
//                          "failed" (with "error": it could not be started again)
//      REBOOTED            {init}: it was started again, in new namespaces but for that of the
//                          network
//
//  The supervisor stays behind a container that ended, so that how it did is known even if the
//  daemon was away. SIGTERM ends both, and gives the host's links back that the container had. If
//  the supervisor is killed, so is init, and with it all processes of its pid namespace; whether
//  init is over is seen by its identity, which the supervisor has written to a file before init
//  executed anything.

#ifndef TROUPE_CONTAINER_PROTOCOL_H
#define TROUPE_CONTAINER_PROTOCOL_H

#define CONTAINER_SOCKET_FD 3
#define CONTAINER_ENTRANCE_FD 4
#define CONTAINER_CONSOLES_MAX 16
#define CONTAINER_LISTS_MAX 64 //  of file systems, cgroups

#endif
