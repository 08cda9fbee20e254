//  rows_pin.c: which of the host's CPUs a domain's threads run on. Clients have these as bytes of
//  bits, verbs as texts ("0-3,7"; empty: all that the host has, so that is asked first).

#include "actors/libvirt/rpc_self.h"

#include "drivers/cpuset.h"

#include <string.h>

enum {
    LIVE = 1,
    CONFIG = 2,
    MAP_MAX = CPU_SETSIZE / 8, //  bytes of what the host can have
    MAPS_MAX = 8 << 20         //  of all in one answer (libvirt's protocol: REMOTE_CPUMAPS_MAX)
};

int64_t rpc_cpus_count (const char *text)
{
    cpu_set_t set;
    error_t none;
    return text && *text && cpuset_parse (text, &set, &none) == 0 ? CPU_COUNT (&set) : 0;
}

//  From bits.

static int pack_cpus (const rpc_call_t *call, pack_t *args, error_t *err)
{
    size_t size = 0;
    const unsigned char *map = value_bin (value_get (call->args, "cpumap"), &size);
    cpu_set_t set;
    CPU_ZERO (&set);
    for (size_t cpu = 0; cpu < size * 8 && cpu < CPU_SETSIZE; cpu++)
        if (map[cpu / 8] & 1u << cpu % 8)
            CPU_SET (cpu, &set);
    if (CPU_COUNT (&set) == 0)
        return error_set (err, ERR_INVALID_ARG, "%s: it names no CPU",
                          call->entry->procedure->name);
    autofree char *text = cpuset_text (&set);
    pack_key_str (args, "cpus", text);
    return 0;
}

static int prepare_pin (rpc_call_t *call, pack_t *args, error_t *err)
{
    return pack_cpus (call, args, err);
}

static int prepare_pin_live (rpc_call_t *call, pack_t *args, error_t *err)
{
    pack_key_bool (args, "live", true);
    return pack_cpus (call, args, err);
}

//  To bits.

//  SIZE bytes for TEXT; empty: the first COUNT CPUs.
static void fill_map (unsigned char *map, size_t size, const char *text, uint64_t count)
{
    cpu_set_t set;
    error_t none;
    CPU_ZERO (&set);
    if (!text || !*text || cpuset_parse (text, &set, &none))
        for (uint64_t cpu = 0; cpu < count && cpu < CPU_SETSIZE; cpu++)
            CPU_SET (cpu, &set);
    memset (map, 0, size);
    for (size_t cpu = 0; cpu < size * 8 && cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET (cpu, &set))
            map[cpu / 8] = (unsigned char) (map[cpu / 8] | 1u << cpu % 8);
}

//  Bytes that the caller has for each of COUNT; 0: none.
static int read_map_size (const rpc_call_t *call, size_t count, size_t *size, error_t *err)
{
    int64_t given = value_get_i64 (call->args, "maplen", 0);
    *size = given < 0 ? 0 : (size_t) given;
    return count && *size > MAPS_MAX / count
               ? error_set (err, ERR_INVALID_ARG,
                            "%s: maplen %zu: the %zu maps are more than the %d bytes of an answer",
                            call->entry->procedure->name, *size, count, MAPS_MAX)
               : 0;
}

//  What VERB (of domain.vcpu_pins, ...) says.
static document_t *ask_pins (rpc_call_t *call, const char *verb, error_t *err)
{
    uint64_t flags = value_get_u64 (call->args, "flags", 0);
    pack_t args;
    pack_init (&args);
    pack_map (&args);
    pack_key_str (&args, "domain", call->uuid);
    if (flags & LIVE)
        pack_key_bool (&args, "live", true);
    if (flags & CONFIG)
        pack_key_bool (&args, "config", true);
    pack_end (&args);
    document_t *pins = rpc_query (call, verb, &args, err);
    pack_close (&args);
    return pins;
}

//  The maps of COUNT of PINS, one behind the other: of those with these IDS, or (NULL) of the
//  first.
static int pack_maps (const rpc_call_t *call, const value_t *pins, const size_t *ids, size_t count,
                      uint64_t cpus, pack_t *ret, error_t *err)
{
    size_t size;
    if (read_map_size (call, count, &size, err))
        return -1;
    autofree unsigned char *maps = memory_new (count * size + 1, 1);
    for (size_t i = 0; i < count; i++) {
        const value_t *pin = value_at (pins, ids ? ids[i] : i);
        fill_map (maps + i * size, size, value_get_str (pin, "cpus"), cpus);
    }
    pack_key (ret, "cpumaps");
    pack_bin (ret, maps, count * size);
    return 0;
}

static size_t room_of (const rpc_call_t *call, const char *field)
{
    int64_t room = value_get_i64 (call->args, field, 0);
    return room > 0 ? (size_t) room : 0;
}

static int answer_vcpu_pins (rpc_call_t *call, const value_t *host, pack_t *ret, error_t *err)
{
    auto(document_t) pins = ask_pins (call, "domain.vcpu_pins", err);
    if (!pins)
        return -1;
    size_t room = room_of (call, "ncpumaps"), count = value_count (document_root (pins));
    count = count < room ? count : room;
    pack_key_u64 (ret, "num", count);
    return pack_maps (call, document_root (pins), NULL, count, value_get_u64 (host, "cpus", 0), ret,
                      err);
}

