//  host_self.h: the state of the root actor, for its own files:
//
//      host.c           start and end of the daemon, restarts, signals
//      host_domains.c   names, uuids, ids of domains and networks; definitions from outside
//      host_answers.c   what is asked about host and daemon
//      host_measures.c  what is asked of the host's processors and memory
//      host_marks.c     what migrations left

#ifndef TROUPE_HOST_SELF_H
#define TROUPE_HOST_SELF_H

#include "actors/host/host.h"
#include "actors/host/registry.h"

//  A job that we started for a request.
typedef struct {
    char address[MSG_ADDRESS_MAX];
    msg_t *request;
    zlistx_t *others;             //  msg_t: requests for the same; NULL: none
    registry_t *registry;         //  of what it defines
    char granted[UUID_TEXT_SIZE]; //  "" unless it holds a reservation
    msg_t *reserving;             //  its request for that, while the last owner is leaving
    const char *kind;             //  of a constant table
} host_job_t;

typedef struct {
    actor_t *actor;
    const config_t *config;
    registry_t domains, networks;
    zhashx_t *jobs;           //  host_job_t by address
    host_job_t *capabilities; //  the job that finds them out, while one runs
    uint64_t job_count;
    int next_id;
    int loading;        //  domains and networks whose files are being read
    int loading_wants;  //  how many of them wait for an id
    zlistx_t *want_ids; //  requests for ids, while not all that are taken are known
    int signal_fd;
    int64_t started_us;
    int starting;     //  helpers that did not answer yet
    bool loaded;      //  all domains and networks
    int autostarting; //  networks that are being started before the domains
    bool serving;
    bool gateways_open;  //  libvirt's: the native one's comes behind it
    int marks_ms;        //  until the next look for marks of migrations
    restarts_t restarts; //  of our helpers
} host_t;

typedef void (host_verb_fn) (host_t *self, msg_t **msg_p);

//  host_domains.c
host_verb_fn host_define, host_reserve, host_release, host_loaded, host_ready, host_filled,
    host_empty, host_rename, host_name, host_next_id;
void host_hear_network (actor_t *actor, const char *topic, const msg_t *event, void *arg);
//  Counts one more; false: so many in so short a time are too many.
bool host_may_restart (host_t *self, restarts_t *restarts);
//  Spawns an owner for each domain and network that has files.
int host_load (host_t *self, error_t *err);
void host_spawn_owner (host_t *self, entry_t *entry, bool load, const char *crashed);
//  "domain/UUID", "network/UUID".
void host_address_of (const entry_t *entry, char address[MSG_ADDRESS_MAX]);
void host_job_destroy (host_job_t **job_p);
//  Starts a job of KIND (a text that stays) that answers the request.
host_job_t *host_run_job (host_t *self, const char *kind, msg_t **request_p);
//  Another request that gets the same answer.
void host_share_job (host_t *self, host_job_t *job, msg_t **request_p);

//  host_answers.c
host_verb_fn host_info, host_version, host_capabilities, host_find;

//  host_measures.c
host_verb_fn host_measure;

//  host_marks.c
void host_watch_marks (host_t *self);

//  host.c
//  All domains are loaded: answers clients from now on.
void host_serve (host_t *self);

#endif
