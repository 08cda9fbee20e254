//  networks.h: a gateway's view of all networks: the latest snapshot that each owner published.
//  Pure: no sockets, no messages.

#ifndef TROUPE_NETWORKS_H
#define TROUPE_NETWORKS_H

#include "msg/value.h"
#include "util/uuid.h"

//  One network: what network_publish.c packs.
typedef struct {
    char uuid[UUID_TEXT_SIZE];
    const char *name; //  of FACTS
    document_t *facts;
} network_view_t;

typedef struct networks networks_t;

networks_t *networks_new (void);
void networks_destroy (networks_t **self_p);

//  Replaces what is known of network UUID by ARGS, the map that its owner published.
void networks_apply (networks_t *self, const char *uuid, const value_t *args);
void networks_forget (networks_t *self, const char *uuid);
//  In the order of their names, INDEX from 0; NULL behind the last.
const network_view_t *networks_at (const networks_t *self, size_t index);
//  By name, or by uuid. NULL and ERR_NO_NETWORK, beginning with VERB, if there is none.
const network_view_t *networks_resolve (const networks_t *self, const char *verb, const char *named,
                                        error_t *err);
//  The prefix of the subnet of its that ADDRESS is in; 0: none.
unsigned networks_prefix (const network_view_t *network, const char *address);

#endif
