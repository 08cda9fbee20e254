//  setup.h: the steps between the launcher's start and the program's.

#ifndef TROUPE_LAUNCHER_SETUP_H
#define TROUPE_LAUNCHER_SETUP_H

#include "launcher/spec.h"

//  A session of its own, signals and umask as they are by default.
void setup_session (void);
//  Closes all descriptors but 0 to 2, CONTROL (above LAUNCH_FD_MAX) and the kept ones.
int setup_descriptors (const spec_t *spec, int control, error_t *err);
//  Opens the log before anything else may want to write to it.
int setup_output (const spec_t *spec, error_t *err);
int setup_cgroups (const spec_t *spec, error_t *err);
int setup_limits (const spec_t *spec, error_t *err);
int setup_folder (const spec_t *spec, error_t *err);
int setup_listeners (spec_t *spec, error_t *err);
//  Removes the sockets that setup_listeners bound, and no others.
void setup_undo_listeners (const spec_t *spec);
//  Opens what the program gets besides. Before the identity: these devices are root's.
int setup_devices (const spec_t *spec, error_t *err);
//  Makes FD, close-on-exec, the program's WANTED; it is closed in any case.
int setup_pass (int fd, int wanted, error_t *err);
//  Groups, user and capabilities. There is no way back from it.
int setup_identity (const spec_t *spec, error_t *err);
//  After the identity, whose change would take the tie away. If the daemon is gone, the process
//  ends here.
int setup_tie (const spec_t *spec, int control, error_t *err);

#endif
