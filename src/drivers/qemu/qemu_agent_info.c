//  qemu_agent_info.c: what agents tell of their guests, as flat fields with libvirt's names
//  (virDomainGetGuestInfo).

#include "drivers/qemu/qemu_agent_ask.h"

#include "util/text.h"

#include <stdarg.h>
#include <string.h>

//  The latest time that a guest may tell, in seconds.
#define LATEST_S 1e12

//  VALUE (taken over; NULL: nothing) under a name.
static void put (json_t *fields, json_t *value, const char *format, ...)
    __attribute__ ((format (printf, 3, 4)));
static void put (json_t *fields, json_t *value, const char *format, ...)
{
    char name[128];
    va_list args;
    va_start (args, format);
    vsnprintf (name, sizeof name, format, args);
    va_end (args);
    if (value)
        json_object_set_new (fields, name, value);
}

static json_t *member (const json_t *object, const char *key)
{
    return json_incref (json_object_get (object, key));
}

static json_t *count_of (const json_t *array)
{
    return json_integer ((json_int_t) json_array_size (array));
}

static void put_users (job_t *job, const json_t *users, json_t *fields)
{
    (void) job;
    size_t i;
    json_t *user;
    put (fields, count_of (users), "user.count");
    json_array_foreach (users, i, user)
    {
        const json_t *seconds = json_object_get (user, "login-time");
        put (fields, member (user, "user"), "user.%zu.name", i);
        put (fields, member (user, "domain"), "user.%zu.domain", i);
        double time = json_number_value (seconds);
        if (json_is_number (seconds) && time >= 0 && time < LATEST_S)
            put (fields, json_integer ((json_int_t) (time * 1000)), "user.%zu.login-time", i);
    }
}

static void put_os (job_t *job, const json_t *os, json_t *fields)
{
    static const char *const names[] = {
        "id",      "name",    "pretty-name", "version",        "version-id",
        "machine", "variant", "variant-id",  "kernel-release", "kernel-version"
    };
    (void) job;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        put (fields, member (os, names[i]), "os.%s", names[i]);
}

static void put_timezone (job_t *job, const json_t *timezone, json_t *fields)
{
    (void) job;
    put (fields, member (timezone, "zone"), "timezone.name");
    put (fields, member (timezone, "offset"), "timezone.offset");
}

static void put_hostname (job_t *job, const json_t *answer, json_t *fields)
{
    (void) job;
    put (fields, member (answer, "host-name"), "hostname");
}

static void put_file_system_disks (job_t *job, const json_t *disks, size_t number, json_t *fields)
{
    size_t i;
    json_t *disk;
    put (fields, count_of (disks), "fs.%zu.disk.count", number);
    json_array_foreach (disks, i, disk)
    {
        const char *target = qemu_agent_disk_target (job, disk);
        put (fields, target ? json_string (target) : NULL, "fs.%zu.disk.%zu.alias", number, i);
        put (fields, member (disk, "serial"), "fs.%zu.disk.%zu.serial", number, i);
        put (fields, member (disk, "dev"), "fs.%zu.disk.%zu.device", number, i);
    }
}

static void put_file_systems (job_t *job, const json_t *systems, json_t *fields)
{
    size_t i;
    json_t *system;
    put (fields, count_of (systems), "fs.count");
    json_array_foreach (systems, i, system)
    {
        put (fields, member (system, "name"), "fs.%zu.name", i);
        put (fields, member (system, "mountpoint"), "fs.%zu.mountpoint", i);
        put (fields, member (system, "type"), "fs.%zu.fstype", i);
        put (fields, member (system, "total-bytes"), "fs.%zu.total-bytes", i);
        put (fields, member (system, "used-bytes"), "fs.%zu.used-bytes", i);
        put_file_system_disks (job, json_object_get (system, "disk"), i, fields);
    }
}

