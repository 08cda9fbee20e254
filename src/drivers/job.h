//  job.h: how a driver gets at the world. A job is a thread that may wait; the driver's functions
//  run inside it, straight-line, and ask for what they need through these calls. Each waits with a
//  deadline, and returns -1 with ERR_OPERATION_ABORTED as soon as the job is cancelled.
//
//  Every effect has its undo, pushed before the effect is attempted. An undo is data (a kind and an
//  argument), so it can be kept in the status file: what a killed daemon left half done is undone
//  by the next one with the same code.

#ifndef TROUPE_JOB_H
#define TROUPE_JOB_H

#include "drivers/guest.h"
#include "drivers/net/link.h"
#include "drivers/net/port.h"
#include "util/paths.h"

#include <jansson.h>
#include <sys/types.h>

typedef struct job job_t;

//  A program to start. All strings belong to the caller. The launcher applies it in the order of
//  launcher/launch_protocol.h; the identity and the execution come after job_go.
typedef struct {
    const char *const *argv; //  NULL at the end; argv[0] is the file to execute, absolute
    const char *const *env;  //  the whole environment, "NAME=value", NULL at the end
    const char *folder;      //  working folder; "/" if NULL
    const char *log;         //  stdout and stderr are appended to this file; stdin is /dev/null
    uid_t uid;               //  both 0: keep the daemon's
    gid_t gid;
    bool drop_capabilities;     //  none are left, not even as root
    bool privileged;            //  it has capabilities that the daemon itself gave up
    bool tied;                  //  it may not outlive the daemon
    const char *const *cgroups; //  folders that it is in, NULL at the end; or NULL
    uint64_t memlock_bytes;     //  0: as the daemon's
    //  Listening UNIX sockets that the program inherits under the given descriptor.
    struct {
        const char *path;
        int fd;
    } listen[4]; //  path NULL at the end
    const char *const
        *devices; //  "FD:" and device_text's (util/device.h), NULL at the end; or NULL
} spawn_t;

//  A file that goes to QEMU with a command, as a descriptor.
typedef struct {
    const char *path;   //  a regular file that is there; NULL: the device
    const char *device; //  device_text's (util/device.h), or lent_text's (util/lent.h)
    bool write;         //  else it is read
    uint64_t offset;    //  where QEMU begins
} job_file_t;

//  What the hypervisor told of a device that is to go.
typedef enum {
    FATE_UNKNOWN, //  nothing
    FATE_GONE,
    FATE_REFUSED //  the guest does not let go of it
} device_fate_t;

//  How far a job is. What is not known is 0.
typedef struct {
    const char *step; //  "saving", "restoring", "dumping", or what the step is called
    uint64_t total, processed, remaining; //  bytes; of steps that are counted: how many
    uint64_t rate, dirty_rate;            //  bytes a second
    uint64_t elapsed_ms;
    uint64_t passes; //  over the guest's memory
} job_progress_t;

