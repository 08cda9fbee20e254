//  rows_domain.c: domains: found, looked at, and their life.

#include "actors/libvirt/rpc_self.h"
#include "drivers/definition.h"
#include "drivers/state.h"
#include "util/xml.h"

#include <string.h>

//  Finding one.

static int found (const rpc_call_t *call, const snapshot_t *domain, pack_t *ret, error_t *err,
                  const char *what, const char *value)
{
    if (!domain || !rpc_sees (call->client, domain))
        return error_set (err, ERR_NO_DOMAIN, "Domain not found: no domain with matching %s '%s'",
                          what, value);
    rpc_pack_domain (ret, "dom", domain->name, domain->uuid, domain->id);
    return 0;
}

static int answer_by_name (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    const char *name = value_get_str (call->args, "name");
    return found (call, snapshots_by_name (call->gateway->view.snapshots, name), ret, err, "name",
                  name);
}

static int answer_by_uuid (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    const char *uuid = value_get_str (call->args, "uuid");
    return found (call, snapshots_by_uuid (call->gateway->view.snapshots, uuid), ret, err, "uuid",
                  uuid);
}

static int answer_by_id (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    int64_t id = value_get_i64 (call->args, "id", -1);
    char text[24];
    snprintf (text, sizeof text, "%lld", (long long) id);
    return found (call, snapshots_by_id (call->gateway->view.snapshots, id), ret, err, "id", text);
}

//  What its snapshot says.

//  RESULT, if not NULL, is the owner's, and newer.
static int pack_info (const snapshot_t *domain, uint64_t cpu_ns, const value_t *result, pack_t *ret)
{
    uint64_t memory = domain->balloon_kib ? domain->balloon_kib : domain->memory_kib;
    pack_key_i64 (ret, "state", domain->state);
    pack_key_u64 (ret, "maxMem", domain->max_memory_kib);
    pack_key_u64 (ret, "memory", value_get_u64 (result, "memory_kib", memory));
    pack_key_u64 (ret, "nrVirtCpu", domain->vcpus);
    pack_key_u64 (ret, "cpuTime", value_get_u64 (result, "cpu_ns", cpu_ns));
    return 0;
}

static int answer_info (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    const snapshot_t *domain = rpc_domain (call, err);
    return domain ? pack_info (domain, 0, result, ret) : -1;
}

//  The time that its processors took is read, or, of a guest that has no meter or has just ended,
//  asked of the owner.
static int answer_info_measured (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    uint64_t cpu_ns = 0;
    error_t ignored;
    const snapshot_t *domain = rpc_domain (call, err);
    if (!domain)
        return -1;
    if (domain->id <= 0 ||
        (domain->meter && meter_cpu_time (domain->meter, &cpu_ns, &ignored) == 0))
        return pack_info (domain, cpu_ns, result, ret);
    pack_t args;
    pack_init (&args);
    pack_map (&args);
    pack_key_str (&args, "domain", domain->uuid);
    pack_end (&args);
    int rc = rpc_ask (call, "domain.usage", &args, answer_info, err);
    pack_close (&args);
    return rc;
}

static int answer_active (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    const snapshot_t *domain = rpc_domain (call, err);
    if (domain)
        pack_key_bool (ret, "active", domain->id > 0);
    return domain ? 0 : -1;
}

//  virDomainXMLFlags: what migrates has its passwords.
static int prepare_xml (rpc_call_t *call, pack_t *args, error_t *err)
{
    enum {
        SECURE = 1,
        MIGRATABLE = 8
    };
    (void) err;
    if (value_get_u64 (call->args, "flags", 0) & (SECURE | MIGRATABLE))
        pack_key_bool (args, "security_info", true);
    return 0;
}

//  What stands before the domain itself, which libvirt does not keep: some clients expect nothing
//  else in what they get.
static const char *behind_comments (const char *text)
{
    const char *end;
    while (text_starts (text, "<!--") && (end = strstr (text, "-->"))) {
        text = end + strlen ("-->");
        text += strspn (text, " \t\n");
    }
    return text;
}

//  Without what only this guest of this daemon has.
static void make_migratable (xml_node_t *domain)
{
    xml_remove_path (domain, "@id");
    xml_foreach (device, xml_find (domain, "devices"), NULL)
        definition_drop_alias (device);
}

static int answer_xml (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    enum {
        UPDATE_CPU = 4,
        MIGRATABLE = 8
    };
    const char *text = value_get_str (result, "xml");
    uint64_t flags = value_get_u64 (call->args, "flags", 0);
    if (!(flags & (UPDATE_CPU | MIGRATABLE))) {
        pack_key_str (ret, "xml", behind_comments (text));
        return 0;
    }
    auto(xml_t) doc = xml_parse_own (text, strlen (text), "domain XML", err);
    if (!doc)
        return -1;
    if ((flags & UPDATE_CPU) && xml_equals (xml_root (doc), "cpu/@mode", "host-model"))
        return error_set (err, ERR_NO_SUPPORT,
                          "DOMAIN_GET_XML_DESC: not supported: what the CPU model of this host is "
                          "(update_cpu) is settled when the domain starts");
    if (flags & MIGRATABLE)
        make_migratable (xml_root (doc));
    autofree char *changed = xml_text (doc);
    pack_key_str (ret, "xml", behind_comments (changed));
    return 0;
}

