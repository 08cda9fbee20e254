//  test_procedures.c: what clients call the procedures that nothing serves.

#include "msg/xdr/procedures.h"

#include "util/auto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void test_names_of_the_api (void **state)
{
    (void) state;
    static const struct {
        uint32_t program;
        const char *name, *api;
    } rows[] = {
        { PROGRAM_REMOTE, "CONNECT_NUM_OF_NWFILTERS", "virConnectNumOfNWFilters" },
        { PROGRAM_REMOTE, "NWFILTER_BINDING_CREATE_XML", "virNWFilterBindingCreateXML" },
        { PROGRAM_REMOTE, "STORAGE_POOL_LOOKUP_BY_UUID", "virStoragePoolLookupByUUID" },
        { PROGRAM_REMOTE, "NODE_GET_SEV_INFO", "virNodeGetSEVInfo" },
        { PROGRAM_REMOTE, "DOMAIN_FD_ASSOCIATE", "virDomainFDAssociate" },
        { PROGRAM_QEMU, "DOMAIN_ATTACH", "virDomainQemuAttach" },
        { PROGRAM_LXC, "DOMAIN_OPEN_NAMESPACE", "virDomainLxcOpenNamespace" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const procedure_t *procedure = procedure_named (rows[i].program, rows[i].name);
        assert_non_null (procedure);
        autofree char *api = procedure_api (procedure);
        assert_string_equal (api, rows[i].api);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test (test_names_of_the_api) };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
