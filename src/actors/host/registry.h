//  registry.h: which names and uuids are taken, and by whom they are being given. Pure; the host
//  owns it.

#ifndef TROUPE_REGISTRY_H
#define TROUPE_REGISTRY_H

#include "util/error.h"
#include "util/uuid.h"

#include <czmq.h>

//  How often somebody was started again of late.
typedef struct {
    int count;
    int64_t since_ms; //  when the present series began
} restarts_t;

typedef struct registry registry_t;

enum {
    BRIDGE_LIVE,
    BRIDGE_CONFIG,
    BRIDGE_WANTED,
    REGISTRY_BRIDGES
};

typedef struct {
    registry_t *registry; //  that it is in
    char uuid[UUID_TEXT_SIZE];
    char *name;    //  "" until it is known (it is being loaded), or when it is leaving
    char *claimed; //  a second name, while it is being renamed; NULL: none
    //  The bridges that it makes (of networks): the one that it has, the one of its definition, and
    //  the one that a job wants for it. NULL: none.
    char *bridges[REGISTRY_BRIDGES];
    const char *driver;
    int grants;   //  reservations by jobs that are still under way
    bool empty;   //  its actor has neither definition nor guest
    bool ready;   //  loaded, or new
    bool leaving; //  its actor was told to end
    restarts_t restarts;
} entry_t;

struct registry {
    const char *noun;  //  what the entries are: "domain"
    zhashx_t *by_uuid; //  entry_t
    zhashx_t *by_name; //  the same, those that have a name
};

//  NOUN, a text that stays, is also the first part of their owners' addresses.
void registry_open (registry_t *self, const char *noun);
void registry_close (registry_t *self);
entry_t *registry_find (registry_t *self, const char *uuid);
entry_t *registry_find_name (registry_t *self, const char *name);

//  A uuid without name, of something whose files are being read.
entry_t *registry_add (registry_t *self, const char *uuid, const char *driver);
//  Grants NAME and UUID to a job: those of the same domain, or two that are both free (*IS_NEW);
//  those of one that is leaving are free. Errors name who has them.
entry_t *registry_reserve (registry_t *self, const char *uuid, const char *name, const char *driver,
                           bool *is_new, error_t *err);
//  ERR_OPERATION_FAILED: another one than UUID makes BRIDGE (may be NULL), or is to.
int registry_check_bridge (registry_t *self, const char *uuid, const char *bridge, error_t *err);
void registry_set_bridge (entry_t *entry, int which, const char *bridge);
//  A job that had it reserved is over.
void registry_end_grant (entry_t *entry);
//  NAME is ENTRY's too, until registry_name says which one it has: whatever becomes of a renaming,
//  nobody else gets either of them meanwhile.
int registry_claim (registry_t *self, entry_t *entry, const char *name, error_t *err);
//  Its one name from now on.
int registry_name (registry_t *self, entry_t *entry, const char *name, error_t *err);
//  It is leaving: its names are free, its uuid is not.
void registry_leave (registry_t *self, entry_t *entry);
void registry_remove (registry_t *self, entry_t **entry_p);

#endif