static int answer_emulator_pin (rpc_call_t *call, const value_t *host, pack_t *ret, error_t *err)
{
    size_t size;
    auto(document_t) pin = ask_pins (call, "domain.emulator_pins", err);
    if (!pin || read_map_size (call, 1, &size, err))
        return -1;
    autofree unsigned char *map = memory_new (size + 1, 1);
    fill_map (map, size, value_get_str (document_root (pin), "cpus"),
              value_get_u64 (host, "cpus", 0));
    pack_key (ret, "cpumaps");
    pack_bin (ret, map, size);
    pack_key_i64 (ret, "ret", 1);
    return 0;
}

static int answer_iothreads (rpc_call_t *call, const value_t *host, pack_t *ret, error_t *err)
{
    auto(document_t) pins = ask_pins (call, "domain.iothread_pins", err);
    if (!pins)
        return -1;
    const value_t *list = document_root (pins);
    uint64_t cpus = value_get_u64 (host, "cpus", 0);
    unsigned char map[MAP_MAX];
    size_t size = (size_t) (cpus + 7) / 8 < MAP_MAX ? (size_t) (cpus + 7) / 8 : MAP_MAX;
    pack_key_array (ret, "info");
    for (size_t i = 0; i < value_count (list); i++) {
        fill_map (map, size, value_get_str (value_at (list, i), "cpus"), cpus);
        pack_map (ret);
        pack_key_u64 (ret, "iothread_id", value_get_u64 (value_at (list, i), "number", 0));
        pack_key (ret, "cpumap");
        pack_bin (ret, map, size);
        pack_end (ret);
    }
    pack_end (ret);
    pack_key_u64 (ret, "ret", value_count (list));
    return 0;
}

//  Virtual CPUs, with the time that each took.

static uint64_t measured (const value_t *stats, size_t number, const char *what, uint64_t otherwise)
{
    char field[40];
    snprintf (field, sizeof field, "vcpu.%zu.%s", number, what);
    return value_get_u64 (stats, field, otherwise);
}

//  The numbers of those that it has, ROOM of them at most; how many. What is not measured one by
//  one has the first ones.
static size_t find_vcpus (const snapshot_t *domain, const value_t *stats, size_t room, size_t *ids)
{
    size_t count = 0;
    for (size_t id = 0; id < domain->max_vcpus && count < room && count < domain->vcpus; id++)
        if (measured (stats, id, "state", 0) || !measured (stats, 0, "state", 0))
            ids[count++] = id;
    return count;
}

static void pack_vcpus (const value_t *stats, const size_t *ids, size_t count, pack_t *ret)
{
    enum {
        RUNNING = 1,     //  virVcpuState
        UNAVAILABLE = -2 //  virVcpuHostCpuState
    };
    pack_key_array (ret, "info");
    for (size_t i = 0; i < count; i++) {
        pack_map (ret);
        pack_key_u64 (ret, "number", ids[i]);
        pack_key_u64 (ret, "state", measured (stats, ids[i], "state", RUNNING));
        pack_key_u64 (ret, "cpu_time", measured (stats, ids[i], "time", 0));
        uint64_t cpu = measured (stats, ids[i], "cpu", UINT64_MAX);
        pack_key_i64 (ret, "cpu", cpu == UINT64_MAX ? UNAVAILABLE : (int64_t) cpu);
        pack_end (ret);
    }
    pack_end (ret);
}

static int answer_vcpus (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    const value_t *stats = value_get (result, "stats");
    const snapshot_t *domain = rpc_domain (call, err);
    auto(document_t) pins = domain ? ask_pins (call, "domain.vcpu_pins", err) : NULL;
    if (!pins)
        return -1;
    size_t room = room_of (call, "maxinfo");
    autofree size_t *ids = memory_new ((size_t) domain->vcpus + 1, sizeof *ids);
    size_t count = find_vcpus (domain, stats, room, ids);
    pack_vcpus (stats, ids, count, ret);
    return pack_maps (call, document_root (pins), ids, count, call->host_cpus, ret, err);
}

static int measure_vcpus (rpc_call_t *call, const value_t *host, pack_t *ret, error_t *err)
{
    (void) ret;
    call->host_cpus = value_get_u64 (host, "cpus", 0);
    return rpc_measure (call, answer_vcpus, err);
}

#define SCOPE FLAGS ({ LIVE, "live" }, { CONFIG, "config" })
#define GET_SCOPE FLAGS ({ LIVE | CONFIG, NULL }) //  read by ask_pins

const rpc_row_t rpc_rows_pin[] = {
    { "DOMAIN_GET_VCPUS", .verb = "host.info", .answer = measure_vcpus },
    { "DOMAIN_PIN_VCPU", .verb = "domain.vcpu_pin", .args = "vcpu", .prepare = prepare_pin_live },
    { "DOMAIN_PIN_VCPU_FLAGS", .verb = "domain.vcpu_pin", .args = "vcpu", .flags = SCOPE,
      .prepare = prepare_pin },
    { "DOMAIN_GET_VCPU_PIN_INFO", .verb = "host.info", .flags = GET_SCOPE,
      .answer = answer_vcpu_pins },
    { "DOMAIN_PIN_EMULATOR", .verb = "domain.emulator_pin", .flags = SCOPE,
      .prepare = prepare_pin },
    { "DOMAIN_GET_EMULATOR_PIN_INFO", .verb = "host.info", .flags = GET_SCOPE,
      .answer = answer_emulator_pin },
    { "DOMAIN_PIN_IOTHREAD", .verb = "domain.iothread_pin", .args = "iothread=iothreads_id",
      .flags = SCOPE, .prepare = prepare_pin },
    { "DOMAIN_GET_IOTHREAD_INFO", .verb = "host.info", .flags = GET_SCOPE,
      .answer = answer_iothreads },
    { 0 },
};