static void put_disk (job_t *job, const json_t *disk, size_t number, json_t *fields)
{
    const json_t *below = json_object_get (disk, "dependencies");
    const json_t *address = json_object_get (disk, "address");
    const char *target = address ? qemu_agent_disk_target (job, address) : NULL;
    size_t i;
    json_t *name;
    put (fields, member (disk, "name"), "disk.%zu.name", number);
    put (fields, member (disk, "partition"), "disk.%zu.partition", number);
    if (below)
        put (fields, count_of (below), "disk.%zu.dependency.count", number);
    json_array_foreach (below, i, name)
        put (fields, json_incref (name), "disk.%zu.dependency.%zu.name", number, i);
    put (fields, member (address, "serial"), "disk.%zu.serial", number);
    put (fields, target ? json_string (target) : NULL, "disk.%zu.alias", number);
    put (fields, member (disk, "alias"), "disk.%zu.guest_alias", number);
    put (fields, member (address, "bus-type"), "disk.%zu.guest_bus", number);
}

static void put_disks (job_t *job, const json_t *disks, json_t *fields)
{
    size_t i;
    json_t *disk;
    put (fields, count_of (disks), "disk.count");
    json_array_foreach (disks, i, disk) put_disk (job, disk, i, fields);
}

static void put_addresses (const json_t *addresses, size_t number, json_t *fields)
{
    size_t i;
    json_t *address;
    put (fields, count_of (addresses), "if.%zu.addr.count", number);
    json_array_foreach (addresses, i, address)
    {
        put (fields, member (address, "ip-address-type"), "if.%zu.addr.%zu.type", number, i);
        put (fields, member (address, "ip-address"), "if.%zu.addr.%zu.addr", number, i);
        put (fields, member (address, "prefix"), "if.%zu.addr.%zu.prefix", number, i);
    }
}

static void put_interfaces (job_t *job, const json_t *interfaces, json_t *fields)
{
    size_t i;
    json_t *interface;
    (void) job;
    put (fields, count_of (interfaces), "if.count");
    json_array_foreach (interfaces, i, interface)
    {
        put (fields, member (interface, "name"), "if.%zu.name", i);
        put (fields, member (interface, "hardware-address"), "if.%zu.hwaddr", i);
        put_addresses (json_object_get (interface, "ip-addresses"), i, fields);
    }
}

static const struct {
    const char *type, *execute;
    void (*put) (job_t *job, const json_t *answer, json_t *fields);
} infos[] = {
    { "user", "guest-get-users", put_users },
    { "os", "guest-get-osinfo", put_os },
    { "timezone", "guest-get-timezone", put_timezone },
    { "hostname", "guest-get-host-name", put_hostname },
    { "filesystem", "guest-get-fsinfo", put_file_systems },
    { "disk", "guest-get-disks", put_disks },
    { "interface", "guest-network-get-interfaces", put_interfaces },
};

static bool is_wanted (const json_t *types, const char *type)
{
    size_t i;
    json_t *each;
    json_array_foreach (types, i,
                        each) if (text_equals (json_string_value (each), type)) return true;
    return false;
}

static int check_types (job_t *job, const json_t *types, error_t *err)
{
    size_t i;
    json_t *type;
    json_array_foreach (types, i, type)
    {
        bool known = false;
        for (size_t k = 0; k < sizeof infos / sizeof *infos; k++)
            known = known || text_equals (json_string_value (type), infos[k].type);
        if (!known)
            return error_set (err, ERR_INVALID_ARG,
                              "guest info of domain '%s': '%s' is not known; there are user, os, "
                              "timezone, hostname, filesystem, disk and interface",
                              job->guest->name, json_string_value (type));
    }
    return 0;
}

//  What an agent does not know is left out, unless it was asked for by name.
json_t *qemu_agent_info (job_t *job, const json_t *args, error_t *err)
{
    const json_t *types = json_object_get (args, "types");
    bool all = json_array_size (types) == 0;
    if (check_types (job, types, err))
        return NULL;
    json_t *fields = json_object ();
    for (size_t i = 0; i < sizeof infos / sizeof *infos; i++) {
        if (!all && !is_wanted (types, infos[i].type))
            continue;
        json_auto_t *answer =
            qemu_agent_call (job, infos[i].execute, NULL, 0, QEMU_AGENT_INFO_MS, err);
        if (answer)
            infos[i].put (job, answer, fields);
        else if (!all || err->code != ERR_AGENT_COMMAND_FAILED) {
            json_decref (fields);
            return NULL;
        }
    }
    return fields;
}
