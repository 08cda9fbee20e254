//  container_privileges.h: what init gives up before its program is executed.

#ifndef TROUPE_CONTAINER_PRIVILEGES_H
#define TROUPE_CONTAINER_PRIVILEGES_H

#include "container/container_spec.h"

typedef struct {
    uid_t uid;
    gid_t gid;
} container_user_t;

//  container_user.c: who init is to be, by the container's own files. Runs inside its root.
int container_user_find (const container_spec_t *spec, container_user_t *user, error_t *err);

//  Identity, capabilities, and the system calls of container_filter.c. There is no way back.
int container_privileges_drop (const container_spec_t *spec, const container_user_t *user,
                               error_t *err);

//  container_filter.c: refuses the system calls that reach past the namespaces. Needs
//  CAP_SYS_ADMIN. NESTED: user namespaces may be made inside.
int container_filter_load (bool nested, error_t *err);

#endif
