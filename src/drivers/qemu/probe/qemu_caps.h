//  qemu_caps.h: what an emulator can do, as a small text: probed once (qemu_probe), cached on disk,
//  and asked here. A line a fact:
//
//      troupe-qemu-caps 2
//      version 7.2.22
//      arch x86_64
//      kvm yes                                compiled in; whether /dev/kvm works is not said
//      machine pc-i440fx-7.2 pc 255 pc.ram    name, alias or -, most vcpus, id of its RAM or -
//      cpu qemu64
//      device virtio-blk-pci
//      host-model tcg EPYC +umip -osvw        qemu_host_model.h; or
//      no-host-model kvm REASON
//      cpu-model-tcg Haswell current pcid hle     a model by the name that users know it by (or
//                                             deprecated), and the features of it that TCG lacks

#ifndef TROUPE_QEMU_CAPS_H
#define TROUPE_QEMU_CAPS_H

#include "drivers/job.h"

#define QEMU_CAPS_HEADER "troupe-qemu-caps 2"
#define QEMU_DEFAULT_MACHINE "pc" //  of a definition that names none

typedef struct qemu_caps qemu_caps_t;

typedef struct {
    char name[64];  //  versioned: "pc-i440fx-7.2"
    char alias[64]; //  "pc", or ""
    int max_vcpus;
    char ram_id[64]; //  of the memory that every machine has, or ""
} qemu_machine_t;

//  ERR_PARSE_FAILED if TEXT is not of this version of the format. The caller owns the result.
qemu_caps_t *qemu_caps_parse (const char *text, error_t *err);
void qemu_caps_destroy (qemu_caps_t **self_p);
DEFINE_AUTO (qemu_caps_t, qemu_caps_destroy)

//  7.2.22 as 7002022.
unsigned qemu_caps_version (const qemu_caps_t *self);
//  "x86_64", as QEMU calls what it emulates.
const char *qemu_caps_arch (const qemu_caps_t *self);
bool qemu_caps_kvm (const qemu_caps_t *self);
bool qemu_caps_device (const qemu_caps_t *self, const char *device);
bool qemu_caps_cpu (const qemu_caps_t *self, const char *model);
//  What a line "FACT FIRST VALUE" has as its value; NULL if there is none. The caller frees it.
char *qemu_caps_value (const qemu_caps_t *self, const char *fact, const char *first);
//  The values of all lines "FACT VALUE", one at a call; *AT_P is NULL before the first. The caller
//  frees each; NULL after the last.
char *qemu_caps_next (const qemu_caps_t *self, const char *fact, const char **at_p);
//  The machine with this name or alias. False if there is none.
bool qemu_caps_machine (const qemu_caps_t *self, const char *name, qemu_machine_t *machine);
//  Of the families that troupe runs: pc and q35.
bool qemu_machine_runs (const qemu_machine_t *machine);
//  All machines, one at a call; *AT_P is NULL before the first. False after the last.
bool qemu_caps_next_machine (const qemu_caps_t *self, const char **at_p, qemu_machine_t *machine);

//  Asks the emulator at PATH, with a QEMU that runs no guest, and another one if there is KVM;
//  about half a second. JOB needs no guest; the monitor that it opens is closed again. The caller
//  frees the text.
char *qemu_probe (job_t *job, const char *path, error_t *err);

//  Starts the emulator at PATH with ACCEL ("tcg", "kvm") and without a machine, has ASK ask it
//  through the job's monitor, and ends it. The words of an emulator that failed are in ERR.
typedef int (qemu_ask_fn) (job_t *job, void *arg, error_t *err);
int qemu_probe_ask (job_t *job, const char *path, const char *accel, qemu_ask_fn *ask, void *arg,
                    error_t *err);

//  The text of these answers of QMP, for qemu_probe and tests: query-version, query-target,
//  query-kvm, query-machines, query-cpu-definitions and the names of all devices. NULL and
//  ERR_PARSE_FAILED if they are not what QMP's reference says.
char *qemu_caps_from_qmp (const json_t *answers, error_t *err);

#endif
