//  domain_tune.c: what clients hear of tuning that has an effect on a running guest, in libvirt's
//  words (VIR_DOMAIN_TUNABLE_ in its API reference).

#include "actors/domain/domain_self.h"

#include "drivers/iotune.h"
#include "drivers/tune/tune.h"
#include "util/text.h"

static void pack_value_of (pack_t *pack, const char *name, const value_t *value)
{
    autofree char *key = text_format ("cputune.%s", name);
    if (value)
        pack_key_value (pack, key, value);
}

static void pack_pin (pack_t *pack, const msg_t *request, const char *name, const char *number)
{
    autofree char *full =
        number ? text_format ("%s%llu", name, (unsigned long long) msg_u64 (request, number, 0))
               : text_copy (name);
    pack_value_of (pack, full, msg_arg (request, "cpus"));
}

static void pack_limits (pack_t *pack, const msg_t *request)
{
    const char *group = msg_str (request, "group_name");
    pack_key_str (pack, "blkdeviotune.disk", msg_str (request, "disk"));
    for (const iotune_t *limit = iotunes; limit->field; limit++) {
        autofree char *key = text_format ("blkdeviotune.%s", limit->field);
        if (msg_arg (request, limit->field))
            pack_key_value (pack, key, msg_arg (request, limit->field));
    }
    if (group)
        pack_key_str (pack, "blkdeviotune.group_name", group);
}

static void pack_tunable (pack_t *pack, const void *arg)
{
    const msg_t *request = arg;
    pack_key_map (pack, "params");
    if (msg_is (request, "domain.block_io_parameters_set"))
        pack_limits (pack, request);
    for (const tune_t *tune = tunes; tune->field; tune++)
        if (strcmp (tune->group, "scheduler") == 0)
            pack_value_of (pack, tune->field, msg_arg (request, tune->field));
    if (msg_is (request, "domain.vcpu_pin"))
        pack_pin (pack, request, "vcpupin", "vcpu");
    if (msg_is (request, "domain.emulator_pin"))
        pack_pin (pack, request, "emulatorpin", NULL);
    if (msg_is (request, "domain.iothread_pin"))
        pack_pin (pack, request, "iothreadpin", "iothread");
    pack_end (pack);
}

void domain_tell_tuned (domain_t *self, const msg_t *request)
{
    if (self->live && (msg_flag (request, "live") || !msg_flag (request, "config")))
        domain_add_event (self, "domain.tunable", pack_tunable, request);
}
