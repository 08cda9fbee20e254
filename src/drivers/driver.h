//  driver.h: what a hypervisor has to be able to do. The functions that take a job run in one, and
//  may wait; the others are pure. A function that a driver does not have is NULL: the caller
//  answers ERR_NO_SUPPORT.

#ifndef TROUPE_DRIVER_H
#define TROUPE_DRIVER_H

#include "drivers/block.h"
#include "drivers/guest.h"
#include "drivers/job.h"
#include "drivers/snapshot_tree.h"
#include "util/text.h"

enum {
    START_PAUSED = 1
};

//  How a command is passed to the hypervisor's monitor.
typedef enum {
    MONITOR_HUMAN = 1, //  it is one for people
    MONITOR_RAW = 2    //  what the monitor refuses is a reply, too
} monitor_flags_t;

typedef enum {
    SHUTDOWN_DEFAULT,
    SHUTDOWN_ACPI,
    SHUTDOWN_AGENT,
    SHUTDOWN_INITCTL, //  of a container: init's control pipe
    SHUTDOWN_SIGNAL
} shutdown_mode_t;

//  How a saved guest is to go on.
typedef enum {
    GO_ON_AS_SAVED,
    GO_ON_RUNNING,
    GO_ON_PAUSED
} go_on_t;

typedef struct {
    const char *xml;    //  what it is to be restored from, if not as it is
    go_on_t go_on;      //  when it is restored; AS_SAVED: as it is now
    uint64_t bandwidth; //  bytes a second; 0: no limit
} save_options_t;

typedef struct {
    const char *xml; //  instead of the document in the file
    go_on_t go_on;
    bool remove; //  the file, once the guest is restored (a managed save)
} restore_options_t;

//  virDomainCoreDumpFormat's numbers.
typedef enum {
    DUMP_RAW = 0,
    DUMP_KDUMP_ZLIB = 1,
    DUMP_KDUMP_LZO = 2,
    DUMP_KDUMP_SNAPPY = 3,
    DUMP_WIN_DMP = 4
} dump_format_t;

//  Of live, crash and reset one at most.
typedef struct {
    dump_format_t format; //  other than raw: memory_only
    bool memory_only;     //  an ELF core (raw) or what the format says; else all of the guest's
                          //  state, as the hypervisor's own stream
    bool live;            //  the guest is not stopped for it. A QEMU that writes memory only stops
                          //  it for that time by itself.
    bool crash;           //  the guest is ended afterwards
    bool reset;           //  ... or reset
    uint64_t bandwidth;   //  bytes a second, not for memory_only; 0: no limit
} dump_options_t;

//  How a snapshot is taken.
enum {
    SNAPSHOT_REUSE = 1,   //  the external files are there already, as images; else none may be
    SNAPSHOT_LIVE = 2,    //  the guest runs while its memory is written to a file
    SNAPSHOT_UNKNOWN = 4, //  it is not to be in the tree
    SNAPSHOT_QUIESCE = 8  //  the guest's file systems are frozen meanwhile (disks only)
};

//  Which disks are copied to the other host, through NBD; with NONE both hosts see the same.
typedef enum {
    COPY_NONE,
    COPY_ALL, //  all that a disk holds
    COPY_TOP  //  only its own image: the other host has the images that it is based on
} copy_storage_t;

