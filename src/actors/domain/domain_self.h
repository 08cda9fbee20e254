//  domain_self.h: the state of a domain's owner, for its own files:
//
//      domain.c           what it is asked: the table of verbs
//      domain_queue.c     which requests it admits, which wait, and in which order
//      domain_operations.c  the table of what runs as a job, and what is new once it is done
//      domain_jobs.c      how jobs are started, and their results taken
//      domain_measure.c   measurements
//      domain_perf.c      the counters of its process
//      domain_tune.c      what is told of changes to a running guest's resources
//      domain_background.c  what goes on after its requester was answered: backups
//      domain_guest.c     what the guest does by itself: events, ends, restarts
//      domain_agent.c     the guest's agent: whether it is there
//      domain_errands.c   what is asked of it
//      domain_migration.c migrations whose outcome is not known yet
//      domain_phases.c    migrations that a client drives
//      domain_reload.c    what comes before the files are read once more
//      domain_blocks.c    block jobs: what is shown of them, and when they are looked at
//      domain_devices.c   devices that come and go
//      domain_publish.c   files, snapshots, answers, in this order

#ifndef TROUPE_DOMAIN_SELF_H
#define TROUPE_DOMAIN_SELF_H

#include "actors/domain/admission.h"
#include "actors/config.h"
#include "actors/domain/migration_record.h"
#include "actors/domain/owner_events.h"
#include "actors/jobs/past_jobs.h"
#include "drivers/channel.h"
#include "drivers/driver.h"
#include "util/perf.h"

#include <czmq.h>

//  What has to be written before the next snapshot may be published.
enum {
    DIRTY_DEFINITION = 1,
    DIRTY_STATUS = 2,
    DIRTY_AUTOSTART = 4,
    DIRTY_PAST = 8,
    DIRTY_SNAPSHOTS = 16 //  there are none any more; jobs write what there is
};

//  What a verb needs the domain to be.
enum {
    NEED_ACTIVE = 1,
    NEED_INACTIVE = 2,
    NEED_PERSISTENT = 4
};

//  virConnectDomainEventAgentLifecycleReason.
typedef enum {
    AGENT_REASON_UNKNOWN = 0,
    AGENT_REASON_STARTED = 1,
    AGENT_REASON_CHANNEL = 2
} agent_reason_t;

typedef struct domain domain_t;
typedef struct operation operation_t;

//  Called with the job's result applied: sets what is new, adds events. The reply's result is the
//  job's own value, if it has one.
typedef void (operation_done_fn) (domain_t *self, const msg_t *request);

//  A row of the owner's table: a verb that runs as a job.
struct operation {
    const char *verb;
    verb_class_t class;
    async_kind_t async; //  ASYNC_NONE: a synchronous change
    const char *job;    //  its kind
    unsigned needs;
    int limit_ms;            //  of the job, from its admission
    bool without_definition; //  the job does not need the inactive document
    operation_done_fn *done;
};

//  A request that waits to be admitted.
typedef struct {
    uint64_t number; //  by which it can be aborted
    msg_t *msg;
    int64_t since_us; //  wall clock
} waiting_t;

void waiting_destroy (waiting_t **self_p);

//  Requests that need no job.
typedef void (direct_fn) (domain_t *self, msg_t **msg_p);

//  A job under way.
typedef struct {
    const operation_t *operation; //  NULL: none
    msg_t *request;               //  who is to be answered; NULL: nobody
    char address[MSG_ADDRESS_MAX];
    bool cancelled;
    bool doomed;      //  and the guest is to end with it
    bool ended;       //  it was told that the guest has ended
    bool committed;   //  it can't be undone any more
    bool undoes;      //  what is recorded to be undone is this job's
    bool late;        //  it was not begun: nobody waits for it any more
    bool written;     //  the guest may be suspended and resumed beside it
    bool over;        //  its results are being written; nothing else may change what they are of
    int64_t since_us; //  wall clock, to be shown
    int64_t since_ms; //  monotonic
    error_t *overdue; //  why it failed, while we wait for the end of the job itself
    //  What the guest told of its state since the job began; STATE_NOSTATE: nothing.
    guest_status_t told;
} running_t;

