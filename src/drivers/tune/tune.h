//  tune.h: what domain XML says of a guest's share of the host's resources (memtune, blkiotune,
//  cputune, numatune), read, checked, changed and shown as libvirt's typed parameters.

#ifndef TROUPE_TUNE_H
#define TROUPE_TUNE_H

#include "drivers/driver.h"
#include "msg/pack.h"
#include "msg/value.h"

//  VIR_DOMAIN_MEMORY_PARAM_UNLIMITED, in KiB.
#define TUNE_UNLIMITED 9007199254740991

typedef enum {
    TUNE_KIB,    //  memory in KiB; negative, or TUNE_UNLIMITED and more: no limit
    TUNE_COUNT,  //  a number; 0: not set
    TUNE_QUOTA,  //  a number; negative: no limit; 0: not set
    TUNE_MODE,   //  a number: libvirt's virDomainNumatuneMemMode
    TUNE_SET,    //  text, "0-3,^2"
    TUNE_DEVICES //  text, "/dev/sda,VALUE,/dev/sdb,VALUE"; VALUE 0: not set. Others stay.
} tune_kind_t;

typedef struct {
    const char *group; //  "memory", "blkio", "scheduler", "numa"
    const char *field; //  libvirt's name: "hard_limit"
    const char *path;  //  in <domain>
    tune_kind_t kind;
    uint64_t min, max;
    int64_t unset;
} tune_t;

extern const tune_t tunes[]; //  field NULL at the end

//  Does DRIVER know of it?
bool tune_known (const driver_t *driver, const tune_t *tune);

//  VALUE into the document. ERR_INVALID_ARG: it is no value of this kind. What DRIVER refuses is
//  its error. Nothing is changed then. What belongs together is for tune_check.
int tune_set (xml_node_t *domain, const driver_t *driver, const tune_t *tune, const value_t *value,
              error_t *err);

//  Completes and checks all of it: units, ranges, what excludes what. ERR_XML_ERROR.
int tune_check (xml_node_t *domain, error_t *err);

//  What is set: a map of fields, and besides `cpuset` (of vcpu), `vcpu_pins` and `iothread_pins`
//  (arrays of {number, cpus}), `emulator_pin`, and `iothreads`, an array of their numbers.
void tune_pack (pack_t *pack, const xml_node_t *domain);
//  The value of one, of such a map; or what stands for one that is not set.
void tune_pack_field (pack_t *pack, const tune_t *tune, const value_t *map);

//  tune_devices.c: the values of single devices. FIELD is "weight", "read_iops_sec", ...
int tune_devices_set (xml_node_t *domain, const tune_t *tune, const char *text, error_t *err);
int tune_devices_check (const xml_node_t *domain, error_t *err);
//  "/dev/sda,VALUE,..."; the caller frees it; NULL: none.
char *tune_devices_text (const xml_node_t *domain, const tune_t *tune);

//  Removes the first element of PATH if nothing is left in it.
void tune_prune (xml_node_t *domain, const char *path);
//  The first element of PATH, made where libvirt's documents have it.
xml_node_t *tune_ensure (xml_node_t *domain, const char *path);

#endif