//  What one live migration is to be like; both sides get what concerns them.
typedef struct {
    const char *token; //  names it, for exports and files: nobody else's has the same
    const char *uri; //  where to receive: "tcp://HOST[:PORT]", "unix:"; a sender: what that became
    const char *storage; //  a sender: where the disks are received; NULL: nowhere
    bool local;          //  both daemons are on one host, and see the same files
    bool live;           //  the guest runs on while its memory is sent
    bool unsafe; //  disks that the other host may not see, or not in the same state; and USB and
                 //  SCSI devices of the host go by their place, which may be another one's there
    bool auto_converge; //  the guest is slowed down until its memory can be sent
    //  The first guess and each further step of it, per cent; 0: QEMU's own.
    unsigned throttle_initial, throttle_increment;
    bool postcopy;              //  it may be switched to post-copy (migrate_tune)
    bool postcopy_after_pass;   //  it is, once all memory was sent once
    bool abort_on_error;        //  an I/O error of the guest ends the migration
    unsigned channels;          //  parallel connections; 0: one
    const char *compression;    //  "xbzrle", "mt", "zlib", "zstd"; NULL: none
    unsigned compression_level; //  of mt, zlib, zstd; 0: QEMU's own
    uint64_t compression_cache; //  of xbzrle, bytes; a receiver: 0
    const char *listen;         //  a receiver: the address to listen at; NULL: the host of URI
    unsigned disks_port;        //  a receiver: the port for disks; 0: any
    uint64_t bandwidth, postcopy_bandwidth; //  bytes a second; 0: no limit
    uint64_t downtime_ms;                   //  that the guest may stand still for
    int prepare_ms; //  a sender: how long the receiver may be until it can be sent to
    copy_storage_t copy;
    strings_t
        *disks; //  which are copied: "TARGET BYTES FILE", of which the driver knows which it is
} migration_t;

typedef enum {
    TRANSFER_NONE, //  nothing has come, or is on its way
    TRANSFER_ACTIVE,
    TRANSFER_COMPLETE,
    TRANSFER_FAILED,
    TRANSFER_POSTCOPY, //  the guest may run there, and part of it is still here
    TRANSFER_BROKEN,   //  and can't be sent
    TRANSFER_GONE      //  and the hypervisor with it
} transfer_t;

typedef struct {
    bool start_postcopy;
    bool break_postcopy; //  its connection; migrate_resume makes a new one
    uint64_t bandwidth, postcopy_bandwidth, downtime_ms; //  0: unchanged
    uint64_t compression_cache;                          //  bytes, of xbzrle; the same
} migrate_tuning_t;

//  Backups (libvirt's backup and checkpoint XML formats).
typedef struct {
    const char *xml;        //  <domainbackup>; NULL: a full push of all disks
    const char *checkpoint; //  <domaincheckpoint>, to be made at the same instant; NULL: none
    bool reuse;             //  the files to be written are there
    uint64_t bandwidth;     //  of a push, each disk: bytes a second at most (0: no limit)
    int64_t now_s;          //  since the epoch: for names
} backup_options_t;

typedef struct {
    const char *xml; //  <domaincheckpoint>; NULL: of all disks that can have one
    bool redefine;   //  only what is known of it
    bool validate;   //  ... if its bitmaps are there
    bool quiesce;    //  the guest's file systems are frozen meanwhile
    int64_t now_s;   //  since the epoch: for its name
} checkpoint_options_t;

//  A kind of guest: as <domain type=>, <emulator>, <type arch= machine=> have it. NULL: not said.
typedef struct {
    const char *type, *emulator, *arch, *machine;
} guest_kind_t;

//  A question about processors: <cpu> of libvirt's XML.
typedef struct {
    const char *xml;
    bool fail;       //  comparing: incompatible is an error
    bool features;   //  baseline: those of the model are listed, too
    bool migratable; //  ... none that binds a guest to its host
    bool possible;   //  ... only what this host can give a guest
} cpu_question_t;

typedef struct {
    char *path;       //  the caller removes the file, and frees this
    const char *mime; //  "image/png"
} screenshot_t;