//  The files of one change, its snapshot, and the answer; published in order.
typedef struct {
    msg_t *snapshot, *request, *reply;
    msg_t *tree;    //  of its snapshots, if that is new
    unsigned wrote; //  DIRTY_*
    bool last, written, failed;
    bool strict;   //  it has failed if the status could not be written
    bool restores; //  what it writes of the definition is what was there before
    error_t err;
    running_t *releases;  //  the slot that is free again afterwards
    char *old_name;       //  of a renaming
    char *old_definition; //  to go back to if the definition can't be written
    document_t *old_summary;
    bool old_persistent;
} publication_t;

typedef struct {
    domain_t *domain;
    msg_t *request;
    char address[MSG_ADDRESS_MAX]; //  of the job
    int id;                        //  of the guest that is measured
} measurement_t;

//  Of a migration that a client drives: its calls, one after another, are what a job asks for.
typedef struct {
    char token[MIGRATION_TOKEN_SIZE]; //  "": the job has not asked yet
    bool sent;                        //  the guest was handed over
    bool forsaken;                    //  the client is gone
    msg_t *next;                      //  the job asks; NULL: it is at work
} phases_t;

struct domain {
    actor_t *actor;
    const config_t *config;
    const driver_t *driver;
    char uuid[UUID_TEXT_SIZE];
    char disk[MSG_ADDRESS_MAX]; //  who writes our files
    char *crashed;              //  why it is out of service; NULL: it is not

    //  What it is.
    char *name;
    char *old_name; //  during a renaming
    int id;         //  -1 unless active
    bool persistent, autostart;
    bool managed_save;                //  the next start restores it from a file
    bool written_autostart;           //  as it is on disk
    char *definition, *live, *record; //  canonical texts; NULL: none
    char *backup, *backup_xml;        //  under way: all of it, and what users see; NULL: none
    char *checkpoints;                //  all (drivers/checkpoint.h); NULL: none
    document_t *checkpoint_list;      //  as checkpoint_summary_pack has them
    document_t *config_summary, *live_summary;
    guest_status_t status;
    guest_state_t announced; //  the state that the last lifecycle event told of
    int64_t changed_us;
    document_t *usage, *stats; //  as last measured
    document_t *meter;         //  where its CPU time is read (drivers/meter.h)
    uint64_t balloon_kib;      //  what the guest has, as its balloon told; 0: nobody did
    perf_t *perf;              //  what of its process is counted; NULL: nothing
    document_t *snapshots;     //  as snapshot_summary_pack has them; NULL: none
    bool snapshots_new;        //  since they were published
    bool snapshots_shown;      //  some were

    //  What it does.
    running_t async, sync;
    zlistx_t *queue;     //  waiting_t, first come first
    zlistx_t *measuring; //  measurement_t: under way
    zlistx_t *openings;  //  consoles that are being opened: domain.c
    uint64_t job_count, waiting_count;
    bool queue_changed;             //  since the last snapshot
    document_t *progress;           //  of the asynchronous job, as it told it
    past_jobs_t *past;              //  asynchronous jobs, the one under way included
    bool past_due;                  //  what began is written with its first record, or
    uint64_t past_timer;            //  ... a little later if it has none
    document_t *undo;               //  of the job under way, as recorded
    document_t *blocks;             //  block jobs, as they are shown: domain_blocks.c
    int64_t blocks_us;              //  when they were looked at, wall clock
    uint64_t blocks_look;           //  which answer counts
    bool blocks_due;                //  one is over, or ready: somebody has to conclude
    char *known_records[2];         //  the record as the sync and the async job have it
    char *recorded_live;            //  of a start that is under way: for the status file only,
    guest_status_t recorded_status; //  and so is this
    int recorded_id;
    bool loading, undone, pumping;
    bool finished;      //  what was half done has been brought to its end
    bool restoring;     //  a definition that could not be written is being written back
    bool left_alone;    //  we are about to end; the backup under way goes on without us
    bool autostart_due; //  once it is known whether it runs
    int unwindings;     //  that failed
    int left_behind;    //  jobs of the owner before us that have not ended
    bool restart_wanted, adoption_wanted;
    bool restart_due; //  the guest is down and starts again in the same process

