//  network_self.h: the state of a network's owner, for its own files:
//
//      network.c             what it is asked; its life
//      network_jobs.c        runs the jobs of a network, one after another
//      network_operations.c  which requests run as jobs, and what is new once they are done
//      network_ports.c       who is plugged in
//      network_leases.c      who has which address, as dnsmasq tells it
//      network_publish.c     files, snapshots, answers, in this order

#ifndef TROUPE_NETWORK_SELF_H
#define TROUPE_NETWORK_SELF_H

#include "actors/config.h"
#include "actors/network/network.h"
#include "actors/domain/owner_events.h"
#include "drivers/net/network_lease.h"
#include "util/process.h"
#include "util/text.h"
#include "util/uuid.h"

#include <czmq.h>

typedef struct network network_t;
typedef void (network_fn) (network_t *self, msg_t **msg_p);

//  virNetworkEventLifecycleType.
enum {
    NETWORK_DEFINED = 0,
    NETWORK_UNDEFINED = 1,
    NETWORK_STARTED = 2,
    NETWORK_STOPPED = 3
};

enum {
    NEED_ACTIVE = 1,
    NEED_INACTIVE = 2,
    NEED_PERSISTENT = 4
};

//  A row of the table of what runs as a job.
typedef struct {
    const char *verb, *job;
    unsigned needs; //  NEED_...
    int limit_ms;
    //  The job's result is applied; REQUEST may be NULL, VALUE is the job's own.
    void (*done) (network_t *self, const msg_t *request, const value_t *value);
} network_operation_t;

typedef struct {
    const network_operation_t *operation; //  NULL: none
    msg_t *request;                       //  NULL: nobody asked
    char address[MSG_ADDRESS_MAX];
    bool cancelled;
} network_run_t;

//  Who is plugged in. "" where there is none.
typedef struct {
    char key[UUID_TEXT_SIZE];
    char domain[UUID_TEXT_SIZE];
    char *domain_name, *mac, *portgroup;
    char *device; //  what it alone has, or shares: a lower link, or a VF's PCI address
} port_t;

struct network {
    actor_t *actor;
    const config_t *config;
    char uuid[UUID_TEXT_SIZE];
    char disk[MSG_ADDRESS_MAX]; //  who writes our files
    char *crashed;              //  why it is out of service; NULL: it is not

    //  What it is.
    char *name;
    bool persistent, autostart;
    char *definition, *live, *record; //  canonical texts; NULL: none
    document_t *config_summary, *live_summary;
    document_t *undo;           //  of the job under way, as recorded
    document_t *plug;           //  what ports are plugged into (network_plug.h); NULL unless active
    zlistx_t *ports;            //  port_t, oldest first
    strings_t *running_domains; //  while it is found out which ports are lost
    uint64_t subscription;      //  to that
    zlistx_t *leases;           //  lease_t
    char *lease_path;           //  of its socket
    int lease_fd;               //  where dnsmasq's helper tells of them; -1: closed

    //  What it does.
    network_run_t running;
    zlistx_t *queue; //  msg_t, first come first
    uint64_t job_count;
    char *recorded_live; //  of a start that is under way: for the status file only
    bool loading, undone;
    bool look_due;                  //  something of it ended: a job has to look after it
    char exited[PROCESS_TEXT_SIZE]; //  of its processes the last that ended
    int ends;                       //  how often its dnsmasq ended, one soon after the other
    int64_t up_ms;                  //  since when it has run
    int left_behind;
    uint64_t look_timer, retry_timer, lease_timer;

    //  What has to be written and told.
    bool dirty; //  the status file
    zlistx_t *publications;
    owner_events_t events; //  for the next snapshot
    bool shown, filled, ready_due;
};

bool network_active (const network_t *self);

//  network_operations.c
const network_operation_t *network_operation (const char *verb); //  NULL: it is no job
bool network_is_start (const network_operation_t *operation);
bool network_tells_names (const network_operation_t *operation); //  answers with uuid and name
//  The owner's own: nobody asks for them.
extern const network_operation_t network_loading, network_looking, network_unwinding;

//  network_jobs.c
void network_enqueue (network_t *self, msg_t **msg_p);
void network_pump (network_t *self);
void network_load (network_t *self);
//  Something of it may have ended: has a job look after it, soon.
void network_look_again (network_t *self);
bool network_is_our_job (const network_t *self, const msg_t *msg);
network_fn network_take_record, network_take_undone, network_take_exit, network_take_gone_link,
    network_start_by_itself;

//  network_ports.c
network_fn network_port_create, network_port_delete;
void network_ports_read (network_t *self, const value_t *ports); //  as the load job found them
void network_ports_write (const network_t *self, text_t *text);  //  for the status file
void network_ports_pack (const network_t *self, pack_t *pack);
//  It runs again: those that were plugged in when it stopped have to be plugged in once more.
void network_ports_tell (network_t *self);
void network_ports_close (network_t *self);
//  All domains are loaded: drops the ports of those that do not run.
network_fn network_ports_reconcile, network_ports_judge;

//  network_leases.c
void network_leases_open (network_t *self);
void network_leases_close (network_t *self);
void network_leases_read (network_t *self, const char *text); //  all that are on disk
void network_leases_pack (const network_t *self, pack_t *pack);

//  network_publish.c
void network_add_lifecycle (network_t *self, int event);
//  Writes the status file if it is dirty; then publishes the snapshot as it is now, and answers
//  REQUEST with REPLY. Both may be NULL. STRICT: with an error if the file could not be written.
void network_commit (network_t *self, msg_t **request_p, msg_t **reply_p, bool strict);
void network_drop_publications (network_t *self);
//  Takes the error over as the request's answer.
void network_refuse (network_t *self, msg_t **request_p, const error_t *err);

#endif
