//  pci_self.h: the state of a PCI device's owner, for its own files:
//
//      pci.c             its life; what it is asked
//      pci_operations.c  what is done to the device, one after another
//      pci_checks.c      what the host would lose with it
//      pci_guest.c       what guests take and give back
//      pci_file.c        the status file, what is published, answers: in this order

#ifndef TROUPE_PCI_SELF_H
#define TROUPE_PCI_SELF_H

#include "actors/config.h"
#include "actors/pci/pci.h"
#include "drivers/pci/pci_device.h"
#include "util/uuid.h"

#include <czmq.h>

#define VFIO_DRIVER "vfio-pci"

typedef enum {
    PCI_HOST,      //  the host's: nothing is on file
    PCI_DETACHING, //  on its way to vfio-pci
    PCI_DETACHED,  //  vfio-pci has it
    PCI_RETURNING  //  on its way back
} pci_phase_t;

typedef struct pci pci_t;
typedef struct pci_operation pci_operation_t;

struct pci_operation {
    const char *verb, *job;
    const char *what; //  for errors: "detach"
    pci_phase_t during, after;
    //  1: begin; 0: nothing is to be done; -1: refused.
    int (*check) (pci_t *self, const msg_t *request, error_t *err);
};

typedef struct {
    const pci_operation_t *operation; //  NULL: none
    msg_t *request;                   //  NULL: nobody asked
    char address[MSG_ADDRESS_MAX];    //  of the job; "": it is not started yet
    pci_phase_t before;
    bool fresh;     //  it is about to change settings that it read, and has not yet
    bool cancelled; //  before it had a job
} pci_run_t;

struct pci {
    actor_t *actor;
    const config_t *config;
    char *sysfs;
    char address[PCI_ADDRESS_SIZE];
    char *path, *boot_id; //  of the status file; of this boot
    char disk[MSG_ADDRESS_MAX];

    pci_phase_t phase;
    char *returns_to; //  driver; NULL: the kernel's choice
    char *override;   //  what driver_override was before, and is again then; NULL: nothing
    //  The guest that has it; "": none.
    char holder[UUID_TEXT_SIZE];
    char *holder_name;
    int group;   //  the IOMMU group that was told of it; -1: none
    bool lent;   //  it was detached for that guest, and goes back with its end
    char *saved; //  what its card gets back, once no guest has it (drivers/pci/vf.h); NULL: nothing

    pci_run_t running;
    error_t failure; //  of what runs, until it is answered
    zlistx_t *queue; //  msg_t
    uint64_t return_timer;
    int returns_failed; //  one after another
    bool gone;          //  the kernel said so while something ran
    bool shown;
};

//  pci_operations.c
//  Takes the request over.
void pci_enqueue (pci_t *self, msg_t **msg_p);
//  Begins what is to be done next, if nothing is being done.
void pci_pump (pci_t *self);
//  The device is not there any more.
void pci_forget (pci_t *self);
//  The host has it: there is nothing to remember of it.
void pci_set_host (pci_t *self);
//  The device goes back, though nobody waits for it: what was begun and cut off.
void pci_return_later (pci_t *self, int ms);
//  The driver that has it now; NULL: none. The caller frees it.
char *pci_driver_now (const pci_t *self);

//  What is begun has come to this: OUTCOME NULL: it is done. Called when that is on disk.
void pci_answer (pci_t *self, const error_t *outcome);
//  Writes the phase in which the operation that runs has the device, then starts its job.
void pci_begin_job (pci_t *self);
//  Starts a job of this kind for what runs. Its reply is THEN's, or of the operation's own.
void pci_start_job (pci_t *self, const char *kind, actor_reply_fn *then);
//  REPLY is that of the job: -1 and FAILURE if it failed.
int pci_job_done (pci_t *self, const msg_t *reply, error_t *failure);

//  pci_checks.c
//  -1 and ERR if others depend on it; WHAT is to be done to it: "detach".
int pci_check_host (const pci_t *self, const pci_device_t *device, const char *what, error_t *err);

//  pci_guest.c
//  What the job pci_read said, whose REPLY this is.
const char *pci_settings_read (const msg_t *reply);
bool pci_is_guests (const msg_t *msg); //  a request of pci.take, pci.give or pci.compare
void pci_begin_guests (pci_t *self);   //  the request that runs is one
//  -1 and ERR if a guest has it; WHAT was to be done to it.
int pci_check_holder (const pci_t *self, const char *what, error_t *err);
void pci_clear_holder (pci_t *self);
//  After a restart: the group has to know who has it.
void pci_claim_group (pci_t *self);

//  pci.claim: the same of a group that was restarted.
void pci_claim_again (pci_t *self, const msg_t *msg);

//  pci_file.c
typedef void (pci_then_fn) (pci_t *self, const error_t *err);
int pci_load (pci_t *self, error_t *err);
//  Writes the status file; then publishes, and calls THEN.
void pci_save (pci_t *self, pci_then_fn *then);
const char *pci_phase_name (pci_phase_t phase);

#endif