    //  What the guest did.
    guest_change_t ending; //  it is over, or early news while it starts; CHANGE_NONE: no
    bool exited;           //  its process is gone
    int64_t crashing_ms;   //  when a series of crashes with restarts began
    int crashes;           //  since then
    int64_t silent_us;     //  since when its monitor does not respond, wall clock; 0: it does
    int reconnect_ms;      //  how long to wait before the monitor is connected again
    uint64_t due_timer, exit_timer;
    uint64_t retry_timer, retry_monitor, retry_cleanup, retry_unwinding;
    uint64_t retry_loading, retry_blocks, blocks_timer;
    strings_t *gone;  //  aliases of devices that the hypervisor does not have any more; NULL: none
    bool devices_due; //  looking at them failed
    uint64_t retry_devices;
    uint64_t asked_timer; //  the guest was asked to let go of one: then it is looked
    int asked_ms;
    uint64_t queue_timer, show_timer, show_queue_timer;

    //  Between two hosts.
    migration_record_t *migration; //  as the record has it; NULL: none
    bool arrived;                  //  it was being received, and is ours now
    bool received;                 //  and is to be defined here
    uint64_t migration_timer;
    int migration_checks; //  without a result
    phases_t phases;

    //  Its agent.
    channel_state_t agent; //  as the last event told; CHANNEL_UNKNOWN: it has none, or nobody knows
    char agent_alias[64];  //  of its channel; "": it has none
    char agent_address[MSG_ADDRESS_MAX];
    bool agent_runs;      //  the actor
    zhashx_t *ports;      //  "open" or "closed" by alias: news that the live document lacks
    bool ports_due;       //  they are to be written there
    zlistx_t *errands;    //  domain_agent.c
    bool thawing, thawed; //  what a job froze and did not thaw
    uint64_t retry_agent;

    //  What has to be written and told.
    unsigned dirty;
    zlistx_t *publications;
    owner_events_t events; //  for the next snapshot
    bool shown;            //  the last snapshot that was made is not that of a domain that is gone
    bool filled;           //  the host knows that there is something of it
    bool ready_due;        //  it was loaded: the host waits for the snapshot to be published
};

bool domain_active (const domain_t *self);

//  domain.c
direct_fn *domain_direct (const char *verb, verb_class_t *class); //  NULL unless it is one
//  Takes the error over as the request's answer.
void domain_refuse (domain_t *self, msg_t **request_p, const error_t *err);

//  domain_queue.c
async_kind_t domain_async_kind (const domain_t *self);
void domain_enqueue (domain_t *self, msg_t **msg_p);
//  Admits from the queue what may start now.
void domain_pump (domain_t *self);
direct_fn domain_abort;
//  Refuses what waits for VERB with TOKEN (ERR is its answer). False: nothing does.
bool domain_drop_waiting (domain_t *self, const char *verb, const char *token, const error_t *err);
//  A start was cancelled by those who want the guest destroyed: it is as they want it.
void domain_answer_destroys (domain_t *self);
//  Somebody who may still wait for it wants the guest destroyed, and comes next.
bool domain_destroy_waits (const domain_t *self);
void domain_pack_job (const domain_t *self, pack_t *pack);
void domain_pack_waiting (domain_t *self, pack_t *pack);

//  domain_measure.c
direct_fn domain_measure;
void measurement_destroy (measurement_t **self_p);
//  Where the CPU time of the guest is counted that RECORD (NULL: none) is of.
void domain_set_meter (domain_t *self, const char *record);

//  domain_tune.c: REQUEST was carried out.
void domain_tell_tuned (domain_t *self, const msg_t *request);

//  domain_perf.c
//  Counts what RECORD (NULL: none) says from now on. On failure it counts what it did before.
int domain_follow_perf (domain_t *self, const char *record, error_t *err);
//  Pairs "perf.NAME", into an open map.
void domain_pack_perf (const domain_t *self, pack_t *pack);

//  domain_jobs.c
//  The message that starts a job of OPERATION. REQUEST: whose arguments go with it; may be NULL.
msg_t *domain_job_arguments (const domain_t *self, const operation_t *operation,
                             const msg_t *request);
//  Starts a job in a slot. REQUEST (may be NULL) is answered when it is done.
void domain_run (domain_t *self, running_t *slot, const operation_t *operation, msg_t **request_p);
//  END: the guest is to be ended as well, at once.
void domain_cancel (domain_t *self, running_t *slot, bool end);
//  The same because its guest has ended.
void domain_cancel_ended (domain_t *self, running_t *slot);