typedef struct {
    const char *name;         //  "qemu": the folder of its definitions, and its URIs
    const char *monitor;      //  who answers at a guest's monitor, for errors: "QEMU"
    const char *const *types; //  of <domain type='...'>, NULL at the end

    //  Checks a definition as the user wrote it and completes it in place: uuid, MACs, addresses,
    //  controllers, machine type. Completing it again changes nothing.
    int (*complete) (job_t *job, xml_t *domain, error_t *err);
    //  Refuses, as complete does, all elements, attributes and values of DOMAIN that it does not
    //  know: ERR_CONFIG_UNSUPPORTED. NULL: it takes them.
    int (*validate) (const xml_node_t *domain, error_t *err);

    //  Does its domain XML take VALUE at PATH ("cputune/shares", "vcpu/@cpuset"; NULL: some value)?
    //  Without this function it takes everything.
    int (*takes) (const char *path, const char *value, error_t *err);
    //  The guest runs with the live document BEFORE: has it follow job->guest->live in what can be
    //  tuned (drivers/tune/tune.h; memory, processors and their pins). NULL: nothing can be, live.
    int (*tune) (job_t *job, const xml_t *before, error_t *err);

    //  Has the record say which performance events of the guest's process are to be counted
    //  (perf/@events, names with a blank between, of process/@identity).
    void (*perf_record) (guest_t *guest);

    //  Starts job->guest from job->guest->definition: fills live and record. When it returns 0 the
    //  guest runs (or is paused, if asked). When it returns -1 the caller runs the undo stack.
    int (*start) (job_t *job, unsigned flags, error_t *err);

    int (*shutdown) (job_t *job, shutdown_mode_t mode, error_t *err); //  asks the guest; returns
    int (*reboot) (job_t *job, shutdown_mode_t mode, error_t *err);
    int (*reset) (job_t *job, error_t *err);
    int (*suspend) (job_t *job, error_t *err);
    int (*resume) (job_t *job, error_t *err);
    //  Ends the guest and removes what it had. GRACEFUL: SIGTERM only, an error if it does not end.
    //  It must work with a record of which any part is missing, and twice.
    int (*destroy) (job_t *job, bool graceful, error_t *err);
    //  Into the record, which the caller makes durable: the guest is to end, with its status if
    //  that says it is over. Whoever adopts it ends it. forget_end: it goes on after all, durable
    //  at once. Both NULL: a guest that ends is gone at once.
    void (*note_end) (guest_t *guest);
    void (*forget_end) (job_t *job);

    //  The guest is down (CHANGE_RESTART): starts it again in the same process, as a reboot does.
    //  Without this function it is destroyed and started anew.
    int (*restart) (job_t *job, error_t *err);

    //  After a restart of the daemon: is the recorded guest still there? Fills job->guest->status;
    //  when it ended meanwhile, with the reason (STATE_SHUTOFF, ...). What is left of one that was
    //  handed over to another host stays: only that host knows what it is the end of.
    int (*adopt) (job_t *job, error_t *err);

    //  No record of the guest could be read. If it runs all the same, fills job->guest's live,
    //  record and status, so that adopt can do the rest; else *FOUND is false. -1: nobody can tell.
    int (*salvage) (job_t *job, bool *found, error_t *err);

    //  Writes the running guest to PATH (absolute; save_image.h) and ends it: SHUTOFF_SAVED. PATH
    //  is there only once it is complete; when that fails, or is cancelled before, the undo lets
    //  the guest go on as before.
    int (*save) (job_t *job, const char *path, const save_options_t *options, error_t *err);
    //  Starts the guest from what save wrote; job->guest is the domain of the file's uuid, with its
    //  own definition or none. Fills live, record and status as start does.
    int (*restore) (job_t *job, const char *path, const restore_options_t *options, error_t *err);
    //  Changes the document that PATH is restored from (NULL: not), and how it goes on. Needs no
    //  guest.
    int (*image_define) (job_t *job, const char *path, const char *xml, go_on_t go_on,
                         error_t *err);
    //  Live migration. The sender: what the guest is received as (with XML: changed so); which
    //  disks are copied and how long the receiver may prepare, into MIGRATION. The caller owns the
    //  document.
    xml_t *(*migrate_begin) (job_t *job, const char *xml, migration_t *migration, error_t *err);
    //  The receiver: starts a hypervisor that receives DOCUMENT's guest, paused. *URI and *STORAGE
    //  (NULL: no disks) are for the sender; the caller frees them.
    int (*migrate_in) (job_t *job, const xml_t *document, const migration_t *migration, char **uri,
                       char **storage, error_t *err);
    //  The sender: returns once the guest stands still here, and may run there. Until then the undo
    //  stack makes it go on as before.
    int (*migrate_out) (job_t *job, const migration_t *migration, error_t *err);
    //  How far it is, on either side.
    int (*migrate_state) (job_t *job, transfer_t *transfer, error_t *err);
    //  The receiver: waits for the rest of the guest's state; then lets it RUN, or stay paused: it
    //  is this host's from now on.
    int (*migrate_complete) (job_t *job, error_t *err);
    int (*migrate_run) (job_t *job, bool run, error_t *err);
    //  The sender, once the guest is there: ends what is left of it here.
    int (*migrate_leave) (job_t *job, const migration_t *migration, error_t *err);
    //  The sender, once it is certain that the guest will not run there: RUN or stay paused.
    int (*migrate_stay) (job_t *job, bool run, error_t *err);
    //  Post-copy whose connection broke. The receiver: waits at URI for a new one; *AT (the
    //  caller's) says where. Then the sender: goes on.
    int (*migrate_recover) (job_t *job, const char *uri, char **at, error_t *err);
    int (*migrate_resume) (job_t *job, const char *uri, error_t *err);
    //  Changes what is under way, or checks limits of the next one; says how what is under way is
    //  (0: no limit).
    int (*migrate_tune) (job_t *job, const migrate_tuning_t *tuning, error_t *err);
    int (*migrate_tuning) (job_t *job, migrate_tuning_t *tuning, error_t *err);
    migrate_tuning_t migrate_defaults; //  of a sender; 0: no limit

    //  Writes the guest's memory, or all of its state, to PATH for a debugger.
    int (*dump) (job_t *job, const char *path, const dump_options_t *options, error_t *err);
    //  What the screen shows, of a video device (an alias, or NULL for the first) and its head.
    int (*screenshot) (job_t *job, const char *device, unsigned head, screenshot_t *shot,
                       error_t *err);

    //  SIZE bytes of the guest's memory, or of what the host has of a DISK (its target or its
    //  source), which may be of one that does not run. The caller frees them; NULL and ERR.
    char *(*peek_memory) (job_t *job, uint64_t address, size_t size, bool virtual, error_t *err);
    char *(*peek_block) (job_t *job, const char *disk, uint64_t offset, size_t size, error_t *err);

    //  Takes SNAPSHOT (snapshot_xml.h: complete, and not yet in the tree) of a guest that runs or
    //  is shut off; may add a <cookie> of the driver's own. From its first effect on there is an
    //  undo that takes everything back, unless the tree has the snapshot by then: the caller adds
    //  it there, and commits. With external disks live and definition name the new files then.
    int (*snapshot_create) (job_t *job, xml_node_t *snapshot, unsigned flags, error_t *err);
    //  It is in the tree, and committed: what its undo needed can be forgotten. May be NULL.
    void (*snapshot_taken) (job_t *job);
    //  Can a guest go back to SNAPSHOT? Asked before what runs now is ended.
    int (*snapshot_check) (job_t *job, const xml_node_t *snapshot, error_t *err);
    //  Makes what a guest that is shut off goes on in from an external snapshot; DOCUMENT (or NULL)
    //  and the guest's definition name it then. NULL: there are no such snapshots.
    int (*snapshot_branch) (job_t *job, const xml_node_t *snapshot, xml_t *document, error_t *err);
    //  The disks of a guest that is shut off are as they were; for good.
    int (*snapshot_apply) (job_t *job, const xml_node_t *snapshot, error_t *err);
    //  Starts a guest that is shut off as DOCUMENT's hardware, from a snapshot with its memory, and
    //  leaves it paused. Fills live, record and status as start does.
    int (*snapshot_start) (job_t *job, const xml_node_t *snapshot, const xml_t *document,
                           error_t *err);
    //  Can these snapshots be deleted, one after the other? Asked before the first effect. May be
    //  NULL: then they can.
    int (*snapshot_deletable) (job_t *job, const snapshot_tree_t *tree, const strings_t *names,
                               error_t *err);
    //  Removes what the snapshot NAME holds, and nothing else; what is not there any more is no
    //  error. It may change what the TREE says, and the guest's documents. What it pushed as its
    //  undo goes on with it, up to the snapshot's end in the tree, or takes back what can be. LAST:
    //  no other one is deleted after it.
    int (*snapshot_delete) (job_t *job, snapshot_tree_t *tree, const char *name, bool last,
                            error_t *err);

    const block_driver_t *block; //  NULL: it can do nothing with disks

    //  Begins a backup of the running guest, and returns; job->guest->backup is what follow and end
    //  go by, in this daemon or in the next one.
    int (*backup_begin) (job_t *job, const backup_options_t *options, error_t *err);
    //  Waits until the backup is over: 0 if it is complete (job_finish was called), -1 when it
    //  failed or was cancelled. In both cases backup_end comes next. A pull is over only when it is
    //  cancelled.
    int (*backup_follow) (job_t *job, error_t *err);
    //  Takes away what the backup needed while it was under way, and what it wrote if it is not
    //  complete. It must work twice, after any part of backup_begin, and when the guest has ended.
    int (*backup_end) (job_t *job, error_t *err);

    //  Checkpoints: they change job->guest->checkpoints, and its file (checkpoint.h), in one step.
    //  *NAME of the new one is the caller's.
    int (*checkpoint_create) (job_t *job, const checkpoint_options_t *options, char **name,
                              error_t *err);
    //  All NAMES are there. METADATA: what they recorded stays in the images.
    int (*checkpoint_delete) (job_t *job, const strings_t *names, bool metadata, error_t *err);
    //  The document of the running guest's checkpoint NAME, which is there, with the size in bytes
    //  that each bitmap has recorded. The caller owns it.
    int (*checkpoint_measure) (job_t *job, const char *name, xml_t **measured, error_t *err);

    //  Devices of a running guest. They change the live document and the record, and tell which
    //  came and went (guest_tell); what is in job->guest->planned becomes the definition if a job
    //  that was cut off turns out to have done it. All checks come before the first effect. DEVICE:
    //  one element of <devices>, as the user wrote it.
    int (*attach) (job_t *job, const xml_t *device, error_t *err);
    //  The guest is asked to let go of DEVICE, of the live document, and waited for. *GONE: it has;
    //  else it may later, and then look_at_devices finds out. -1 also if the guest refuses.
    int (*detach) (job_t *job, xml_node_t *device, int wait_ms, bool *gone, error_t *err);
    //  DEVICE, of the live document, becomes as WANTED. FORCE: also if the guest has locked it.
    int (*update) (job_t *job, xml_node_t *device, const xml_t *wanted, bool force, error_t *err);
    //  Which devices are there no more: what they had on the host is given back.
    int (*look_at_devices) (job_t *job, error_t *err);

    //  Undoes KIND of this driver's own: those that job_undo was given as "NAME.KIND".
    int (*undo) (job_t *job, const char *kind, const char *argument, error_t *err);

    //  The network of the running guest's PORT was started again, and grants it this now: plugs its
    //  link in. NULL: no guest of this driver has ports.
    int (*plug_again) (job_t *job, const char *port, const port_grant_t *grant, error_t *err);

    int (*info) (job_t *job, guest_info_t *info, error_t *err);
    //  Where the kernel counts the CPU time of GUEST, of which there is only the record: PLACE, all
    //  NULL before, gets parts of that. NULL: it has to be asked of info.
    void (*meter) (const guest_t *guest, meter_place_t *place);
    //  Adds what can be measured of the guest to the JSON object STATS: numbers, booleans and
    //  strings, under the names of virConnectGetAllDomainStats ("cpu.time" in ns, ...). What those
    //  call "block." is there for the disks; and again, as "backing.", for all images of chains.
    int (*stats) (job_t *job, json_t *stats, error_t *err);

    //  Monitor passthrough: COMMAND as QMP's JSON, or for the human monitor. The caller frees
    //  *REPLY. LENT: a descriptor that goes with it (util/lent.h), or NULL.
    int (*monitor_command) (job_t *job, const char *command, unsigned flags, const char *lent,
                            char **reply, error_t *err); //  monitor_flags_t

    //  Allows who connects to *SOCKET, as root and with *TICKET, to have a program run inside the
    //  guest, once (container/container_protocol.h). Takes ARGV over, a list of texts. The caller
    //  frees both.
    int (*enter) (job_t *job, json_t *argv, char **socket, char **ticket, error_t *err);

    //  Sends the process that is called PID (1 or more) inside the guest a signal; 0: only looks
    //  whether it is there.
    int (*signal) (job_t *job, int64_t pid, int number, error_t *err);

    //  Does WHAT ("send_key", ...: the table is drivers/qemu/qemu_control.c's) to the running
    //  guest; neither its documents nor its record change. Arguments and results are those of
    //  msg/verbs.def. The caller releases the result.
    json_t *(*control) (job_t *job, const char *what, const json_t *args, error_t *err);

    //  Has the guest's agent do WHAT ("fs_freeze", ...: the table is drivers/qemu/qemu_agent.c's,
    //  the arguments and results are those of msg/verbs.def). The caller releases the result.
    json_t *(*agent) (job_t *job, const char *what, const json_t *args, error_t *err);

    //  Adds the <guest> elements of this driver to <capabilities> (libvirt's format).
    int (*capabilities) (job_t *job, xml_node_t *capabilities, error_t *err);

    //  What a guest of a kind that this driver runs can have, as libvirt's domainCapabilities XML.
    //  What KIND does not say is the driver's own choice.
    int (*domain_capabilities) (job_t *job, const guest_kind_t *kind, xml_node_t *root,
                                error_t *err);

    //  Adds to TEXT what a guest with a completed DEFINITION would be started with, in the driver's
    //  only NATIVE_FORMAT (libvirt's name for it). NULL: it has none.
    int (*native) (job_t *job, const xml_t *definition, text_t *text, error_t *err);
    const char *native_format;

    //  The models of processors that guests of ARCH may have; the caller owns the list. NULL and
    //  ERR: ERR_NO_SUPPORT if there are no such guests.
    strings_t *(*cpu_models) (job_t *job, const char *arch, error_t *err);
    //  What the host's processor is to a given one: RELATION gets "incompatible", "identical" or
    //  "superset", and WHY the reason of the first.
    int (*compare_cpu) (job_t *job, const guest_kind_t *kind, const cpu_question_t *question,
                        const char **relation, text_t *why, error_t *err);
    //  Makes CPU, an empty <cpu>, what several have in common.
    int (*baseline_cpu) (job_t *job, const guest_kind_t *kind, const cpu_question_t *question,
                         xml_node_t *cpu, error_t *err);
    //  How many vcpus a guest may have that says nothing of its machine.
    int (*max_vcpus) (job_t *job, int *max, error_t *err);
    //  The version of what runs its guests: major * 1,000,000 + minor * 1,000 + release.
    int (*version) (job_t *job, uint64_t *version, error_t *err);

    //  event, console, channel and due run in the domain's owner, which must not wait: their LIVE
    //  is an outline of the live document (actors/domain/summary.h says of what), however large
    //  that is.

    //  What one event of the hypervisor (QMP's JSON line) means.
    void (*event) (const char *json, const xml_t *live, guest_change_t *change);

    //  The console DEVICE (an alias, or NULL for the first) of a running guest.
    int (*console) (const xml_t *live, const char *device, console_source_t *source, error_t *err);

    //  The channel that the guest calls NAME, or has this alias (NULL: the first). NULL: no guest
    //  of this driver has channels.
    int (*channel) (const xml_t *live, const char *name, console_source_t *source, error_t *err);

    //  Simulated guests only, which nobody else can tell of. How many ms until the guest ends by
    //  itself (0: it has), with what that means in CHANGE; -1: never. NOW is job_now's time. Asked
    //  again after each operation.
    int64_t (*due) (const xml_t *live, const xml_t *record, int64_t now, guest_change_t *change);
    //  CONSOLE_SIMULATED: what the console shows when it is opened; and what it answers to BYTES.
    //  True: the guest powers itself off.
    void (*console_boot) (const xml_t *live, text_t *output);
    bool (*console_input) (const xml_t *live, console_line_t *line, const void *bytes, size_t size,
                           text_t *output);
} driver_t;

//  All drivers, NULL at the end; and the one for a domain type, or NULL.
extern const driver_t *const drivers[];
const driver_t *driver_for_type (const char *type);
const driver_t *driver_by_name (const char *name);

#endif
