//  qemu_cpu.h: what a processor that is written down as libvirt's <cpu> (formatdomain.html and
//  formatcaps.html in its documentation) has, as a set of QEMU's features. QEMU knows its models,
//  all names of the features, and which of them needs which (query-cpu-model-expansion in QEMU's
//  QMP reference), so it is asked for each.
//
//  The host's processor is what a guest of this accelerator can have of it: QEMU's model host with
//  KVM, and max with TCG.

#ifndef TROUPE_QEMU_CPU_H
#define TROUPE_QEMU_CPU_H

#include "drivers/job.h"
#include "util/text.h"
#include "util/xml.h"

//  Sets are JSON objects: what is in them is a key.
typedef struct {
    char *model;      //  as QEMU calls it
    char *wanted;     //  the vendor that <vendor> demands, as CPUID has it; NULL: any
    char *vendor;     //  the model's; NULL: it has none
    json_t *features; //  those it has
    json_t *optional; //  ... and those that it may be without
    json_t *barred;   //  those that the host is not to have
} qemu_cpu_t;

//  CPU is a <cpu>; NULL is the host's. The emulator whose monitor is open was started with ACCEL.
//  ERR_XML_ERROR, or ERR_CONFIG_UNSUPPORTED: QEMU does not know the model or a feature. The caller
//  closes it, after an error as well.
int qemu_cpu_ask (job_t *job, const char *accel, const xml_node_t *cpu, qemu_cpu_t *self,
                  error_t *err);
void qemu_cpu_close (qemu_cpu_t *self);

//  "Intel" for GenuineIntel, as libvirt's XML has it; another vendor is its own name.
const char *qemu_cpu_vendor_name (const char *vendor);

//  How a guest's processor is to the host's.
typedef enum {
    CPU_INCOMPATIBLE, //  the host's lacks something
    CPU_IDENTICAL,
    CPU_SUPERSET //  the host's has more
} qemu_cpu_relation_t;

//  STRICT: a host that has more will not do. WHY gets a text if it is CPU_INCOMPATIBLE.
qemu_cpu_relation_t qemu_cpu_compare (const qemu_cpu_t *host, const qemu_cpu_t *cpu, bool strict,
                                      text_t *why);

//  Set arithmetic. Names are in order.
bool qemu_features_within (const json_t *set, const json_t *other);
//  Takes out of SET what is not in OTHER.
void qemu_features_restrict (json_t *set, const json_t *other);
//  What is in SET and not in OTHER. The caller owns it.
strings_t *qemu_features_beyond (const json_t *set, const json_t *other);

#endif
