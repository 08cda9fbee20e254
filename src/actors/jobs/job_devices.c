//  job_devices.c: see job_devices.h.

#include "actors/jobs/job_devices.h"

#include "actors/jobs/job.h"
#include "actors/pci/devices.h"
#include "drivers/pci/host_device.h"

enum {
    DEVICE_MS = 150000, //  the host's driver lets go of it when it likes
    HOLD_MS = 60000     //  written to disk
};

static msg_t *request (const job_t *job, const char *verb, const char *device)
{
    msg_t *msg = msg_request (verb);
    pack_key_str (msg_args (msg), "device", device);
    pack_key_str (msg_args (msg), "domain", job->guest->uuid);
    pack_key_str (msg_args (msg), "domain_name", job->guest->name);
    return msg;
}

static int ask (job_t *job, const char *verb, const char *address, bool managed,
                const char *settings, msg_t **reply_p, error_t *err)
{
    auto(msg_t) msg = request (job, verb, address);
    pack_key_bool (msg_args (msg), "managed", managed);
    pack_key_str (msg_args (msg), "settings", settings);
    pack_key_str (msg_args (msg), "process", guest_recorded (job->guest, "process/@identity"));
    return job_ask ((job_actor_t *) job, DEVICES_ADDRESS, &msg, DEVICE_MS, reply_p, err);
}

int job_devices_take (job_t *job, const char *address, bool managed, const char *settings,
                      error_t *err)
{
    return ask (job, "pci.take", address, managed, settings, NULL, err);
}

int job_devices_check (job_t *job, const char *address, unsigned *group, error_t *err)
{
    auto(msg_t) reply = NULL;
    if (ask (job, "group.check", address, false, NULL, &reply, err))
        return -1;
    *group = (unsigned) value_get_u64 (msg_value (reply), "group", 0);
    return 0;
}

static int ask_holds (job_t *job, const char *verb, const char *name, bool shared, error_t *err)
{
    auto(msg_t) msg = request (job, verb, name);
    pack_key_bool (msg_args (msg), "shared", shared);
    return job_ask ((job_actor_t *) job, DEVICES_ADDRESS, &msg, HOLD_MS, NULL, err);
}

int job_devices_hold (job_t *job, const char *name, bool shared, error_t *err)
{
    return ask_holds (job, "device.hold", name, shared, err);
}

int job_devices_leave (job_t *job, const char *name, const char *before, char **back, error_t *err)
{
    auto(msg_t) reply = NULL;
    auto(msg_t) msg = msg_request ("device.leave");
    pack_key_str (msg_args (msg), "device", name);
    pack_key_str (msg_args (msg), "domain", job->guest->uuid);
    pack_key_str (msg_args (msg), "before", before);
    *back = NULL;
    if (job_ask ((job_actor_t *) job, DEVICES_ADDRESS, &msg, HOLD_MS, &reply, err))
        return -1;
    *back = text_copy (value_get_str (msg_value (reply), "before"));
    return 0;
}

static int give_once (job_t *job, const char *address, error_t *err)
{
    return host_device_is (address) ? ask_holds (job, "device.release", address, false, err)
                                    : ask (job, "pci.give", address, false, NULL, NULL, err);
}

//  What is gone from the host is nobody's. An owner that died over it comes again, with the device
//  still on file for this guest; one that takes its time has it to do.
int job_devices_give (job_t *job, const char *address, error_t *err)
{
    int rc = give_once (job, address, err);
    if (rc && err->retry && err->code != ERR_OPERATION_TIMEOUT)
        rc = give_once (job, address, err);
    return rc && err->code == ERR_NO_NODE_DEVICE ? 0 : rc;
}
