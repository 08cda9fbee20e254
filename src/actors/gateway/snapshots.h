//  snapshots.h: a gateway's view of all domains: the latest snapshot that each owner published.
//  State queries are answered from here, without asking the owner. Pure: no sockets, no messages.

#ifndef TROUPE_SNAPSHOTS_H
#define TROUPE_SNAPSHOTS_H

#include "drivers/meter.h"
#include "msg/value.h"
#include "util/uuid.h"

//  One domain. Texts are never NULL unless that is said. Fields as in domain.info (msg/verbs.def).
typedef struct {
    char uuid[UUID_TEXT_SIZE];
    char *name, *driver, *type, *os_type, *title, *agent;
    int64_t id; //  -1 unless active
    int state, reason;
    uint64_t vcpus, max_vcpus;               //  of the running domain, else of the definition
    uint64_t config_vcpus, config_max_vcpus; //  of the definition
    uint64_t memory_kib, max_memory_kib;
    uint64_t balloon_kib; //  of MEMORY_KIB what the guest has now; 0: it is not known
    meter_t *meter;       //  of its CPU time; NULL: it has to be asked for. Reading it changes it.
    bool persistent, autostart, managed_save;
    bool loading; //  its files could not be read yet: what it is in is not known
    int64_t changed_us;
    int64_t silent_since_us;                //  its hypervisor does not respond; 0: it does
    char *xml, *xml_inactive;               //  without passwords; NULL where there is none
    char *xml_secure, *xml_inactive_secure; //  with them; NULL where they are the same
    //  {live, config}: each {title, description, elements: {uri: xml}}. Of config NULL: none.
    document_t *metadata; //  NULL: none at all
    document_t *tune;     //  {live, config}: each as tune_pack (drivers/tune/tune.h) writes it
    char *backup_xml;     //  NULL: no backup is under way
    //  As checkpoint_summary_pack (actors/domain/checkpoint_summary.h) writes it; NULL: none.
    document_t *checkpoints;
    //  {kind, verb, async, since_us, step, done, total, by}; NULL: none is active.
    document_t *job;
    //  Array of {name (nil unless it has a link), mac} of its network interfaces; NULL: none.
    document_t *interfaces;
    document_t *blocks; //  array of block jobs, as domain_blocks.c packs them; NULL: none
    //  As past_jobs_pack (actors/jobs/past_jobs.h) writes it; NULL: there was none.
    document_t *past;
    //  As snapshot_summary_pack (actors/domain/snapshot_summary.h) writes it; NULL: it has no
    //  snapshots.
    document_t *tree;
    //  Array of {number, verb, since_us, by}; NULL: none waits.
    document_t *waiting;
    //  {role, phase, peer, token, since_us, trouble}; NULL: it is not between two hosts.
    document_t *migration;
} snapshot_t;

typedef struct snapshots snapshots_t;

snapshots_t *snapshots_new (void);
void snapshots_destroy (snapshots_t **self_p);
DEFINE_AUTO (snapshots_t, snapshots_destroy)

//  Replaces what is known of domain UUID by ARGS, the map that its owner published. An error and
//  nothing changed if ARGS has no name or state: an owner's bug.
int snapshots_apply (snapshots_t *self, const char *uuid, const value_t *args, error_t *err);
//  The snapshots (of its disks) that domain UUID has now; ARRAY may be NULL.
void snapshots_set_tree (snapshots_t *self, const char *uuid, const value_t *array);
void snapshots_forget (snapshots_t *self, const char *uuid);

size_t snapshots_count (const snapshots_t *self);
//  The domains in the order of their names, INDEX from 0; NULL behind the last.
const snapshot_t *snapshots_at (const snapshots_t *self, size_t index);

const snapshot_t *snapshots_by_uuid (const snapshots_t *self, const char *uuid);
const snapshot_t *snapshots_by_name (const snapshots_t *self, const char *name);
const snapshot_t *snapshots_by_id (const snapshots_t *self, int64_t id);

//  What a caller means by an argument `domain`: a number is an id; a text is an id if it is all
//  digits, else a uuid if it reads as one, else a name; what is not found as one is tried as the
//  next. NULL and ERR_NO_DOMAIN, beginning with VERB, if there is none.
const snapshot_t *snapshots_resolve (const snapshots_t *self, const char *verb,
                                     const value_t *domain, error_t *err);
//  The same for a domain that is known to have gone. Returns -1.
int snapshots_unknown (const char *verb, const char *domain, error_t *err);
//  ERR_OPERATION_TIMEOUT of a request about DOMAIN (as in snapshots_resolve's text), with what may
//  have kept it waiting. NOW_US: the wall clock's. Returns -1.
int snapshots_late (const snapshots_t *self, const char *verb, const char *domain, int64_t now_us,
                    error_t *err);

#endif