//  The asynchronous job is over: in the history, and as an event. ERR may be NULL.
void domain_end_async (domain_t *self, const char *outcome, const error_t *err);

//  domain_operations.c
//  Of the job that an earlier daemon was in, now that it is known what became of the guest.
void domain_end_past (domain_t *self);
const operation_t *domain_operation (const char *verb); //  NULL unless it is one
int domain_job_number (const char *verb);               //  virDomainJobOperation; 0: none
extern const operation_t domain_cleanup, domain_adoption, domain_loading, domain_restart,
    domain_restart_in_place, domain_unwinding, domain_ports, domain_thawed;

//  domain_migration.c
//  Takes RECORD over. What it says of a migration is known then.
void domain_set_record (domain_t *self, char *record);
//  A migration that no job of ours is about: ASYNC_NONE if there is none.
async_kind_t domain_pending_migration (const domain_t *self);
//  The guest is over, or (STATUS running, paused) its migration decided: so is that in the history,
//  unless a job of ours is still at it.
void domain_end_migration (domain_t *self, const guest_status_t *status);
//  Its guest is over: if that is so because it was migrated away, so is the definition, if it was
//  asked for. Before the record is dropped, whoever finds out, also the next daemon.
void domain_undefine_migrated (domain_t *self, guest_status_t status);
//  What ended here was handed over: the other host is asked before anything is said of it.
bool domain_end_is_open (const domain_t *self);
//  The hypervisor's news of it, on either side.
void domain_take_postcopy (domain_t *self, postcopy_t postcopy);
//  Looks after it, later.
void domain_follow_migration (domain_t *self);
void domain_pack_migration (const domain_t *self, pack_t *pack);
//  There is nothing to be abandoned under this token. True: it was answered.
bool domain_refuse_abandon (domain_t *self, msg_t **msg_p);
direct_fn domain_tell_wish;
operation_done_fn domain_done_migrate, domain_done_migrate_offline, domain_done_receive,
    domain_done_take, domain_done_abandon;
extern const operation_t domain_settling_migration;
//  domain_phases.c: the job asks for the next call; that comes; no other comes any more.
direct_fn domain_take_next, domain_take_phase, domain_take_forsaken;
//  Somebody wants it to come to its end: nothing more is waited for.
void domain_hurry_phases (domain_t *self);
//  REQUEST (may be NULL) was the word that it came to nothing: so that it failed is no error.
bool domain_is_given_up (const msg_t *request);
void domain_end_phases (domain_t *self); //  the job is over

//  domain_background.c
extern const operation_t domain_backup_follow;
//  Follows what goes on in the background, unless somebody does already or can't now.
void domain_go_on (domain_t *self);
//  Of a job of that kind that began, succeeded or failed: its part of the result.
void domain_take_backup (domain_t *self, const value_t *result);
//  From the job that follows it: how it ended.
direct_fn domain_take_finish;
//  From a job that goes on, or failed: the documents are others now.
direct_fn domain_take_documents;
void domain_take_record_of (domain_t *self, const running_t *slot, const char *record);
void domain_take_status (domain_t *self, const running_t *slot, const value_t *from);
bool domain_is_our_job (const domain_t *self, const msg_t *msg);
//  An asynchronous job failed: what does not go on now. The outcome for the history; ERR is changed
//  if it has another cause than the job can know.
const char *domain_background_failed (domain_t *self, const running_t *slot, error_t *err);
//  The job that followed a backup was stopped with the daemon: nothing has ended.
bool domain_leaves_alone (domain_t *self, const running_t *slot, const error_t *err);
void domain_drop_backup (domain_t *self);
//  The guest is over: so is what goes on in the background.
void domain_end_background (domain_t *self);

//  domain_reload.c
//  Reads the files, once all that an owner before us had begun is over.
void domain_reload (domain_t *self);