//  What was changed since it began to run is in the definition, a document of its own: what runs is
//  as its document says.
static int answer_updated (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) result;
    if (!rpc_domain (call, err))
        return -1;
    pack_key_bool (ret, "updated", false);
    return 0;
}

//  Domains have no labels, and nothing that taints them is kept.

static int answer_security_label (rpc_call_t *call, const value_t *result, pack_t *ret,
                                  error_t *err)
{
    (void) call, (void) result, (void) err;
    pack_key_str (ret, "label", "");
    pack_key_bool (ret, "enforcing", false);
    return 0;
}

static int answer_security_labels (rpc_call_t *call, const value_t *result, pack_t *ret,
                                   error_t *err)
{
    (void) call, (void) result, (void) err;
    pack_key_array (ret, "labels");
    pack_end (ret);
    pack_key_i64 (ret, "ret", 0);
    return 0;
}

static int answer_messages (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) result, (void) err;
    pack_key_array (ret, "msgs");
    pack_end (ret);
    return 0;
}

//  Title, description and elements of others.

//  virDomainMetadataType
static int pack_type (const rpc_call_t *call, pack_t *args, error_t *err)
{
    static const char *const types[] = { "description", "title", "element" };
    uint64_t type = value_get_u64 (call->args, "type", UINT64_MAX);
    if (type >= sizeof types / sizeof *types)
        return error_set (err, ERR_INVALID_ARG, "%s: there is no type %lld",
                          call->entry->procedure->name,
                          (long long) value_get_i64 (call->args, "type", 0));
    pack_key_str (args, "type", types[type]);
    return 0;
}

static int prepare_metadata (rpc_call_t *call, pack_t *args, error_t *err)
{
    return pack_type (call, args, err);
}

static int prepare_get_metadata (rpc_call_t *call, pack_t *args, error_t *err)
{
    enum {
        LIVE = 1,
        CONFIG = 2
    };
    uint64_t flags = value_get_u64 (call->args, "flags", 0);
    const snapshot_t *domain = rpc_domain (call, err);
    if (!domain)
        return -1;
    if (flags == (LIVE | CONFIG))
        return error_set (err, ERR_INVALID_ARG,
                          "DOMAIN_GET_METADATA: live and config exclude each other");
    if ((flags & LIVE) && !rpc_running (call, err))
        return -1;
    return pack_type (call, args, err);
}

//  An element is given back as it was set: its namespace is known to who asks.
static int answer_metadata (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    const char *text = value_get_str (result, "metadata");
    const char *uri = value_get_str (call->args, "uri");
    if (!uri) {
        pack_key_str (ret, "metadata", text);
        return 0;
    }
    auto(xml_t) element = xml_parse_own (text, strlen (text), "metadata", err);
    if (!element)
        return -1;
    xml_leave_namespace (xml_root (element), uri);
    autofree char *plain = xml_text (element);
    plain[strlen (plain) - 1] = 0; //  the newline at its end
    pack_key_str (ret, "metadata", plain);
    return 0;
}

static int answer_renamed (rpc_call_t *call, const value_t *result, pack_t *ret, error_t *err)
{
    (void) call, (void) result, (void) err;
    pack_key_i64 (ret, "retcode", 0);
    return 0;
}

//  Life.

//  To libvirt's clients it is an error to resume what is not suspended.
static int prepare_resume (rpc_call_t *call, pack_t *args, error_t *err)
{
    (void) args;
    const snapshot_t *domain = rpc_domain (call, err);
    if (domain && domain->state == STATE_RUNNING)
        return error_set (err, ERR_OPERATION_INVALID, "resume domain '%s': it is already running",
                          domain->name);
    return domain ? 0 : -1;
}

//  virDomainShutdownFlagValues, which virDomainRebootFlagValues share.
static int prepare_mode (rpc_call_t *call, pack_t *args, error_t *err)
{
    static const char *const modes[] = {
        [1] = "acpi", [2] = "agent", [1 | 2] = "agent,acpi", [4] = "initctl", [8] = "signal",
    };
    uint64_t flags = value_get_u64 (call->args, "flags", 0);
    if (flags == 0)
        return 0;
    if (flags >= sizeof modes / sizeof *modes || !modes[flags])
        return error_set (err, ERR_INVALID_ARG, "%s: unsupported flags (0x%llx)",
                          call->entry->procedure->name, (unsigned long long) flags);
    pack_key_str (args, "mode", modes[flags]);
    return 0;
}

//  A guest that does not run can't do as it is asked.
static int prepare_shutdown (rpc_call_t *call, pack_t *args, error_t *err)
{
    const snapshot_t *domain = rpc_domain (call, err);
    if (domain && domain->state == STATE_PAUSED)
        return error_set (err, ERR_OPERATION_INVALID,
                          "shut down domain '%s': it is paused; resume it first", domain->name);
    return domain ? prepare_mode (call, args, err) : -1;
}