typedef struct {
    int64_t (*now) (job_t *self);
    void (*random) (job_t *self, void *bytes, size_t size);
    int (*wait) (job_t *self, int ms, error_t *err);
    int (*undo) (job_t *self, const char *kind, const char *argument, error_t *err);
    int (*record) (job_t *self, error_t *err);
    int (*commit) (job_t *self, error_t *err);
    int (*finish) (job_t *self, error_t *err);
    int (*spawn) (job_t *self, const spawn_t *spawn, process_t *process, error_t *err);
    int (*go) (job_t *self, const process_t *process, error_t *err);
    int (*kill) (job_t *self, const process_t *process, int signal, error_t *err);
    int (*wait_exit) (job_t *self, const process_t *process, int ms, error_t *err);
    int (*run) (job_t *self, const process_t *process, int ms, int *code, error_t *err);
    int (*watch_exit) (job_t *self, const process_t *process, error_t *err);
    int (*monitor_open) (job_t *self, const char *path, int ms, error_t *err);
    int (*monitor_close) (job_t *self, error_t *err);
    json_t *(*qmp) (job_t *self, const char *execute, json_t *arguments, int ms, error_t *err);
    json_t *(*qmp_file) (job_t *self, const char *execute, json_t *arguments,
                         const job_file_t *file, int ms, error_t *err);
    json_t *(*agent) (job_t *self, const char *execute, json_t *arguments, unsigned how, int ms,
                      error_t *err);
    char *(*emulator) (job_t *self, const char *path, error_t *err);
    int (*write_file) (job_t *self, const char *path, const char *text, error_t *err);
    int (*remove_file) (job_t *self, const char *path, error_t *err);
    int (*write_definition) (job_t *self, error_t *err);
    int (*link_create) (job_t *self, const char *key, const link_spec_t *spec, link_t *link,
                        error_t *err);
    int (*link_set) (job_t *self, const char *key, bool peer, const link_settings_t *settings,
                     link_t *link, error_t *err);
    int (*link_get) (job_t *self, const char *key, link_t *link, error_t *err);
    int (*link_find) (job_t *self, const char *name, link_t *link, error_t *err);
    int (*link_take) (job_t *self, const char *key, const char *process, const char *holder,
                      error_t *err);
    int (*link_delete) (job_t *self, const char *key, error_t *err);
    int (*link_address) (job_t *self, const char *key, const char *address, bool remove,
                         error_t *err);
    int (*link_route) (job_t *self, const char *key, const link_route_t *route, bool remove,
                       error_t *err);
    int (*link_bandwidth) (job_t *self, const char *key, const link_bandwidth_t *bandwidth,
                           error_t *err);
    int (*link_claim) (job_t *self, const char *const *keys, error_t *err);
    int (*link_release) (job_t *self, error_t *err);
    int (*domain) (job_t *self, const char *name, char uuid[UUID_TEXT_SIZE], error_t *err);
    int (*network) (job_t *self, const char *name, char uuid[UUID_TEXT_SIZE], error_t *err);
    int (*port_create) (job_t *self, const port_request_t *request, port_grant_t *grant,
                        error_t *err);
    int (*port_delete) (job_t *self, const char *network, const char *port, error_t *err);
    int (*device_take) (job_t *self, const char *address, bool managed, const char *settings,
                        error_t *err);
    int (*device_check) (job_t *self, const char *address, unsigned *group, error_t *err);
    int (*device_hold) (job_t *self, const char *name, bool shared, error_t *err);
    int (*device_leave) (job_t *self, const char *name, const char *before, char **back,
                         error_t *err);
    int (*device_give) (job_t *self, const char *address, error_t *err);
    int (*wait_device) (job_t *self, const char *alias, int ms, device_fate_t *fate, error_t *err);
    void (*progress) (job_t *self, const job_progress_t *progress);
    void (*written) (job_t *self, bool status);
    void (*log) (job_t *self, const char *text);
} job_ops_t;

//  The start of every job; src/actors/jobs/job.c has the rest of it, a unit test its own.
struct job {
    const job_ops_t *ops;
    const paths_t *paths;
    const char *helpers; //  folder of our small programs: troupe-launch, troupe-lease, ...
    //  8 hexadecimal digits: in names that daemons on one machine share. NULL: nothing is made that
    //  would have one.
    const char *instance;
    guest_t *guest; //  the domain, or network, that the job is about; NULL in jobs of the host
    bool closed;    //  it is nearly done: from now on a cancel is not heard
    bool written;   //  job_written was called
    bool finished;  //  an undo found that all was done already, or has brought it to its end
    bool kept;      //  ... of a device: the links and files that go with it are kept as well
    bool plugging;  //  it attaches or detaches one; what its undo finds whole is the next job's
    bool unsure;    //  an undo can't tell whether all is whole: what is under it on the stack stays
};

int64_t job_now (job_t *self); //  ms, monotonic
void job_random (job_t *self, void *bytes, size_t size);
int job_wait (job_t *self, int ms, error_t *err); //  lets time pass

//  Pushes the undo of an effect that comes next. Kinds are in src/drivers/undo.c.
int job_undo (job_t *self, const char *kind, const char *argument, error_t *err);
//  Makes the guest's record, backup and undo stack durable, and of one that is starting its live
//  document and state; returns once they are. Of one that runs, the documents and the state are the
//  owner's: it hears of other ones with the job's result, or by job_tell_documents before.
int job_record (job_t *self, error_t *err);
//  From here on there is no way back: forgets all undo, and makes that durable with the record.
//  What fails afterwards has to be dealt with by who called this.
int job_commit (job_t *self, error_t *err);
//  What the hypervisor did in the background is over, and job->guest->backup says how: makes that
//  alone durable. The job can't be cancelled from here on; it still has to clean up.
int job_finish (job_t *self, error_t *err);

