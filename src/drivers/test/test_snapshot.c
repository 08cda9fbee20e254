//  test_snapshot.c: snapshots of simulated guests. They have no disks that could change; what is
//  kept of a guest is how long it ran, in the snapshot's <cookie>.

#include "drivers/snapshot_xml.h"
#include "drivers/test/test_behaviour.h"
#include "drivers/test/test_driver.h"

#include <string.h>

static int check_internal (const xml_node_t *snapshot, error_t *err)
{
    if (!snapshot_is_external (snapshot))
        return 0;
    return error_set (err, ERR_OPERATION_UNSUPPORTED,
                      "not supported: external snapshots of a simulated guest");
}

int test_snapshot_create (job_t *job, xml_node_t *snapshot, unsigned flags, error_t *err)
{
    (void) flags;
    int64_t ran;
    bool running;
    guest_t *guest = job->guest;
    if (check_internal (snapshot, err))
        return -1;
    if (job_record (job, err))
        return -1;
    job_progress (job, &(job_progress_t){ .step = "snapshot" });
    if (test_behave (job, guest->live ? guest->live : guest->definition, "snapshot", 0, err))
        return -1;
    if (!guest->live)
        return 0;
    if (test_how_it_runs (job, &ran, &running, err))
        return -1;
    xml_set_u64 (snapshot, "cookie/@ran", (uint64_t) ran);
    job_written (job, true);
    return test_behave (job, guest->live, "written", 0, err);
}

int test_snapshot_check (job_t *job, const xml_node_t *snapshot, error_t *err)
{
    (void) job;
    return check_internal (snapshot, err);
}

int test_snapshot_apply (job_t *job, const xml_node_t *snapshot, error_t *err)
{
    (void) snapshot;
    return test_behave (job, job->guest->definition, "revert", 0, err);
}

int test_snapshot_start (job_t *job, const xml_node_t *snapshot, const xml_t *document,
                         error_t *err)
{
    uint64_t ran = 0;
    if (xml_u64 (snapshot, "cookie/@ran", &ran, err) ||
        test_behave (job, document, "revert", 0, err))
        return -1;
    return test_start_from (job, document, false, (int64_t) ran, err);
}

int test_snapshot_delete (job_t *job, snapshot_tree_t *tree, const char *name, bool last,
                          error_t *err)
{
    (void) last;
    const guest_t *guest = job->guest;
    if (check_internal (snapshot_tree_find (tree, name), err))
        return -1;
    return test_behave (job, guest->live ? guest->live : guest->definition, "delete", 0, err);
}