//  domain_guest.c
//  What drivers see of a document in here. NULL if it is damaged.
xml_t *domain_outline (const document_t *summary, error_t *err);
void domain_take_change (domain_t *self, const guest_change_t *change);
void domain_take_exit (domain_t *self, const msg_t *msg);
void domain_take_monitor_event (domain_t *self, const msg_t *msg);
void domain_monitor_lost (domain_t *self, const msg_t *msg);
void domain_take_silence (domain_t *self, const msg_t *msg);
//  Since when its hypervisor does not respond (wall clock); 0: it does. Adds the event.
void domain_set_silence (domain_t *self, int64_t since_us);
void domain_set_status (domain_t *self, guest_status_t status, int event, int detail);
void domain_set_inactive (domain_t *self, guest_status_t status, int detail);
//  After a start or adoption: early news, and a timer for drivers whose guests need one.
void domain_settle (domain_t *self);
//  The monitor is gone, or a job failed too late to be undone: asks the guest soon how it is.
void domain_look_again (domain_t *self);
//  One of the owner's own jobs failed: when to try it again. CANCELLED: something stronger comes.
void domain_own_job_failed (domain_t *self, const operation_t *operation, bool cancelled,
                            const error_t *err);
//  Starts the clean-up behind a guest that ended, when nothing else is under way.
void domain_finish_ending (domain_t *self);

//  domain_agent.c
const char *domain_agent_state (const domain_t *self); //  "connected", "disconnected", "": none
//  The live document is new: whether it has an agent, and where.
void domain_agent_follow (domain_t *self, agent_reason_t reason);
void domain_agent_take_port (domain_t *self, const guest_change_t *change);
void domain_agent_sleeps (domain_t *self); //  the guest does
//  For the job that writes them into the live document; and it has.
void domain_agent_pack_ports (const domain_t *self, pack_t *pack);
void domain_agent_ports_written (domain_t *self);
void domain_agent_try_again (domain_t *self); //  settles once more, after a while
void domain_agent_settle (domain_t *self);
void domain_agent_over (domain_t *self);  //  the guest is
void domain_agent_close (domain_t *self); //  and the owner

//  domain_errands.c
bool domain_errand (const char *verb); //  is it one?
//  A request that is for the agent alone. True: it was dealt with.
bool domain_errands_take (domain_t *self, msg_t **msg_p);
//  One that was admitted, and that the agent may do: shutdown, reboot.
bool domain_errands_take_power (domain_t *self, msg_t **msg_p);
//  One that failed. True: the agent is to do it.
bool domain_errands_fall_back (domain_t *self, msg_t **request_p, const error_t *err);
void domain_errands_settle (domain_t *self);
void domain_errands_close (domain_t *self);

//  domain_blocks.c
extern const operation_t domain_block_conclusion;
void domain_take_blocks (domain_t *self, const value_t *result); //  what a job says of them
void domain_pack_blocks (const domain_t *self, pack_t *pack);
void domain_drop_blocks (domain_t *self);    //  the guest ended
void domain_blocks_changed (domain_t *self); //  says the hypervisor
void domain_blocks_adopted (domain_t *self); //  those that the record has
void domain_conclusion_failed (domain_t *self);
void domain_watch_blocks (domain_t *self); //  when a job is over

//  domain_devices.c
//  A device is gone, or the guest keeps it. True: whoever takes it out of the document tells of it.
bool domain_take_device (domain_t *self, const guest_change_t *change);
void domain_take_device_news (domain_t *self, const value_t *result); //  of a job
void domain_devices_failed (domain_t *self, const operation_t *operation);
void domain_watch_devices (domain_t *self); //  when a job is over
void domain_drop_devices (domain_t *self);  //  the guest ended

//  domain_publish.c
void domain_add_event (domain_t *self, const char *verb, void (*pack_more) (pack_t *, const void *),
                       const void *arg);
void domain_add_lifecycle (domain_t *self, int event, int detail);
//  Writes what is dirty; then publishes the snapshot as it is now, answers REQUEST with REPLY, and
//  frees the slot. All three may be NULL.
void domain_commit (domain_t *self, msg_t **request_p, msg_t **reply_p, running_t *releases);
//  The same, with what to go back to when the definition can't be written: taken over.
void domain_commit_definition (domain_t *self, char **old_definition_p, document_t **old_summary_p,
                               bool old_persistent, msg_t **request_p, msg_t **reply_p,
                               running_t *releases);
//  A job's record: answered with an error if the status file could not be written, since the effect
//  that comes next may not happen then.
void domain_commit_record (domain_t *self, msg_t **request_p, msg_t **reply_p);
//  Answers only, once all that was changed before is shown.
void domain_answer (domain_t *self, msg_t **request_p, msg_t **reply_p);
//  Which name it has, after a renaming: the host kept both.
void domain_tell_name (domain_t *self);
void domain_drop_publications (domain_t *self);

#endif