//  Starts the launcher, which waits. PROCESS is the identity that the program will have; record it,
//  then job_go. An exec that fails is job_go's error.
int job_spawn (job_t *self, const spawn_t *spawn, process_t *process, error_t *err);
int job_go (job_t *self, const process_t *process, error_t *err);
int job_kill (job_t *self, const process_t *process, int signal, error_t *err);
//  0 when the process is over, -1 with ERR_OPERATION_TIMEOUT when it is not within MS.
int job_wait_exit (job_t *self, const process_t *process, int ms, error_t *err);
//  For a program that is done soon: job_go, and then until it has ended. *CODE is its exit status,
//  -1 if a signal ended it. The caller has pushed the undo "process".
int job_run (job_t *self, const process_t *process, int ms, int *code, error_t *err);
//  From now on the domain's owner is told when this process, which an earlier daemon started, ends.
int job_watch_exit (job_t *self, const process_t *process, error_t *err);

//  Connects the guest's monitor to QEMU's socket at PATH and waits for QMP's greeting. The error
//  when QEMU ended before is ERR_OPERATION_FAILED; the caller adds what the log says.
int job_monitor_open (job_t *self, const char *path, int ms, error_t *err);
int job_monitor_close (job_t *self, error_t *err);
//  One QMP command; takes ARGUMENTS over (may be NULL). The result is QMP's "return" (the caller
//  drops the reference) or NULL with QEMU's own words in ERR.
json_t *job_qmp (job_t *self, const char *execute, json_t *arguments, int ms, error_t *err);
//  The same with FILE's descriptor, for getfd and add-fd: the monitor opens it, so that none
//  travels in a message. Open the file before: if that hangs, it is to be this job's thread.
json_t *job_qmp_file (job_t *self, const char *execute, json_t *arguments, const job_file_t *file,
                      int ms, error_t *err);

//  How job_agent asks.
enum {
    AGENT_ENDS = 1,    //  the agent goes with the command: that it does is an answer, too
    AGENT_UNHEARD = 2, //  returns {} once the command is sent; whatever comes is dropped
    AGENT_SLEEPS = 4   //  the guest sleeps with the command: that it does is an answer, too
};

//  One command to the guest's agent; as job_qmp. Commands of all jobs pass one at a time. Errors:
//
//      ERR_AGENT_UNRESPONSIVE      the guest's agent is not connected, or says nothing
//      ERR_AGENT_COMMAND_TIMEOUT   it was there, but has not answered within MS
//      ERR_AGENT_COMMAND_FAILED    with the agent's own words
json_t *job_agent (job_t *self, const char *execute, json_t *arguments, unsigned how, int ms,
                   error_t *err);

//  What the emulator at PATH can do: the text that qemu_caps_parse reads. Probed once for each
//  path, size and mtime, whoever asks. The caller frees it.
char *job_emulator (job_t *self, const char *path, error_t *err);

//  Durable, atomic, through the disk actors. Who is cancelled meanwhile hears of it in the call
//  after this one, so that undo finds on disk what was written.
int job_write_file (job_t *self, const char *path, const char *text, error_t *err);
int job_remove_file (job_t *self, const char *path, error_t *err);
//  The guest's definition as it is now; nothing if the domain is transient. For what has to be on
//  disk before the job's result can say it.
int job_write_definition (job_t *self, error_t *err);

//  Network links (drivers/net/link.h), which the links actor makes and keeps on record under this
//  job's owner and KEY. The caller has pushed the undo "link" with the key before it makes one.
//  *LINK (may be NULL) is how the kernel has it.
//
//      ERR_OPERATION_DENIED        the daemon may not (it runs as an ordinary user)
//      ERR_OPERATION_UNSUPPORTED   this kernel can't
//      ERR_OPERATION_FAILED        the kernel's own words; a name that exists already
int job_link_create (job_t *self, const char *key, const link_spec_t *spec, link_t *link,
                     error_t *err);
//  PEER: of the other end of a veth that is still here.
int job_link_set (job_t *self, const char *key, bool peer, const link_settings_t *settings,
                  link_t *link, error_t *err);
//  ERR_NO_INTERFACE if there is none.
int job_link_get (job_t *self, const char *key, link_t *link, error_t *err);
//  Anybody's link. ERR_NO_INTERFACE if there is none of this NAME.
int job_link_find (job_t *self, const char *name, link_t *link, error_t *err);
//  Moves a link of the host (KEY: LINK_HOST_PREFIX and its name) into the network namespace of
//  PROCESS (PID:START:BOOTID). HOLDER ("domain 'web1'") is what others who want it are told. Nobody
//  moves it back but that process; job_link_delete then ends the loan.
//
//      ERR_NO_INTERFACE        there is none
//      ERR_OPERATION_INVALID   somebody has it, or it is in use; see actors/links/links.h
int job_link_take (job_t *self, const char *key, const char *process, const char *holder,
                   error_t *err);