#define SHUTDOWN_FLAGS FLAGS ({ 15, NULL }) //  read by prepare_mode

const rpc_row_t rpc_rows_domain[] = {
    { "DOMAIN_LOOKUP_BY_NAME", .answer = answer_by_name },
    { "DOMAIN_LOOKUP_BY_UUID", .answer = answer_by_uuid },
    { "DOMAIN_LOOKUP_BY_ID", .answer = answer_by_id },
    { "DOMAIN_GET_INFO", .answer = answer_info_measured },
    { "DOMAIN_GET_STATE", .verb = "domain.state", .ret = "state reason" },
    { "DOMAIN_GET_OS_TYPE", .verb = "domain.info", .ret = "type=os_type" },
    { "DOMAIN_GET_MAX_MEMORY", .verb = "domain.info", .ret = "memory=max_memory_kib" },
    { "DOMAIN_GET_MAX_VCPUS", .verb = "domain.info", .ret = "num=max_vcpus" },
    { "DOMAIN_GET_XML_DESC", .verb = "domain.xml",
      .flags = FLAGS ({ 1 | 4 | 8, NULL }, { 2, "inactive" }), .prepare = prepare_xml,
      .answer = answer_xml },
    { "DOMAIN_IS_ACTIVE", .answer = answer_active },
    { "DOMAIN_IS_UPDATED", .answer = answer_updated },
    { "DOMAIN_IS_PERSISTENT", .verb = "domain.info", .ret = "persistent" },
    { "DOMAIN_GET_AUTOSTART", .verb = "domain.info", .ret = "autostart" },
    { "DOMAIN_HAS_MANAGED_SAVE_IMAGE", .verb = "domain.info", .ret = "result=managed_save" },
    { "DOMAIN_GET_METADATA", .verb = "domain.metadata_get", .args = "uri",
      .flags = FLAGS ({ 1, NULL }, { 2, "config" }), .prepare = prepare_get_metadata,
      .answer = answer_metadata },
    { "DOMAIN_SET_METADATA", .verb = "domain.metadata_set", .args = "value=metadata key uri",
      .flags = FLAGS ({ 1, "live" }, { 2, "config" }), .prepare = prepare_metadata },
    { "DOMAIN_RENAME", .verb = "domain.rename", .args = "name=new_name", .answer = answer_renamed },
    { "DOMAIN_GET_SECURITY_LABEL", .answer = answer_security_label },
    { "DOMAIN_GET_SECURITY_LABEL_LIST", .answer = answer_security_labels },
    { "DOMAIN_GET_MESSAGES", .flags = FLAGS ({ 3, NULL }), .answer = answer_messages },
    { "DOMAIN_DEFINE_XML", .verb = "domain.define", .args = "xml", .ret = "dom",
      .prepare = rpc_prepare_driver },
    { "DOMAIN_DEFINE_XML_FLAGS", .verb = "domain.define", .args = "xml", .ret = "dom",
      .flags = FLAGS ({ 1, "validate" }), .prepare = rpc_prepare_driver },
    { "DOMAIN_CREATE_XML", .verb = "domain.create_xml", .args = "xml=xml_desc", .ret = "dom",
      .flags = FLAGS ({ 1, "paused" }, { 2, NULL }, { 16, "validate" }),
      .prepare = rpc_prepare_driver, .heard = rpc_autodestroy_started },
    { "DOMAIN_CREATE", .verb = "domain.create" },
    { "DOMAIN_CREATE_WITH_FLAGS", .verb = "domain.create", .ret = "dom",
      .flags = FLAGS ({ 1, "paused" }, { 2, NULL }, { 8, "force_boot" }),
      .heard = rpc_autodestroy_started },
    { "DOMAIN_SHUTDOWN", .verb = "domain.shutdown", .prepare = prepare_shutdown },
    { "DOMAIN_SHUTDOWN_FLAGS", .verb = "domain.shutdown", .flags = SHUTDOWN_FLAGS,
      .prepare = prepare_shutdown },
    { "DOMAIN_REBOOT", .verb = "domain.reboot", .flags = SHUTDOWN_FLAGS, .prepare = prepare_mode },
    { "DOMAIN_RESET", .verb = "domain.reset" },
    { "DOMAIN_SUSPEND", .verb = "domain.suspend" },
    { "DOMAIN_RESUME", .verb = "domain.resume", .prepare = prepare_resume },
    { "DOMAIN_DESTROY", .verb = "domain.destroy" },
    { "DOMAIN_DESTROY_FLAGS", .verb = "domain.destroy", .flags = FLAGS ({ 1, "graceful" }) },
    { "DOMAIN_UNDEFINE", .verb = "domain.undefine" },
    { "DOMAIN_UNDEFINE_FLAGS", .verb = "domain.undefine",
      .flags = FLAGS ({ 1, "managed_save" }, { 2, "snapshots_metadata" }, { 4, "nvram" },
                      { 8, "keep_nvram" }, { 16, "checkpoints_metadata" }) },
    { "DOMAIN_SET_AUTOSTART", .verb = "domain.autostart", .args = "disable=!autostart" },
    { 0 },
};