//  0 as well if it is gone already.
int job_link_delete (job_t *self, const char *key, error_t *err);
//  "192.168.122.1/24" or "fd00::1/64", given to the link or taken away. 0 as well if it is so.
int job_link_address (job_t *self, const char *key, const char *address, bool remove, error_t *err);
int job_link_route (job_t *self, const char *key, const link_route_t *route, bool remove,
                    error_t *err);
//  Replaces what was set; NULL: no limits.
int job_link_bandwidth (job_t *self, const char *key, const link_bandwidth_t *bandwidth,
                        error_t *err);
//  For the owner's adoption after a restart: these (NULL at the end) it still has; any others of
//  it are removed.
int job_link_claim (job_t *self, const char *const *keys, error_t *err);
//  Removes all links of this job's owner.
int job_link_release (job_t *self, error_t *err);

//  The uuid of the domain with this NAME; ERR_NO_DOMAIN.
int job_domain (job_t *self, const char *name, char uuid[UUID_TEXT_SIZE], error_t *err);

//  Virtual networks (drivers/net/port.h). The uuid of the one with this NAME; ERR_NO_NETWORK.
int job_network (job_t *self, const char *name, char uuid[UUID_TEXT_SIZE], error_t *err);
//  Granted or refused at once, durable. The caller has pushed the undo "port", NETWORK/PORT.
int job_port_create (job_t *self, const port_request_t *request, port_grant_t *grant, error_t *err);
//  0 as well if there is none, or no such network any more.
int job_port_delete (job_t *self, const char *network, const char *port, error_t *err);

//  Host PCI devices, by their address in sysfs. Once it returns, vfio-pci has the device, and this
//  job's domain alone, with the whole IOMMU group. MANAGED: it is detached from the host for that,
//  if it is not, and goes back when it is given back. The caller has pushed the undo "device" with
//  the address. SETTINGS (NULL: none): what its card sets for it, a virtual function, until it is
//  given back; vf_settings_text's (drivers/pci/vf.h).
//
//      ERR_NO_NODE_DEVICE          there is none
//      ERR_OPERATION_INVALID       who has it, or its group; or why no guest can have it
//      ERR_OPERATION_FAILED        why it could not be bound, or set; with SETTINGS also: which
//                                  process, not this guest's, uses it or its group
int job_device_take (job_t *self, const char *address, bool managed, const char *settings,
                     error_t *err);
//  Once all of a guest's are taken: does the host still use others of the group? *GROUP is its
//  number: a guest uses /dev/vfio/GROUP.
int job_device_check (job_t *self, const char *address, unsigned *group, error_t *err);
//  Devices of the host that are no PCI devices, by their name (drivers/pci/host_device.h). Once it
//  returns, it is on file that this job's domain has it: alone, or SHARED with others that say so,
//  too. The caller has pushed the undo "device" with the name.
//
//      ERR_OPERATION_INVALID       who has it
int job_device_hold (job_t *self, const char *name, bool shared, error_t *err);
//  Before a SHARED one is given back, of its node: BEFORE is file_owner_note's, of when this domain
//  got it; NULL: it was QEMU's then already. *BACK (the caller frees it) is the note that it has to
//  go back to now, and nobody gets the device before it is given back; NULL: others have it, and
//  the last of them gets that.
int job_device_leave (job_t *self, const char *name, const char *before, char **back, error_t *err);
//  Either of them. 0 as well if the domain does not have it.
int job_device_give (job_t *self, const char *address, error_t *err);

//  Waits until the hypervisor tells of the device ALIAS, or told of it since the job began; or for
//  MS.
int job_wait_device (job_t *self, const char *alias, int ms, device_fate_t *fate, error_t *err);

void job_progress (job_t *self, const job_progress_t *progress);
//  Of a snapshot: whether the guest runs is no concern of this job any more. From now on it may be
//  suspended and resumed meanwhile, so the job must not change that. STATUS: it is guest->status
//  again, after the job had stopped it; else the job did not touch it.
void job_written (job_t *self, bool status);
void job_log (job_t *self, const char *format, ...) __attribute__ ((format (printf, 2, 3)));

#endif
