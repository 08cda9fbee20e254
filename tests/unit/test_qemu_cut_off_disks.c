//  test_qemu_cut_off_disks.c: what is done with the disks of a guest is cut off at each of its
//  steps.

#include "cut_off.h"
#include "drivers/checkpoint.h"
#include "drivers/qemu/storage/qemu_block.h"
#include "drivers/snapshot_xml.h"

//  Checkpoints: known with all their bitmaps, or not at all.

static void prepare_checkpoint (void)
{
    prepare_guest ();
}

static int run_checkpoint (error_t *err)
{
    autofree char *name = NULL;
    checkpoint_options_t options = { .xml =
                                         "<domaincheckpoint><name>one</name></domaincheckpoint>" };
    return qemu_driver.checkpoint_create (job (), &options, &name, err);
}

static int run_checkpoint_delete (error_t *err)
{
    auto(strings_t) names = strings_new ();
    strings_add (names, "one");
    return qemu_driver.checkpoint_delete (job (), names, false, err);
}

static void check_checkpoint (void)
{
    bool known = checkpoint_find (guest ()->checkpoints, "one") != NULL;
    check (is_there () && real_guest_runs (&self));
    int count = count_in ("{\"execute\":\"query-named-block-nodes\",\"arguments\":{\"flat\":true}}",
                          "\"name\":\"one\"");
    check (count == (known ? 2 : 0));
}

static void forget_checkpoint (void)
{
    error_t err = { 0 };
    check_checkpoint ();
    if (checkpoint_find (guest ()->checkpoints, "one") && run_checkpoint_delete (&err))
        fail_msg ("%s: %s", death.where, err.message);
}

static void prepare_checkpoint_delete (void)
{
    error_t err = { 0 };
    prepare_guest ();
    if (!checkpoint_find (guest ()->checkpoints, "one") && run_checkpoint (&err))
        fail_msg ("%s", err.message);
}

static void test_checkpoint (void **state)
{
    (void) state;
    static const scenario_t taken = { prepare_checkpoint, run_checkpoint, forget_checkpoint,
                                      false };
    static const scenario_t deleted = { prepare_checkpoint_delete, run_checkpoint_delete,
                                        check_checkpoint, false };
    cut_off_everywhere (&taken);
    cut_off_everywhere (&deleted);
    end_guest ();
}

//  Backups: complete, or nothing of it is left.

static const char *backup_xml;

static int run_backup (error_t *err)
{
    backup_options_t options = { .xml = backup_xml, .now_s = 1 };
    return guest ()->backup || qemu_driver.backup_begin (job (), &options, err) == 0 ? 0 : -1;
}

static int run_push (error_t *err)
{
    return run_backup (err) || qemu_driver.backup_follow (job (), err) ||
                   qemu_driver.backup_end (job (), err)
               ? -1
               : 0;
}

static int run_pull (error_t *err)
{
    return run_backup (err) || qemu_driver.backup_end (job (), err) ? -1 : 0;
}

static void check_no_backup (void)
{
    check (is_there () && real_guest_runs (&self));
    check (count_in ("{\"execute\":\"query-jobs\"}", "\"id\"") == 0);
    check (count_in ("{\"execute\":\"query-block-exports\"}", "\"id\"") == 0);
    check (count_in ("{\"execute\":\"query-named-block-nodes\",\"arguments\":{\"flat\":true}}",
                     "\"backup-") == 0);
    check_nothing_left ();
    check (!guest ()->backup);
}

static void check_push (void)
{
    error_t err = { 0 };
    bool goes_on = guest ()->backup != NULL;
    bool over = goes_on || strcmp (death.where, "at the end") == 0;
    if (goes_on && run_push (&err))
        fail_msg ("%s: %s", death.where, err.message);
    check_no_backup ();
    check (has_file ("vda.1") == has_file ("vdb.1"));
    check (!over || has_file ("vda.1"));
    remove_file ("vda.1");
    remove_file ("vdb.1");
}

static void check_pull (void)
{
    error_t err = { 0 };
    if (guest ()->backup && run_pull (&err))
        fail_msg ("%s: %s", death.where, err.message);
    check_no_backup ();
    check (!has_file ("vda.1") && !has_file ("vdb.1") && !has_file ("nbd"));
}

static void test_backup (void **state)
{
    (void) state;
    static const scenario_t push = { prepare_guest, run_push, check_push, false };
    static const scenario_t pull = { prepare_guest, run_pull, check_pull, false };
    backup_xml = NULL;
    cut_off_everywhere (&push);
    autofree char *xml = text_format ("<domainbackup mode='pull'><server transport='unix' "
                                      "socket='%s/nbd'/></domainbackup>",
                                      self.real.root);
    backup_xml = xml;
    cut_off_everywhere (&pull);
    end_guest ();
}

//  Block jobs: QEMU has one that is on record, or there is none, and nothing of it.

static int image_number;

static char *copy_name (void)
{
    return text_format ("copy%d", image_number);
}

static const xml_node_t *block_job (void)
{
    return xml_find (xml_root (guest ()->record), "blockjob");
}

static int conclude (error_t *err)
{
    json_auto_t *news = json_array ();
    return qemu_driver.block->conclude (job (), news, err);
}

//  Until there is none, or it is ready and nobody has told it to end.
static void conclude_all (void)
{
    error_t err = { 0 };
    for (int i = 0; i < 3000; i++) {
        if (conclude (&err))
            fail_msg ("%s: %s", death.where, err.message);
        const xml_node_t *entry = block_job ();
        if (!entry ||
            (xml_equals (entry, "@ready", "yes") && xml_equals (entry, "@state", "running")))
            return;
        poll (NULL, 0, 10);
    }
    fail_msg ("%s: a block job neither gets ready nor ends", death.where);
}

static int end_copy (bool pivot, error_t *err)
{
    block_abort_t how = { .pivot = pivot };
    return qemu_driver.block->abort (job (), "vda", &how, err) || conclude (err) ? -1 : 0;
}

static int run_copy (error_t *err)
{
    autofree char *name = copy_name ();
    autofree char *path = real_guest_path (&self, name);
    block_start_t start = { .disk = "vda" };
    block_copy_t copy = { .path = path, .format = "qcow2" };
    return qemu_driver.block->copy (job (), &start, &copy, err);
}

static int run_pivot (error_t *err)
{
    return end_copy (true, err);
}

static int run_abort (error_t *err)
{
    return end_copy (false, err);
}

static void prepare_ready (void)
{
    error_t err = { 0 };
    prepare_guest ();
    image_number++;
    if (run_copy (&err))
        fail_msg ("%s", err.message);
    conclude_all ();
}

static void prepare_copy (void)
{
    prepare_guest ();
    image_number++;
}

static const char *image_of (const xml_t *document)
{
    const char *path = snapshot_disk_source (snapshot_find_disk (document, "vda"));
    return path ? strrchr (path, '/') + 1 : "";
}

//  What QEMU has, the guest's document and the definition say the same.
static void check_image (void)
{
    error_t err = { 0 };
    auto(qemu_disk_t) found = qemu_block_find (job (), "vda", &err);
    check (found && found->count > 0);
    const char *image = strrchr (found->chain[0].path, '/') + 1;
    check (strcmp (image, image_of (guest ()->live)) == 0);
    check (strcmp (image, image_of (guest ()->definition)) == 0);
    //  A node of each image and one of its file; vdb has one.
    check ((size_t) count_in ("{\"execute\":\"query-named-block-nodes\",\"arguments\":{\"flat\":"
                              "true}}",
                              "\"node-name\"") == 2 * (found->count + 1));
}

static void check_block (void)
{
    error_t err = { 0 };
    autofree char *name = copy_name ();
    check (is_there () && real_guest_runs (&self));
    conclude_all ();
    check (count_in ("{\"execute\":\"query-jobs\"}", "\"id\"") == (block_job () ? 1 : 0));
    if (block_job () && run_abort (&err))
        fail_msg ("%s: %s", death.where, err.message);
    check (!block_job ());
    check (count_in ("{\"execute\":\"query-jobs\"}", "\"id\"") == 0);
    check_image ();
    check_nothing_left ();
}

static void check_copy (void)
{
    autofree char *name = copy_name ();
    conclude_all ();
    check (has_file (name) == (block_job () != NULL));
    check_block ();
    remove_file (name);
}

static void test_block_job (void **state)
{
    (void) state;
    static const scenario_t copied = { prepare_copy, run_copy, check_copy, false };
    static const scenario_t pivoted = { prepare_ready, run_pivot, check_block, false };
    static const scenario_t aborted = { prepare_ready, run_abort, check_block, false };
    cut_off_everywhere (&copied);
    cut_off_everywhere (&aborted);
    cut_off_everywhere (&pivoted);
    end_guest ();
}

//  Snapshots: the tree has it, and so have the images; or neither.

static snapshot_tree_t *load_tree (char **path)
{
    error_t err = { 0 };
    *path = snapshot_tree_path (job ()->paths, "qemu", guest ()->uuid);
    snapshot_tree_t *tree = snapshot_tree_load (*path, &err);
    if (!tree)
        fail_msg ("%s: %s", death.where, err.message);
    return tree;
}

static int keep_documents (error_t *err)
{
    bool mine;
    if (job_write_definition (job (), err) || begin_step ("documents", "", &mine, err))
        return -1;
    put_text (&disk.live, guest ()->live);
    return end_step (0, mine, err);
}

//  Once it is taken, while the rest is written; QEMU had answered by then.
static struct {
    bool wanted, done;
} suspension;

static void suspend_at_once (job_t *each, bool status)
{
    (void) each, (void) status;
    if (!suspension.wanted || death.dead)
        return;
    free (real_guest_ask (&self, "{\"execute\":\"stop\"}", false));
    suspension.done = true;
}

static bool halts;

static int commit_halt (error_t *err)
{
    guest ()->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_FROM_SNAPSHOT };
    qemu_driver.note_end (guest ());
    if (job_commit (job (), err) == 0)
        return 0;
    guest ()->status = (guest_status_t){ STATE_RUNNING, RUNNING_BOOTED };
    qemu_driver.forget_end (job ());
    return -1;
}

//  As jobs_snapshot.c does it. MEMORY: where it goes to, XML.
static int take_snapshot (const char *memory, error_t *err)
{
    autofree char *path = NULL;
    autofree char *xml =
        text_format ("<domainsnapshot><name>one</name>%s</domainsnapshot>", memory);
    auto(xml_t) given = xml_parse (xml, strlen (xml), "snapshot XML", err);
    snapshot_basis_t basis = { .domain = guest ()->live,
                               .inactive = guest ()->definition,
                               .state = STATE_RUNNING,
                               .active = true,
                               .now_s = 1 };
    auto(xml_t) made = snapshot_xml_make (given, &basis, err);
    auto(snapshot_tree_t) tree = load_tree (&path);
    autofree char *folder = file_folder (path);
    if (!made || file_make_folders (folder, 0700, err) ||
        qemu_driver.snapshot_create (job (), xml_root (made), 0, err) ||
        snapshot_tree_add (tree, xml_root (made), false, err))
        return -1;
    snapshot_tree_set_current (tree, "one");
    autofree char *text = snapshot_tree_text (tree);
    if (job_write_file (job (), path, text, err) ||
        (snapshot_is_external (xml_root (made)) && keep_documents (err)) ||
        (halts ? commit_halt (err) : job_commit (job (), err)))
        return -1;
    qemu_driver.snapshot_taken (job ());
    if (halts && qemu_driver.destroy (job (), false, err))
        return -1;
    if (halts)
        guest ()->status = (guest_status_t){ STATE_SHUTOFF, SHUTOFF_FROM_SNAPSHOT };
    return 0;
}

static int run_internal (error_t *err)
{
    return take_snapshot ("", err);
}

static int run_with_memory (error_t *err)
{
    autofree char *memory =
        text_format ("<memory snapshot='external' file='%s/memory'/>", self.real.root);
    return take_snapshot (memory, err);
}

static int run_suspended (error_t *err)
{
    suspension.wanted = true;
    suspension.done = false;
    int rc = run_with_memory (err);
    suspension.wanted = false;
    return rc;
}

static int run_halted (error_t *err)
{
    halts = true;
    int rc = run_internal (err);
    halts = false;
    return rc;
}

static bool is_known (void)
{
    autofree char *path = NULL;
    auto(snapshot_tree_t) tree = load_tree (&path);
    return snapshot_tree_find (tree, "one") != NULL;
}

static int run_snapshot_delete (error_t *err)
{
    autofree char *path = NULL;
    auto(snapshot_tree_t) tree = load_tree (&path);
    if (qemu_driver.snapshot_delete (job (), tree, "one", true, err))
        return -1;
    return job_remove_file (job (), path, err);
}

static void prepare_snapshot_delete (void)
{
    error_t err = { 0 };
    prepare_guest ();
    if (!is_known () && run_internal (&err))
        fail_msg ("%s", err.message);
}

static void check_internal (void)
{
    check (is_there () && real_guest_runs (&self));
    int count = count_in ("{\"execute\":\"query-named-block-nodes\",\"arguments\":{\"flat\":true}}",
                          "\"name\":\"one\"");
    check (count == (is_known () ? 2 : 0));
    check (count_in ("{\"execute\":\"query-jobs\"}", "\"id\"") == 0);
}

static void forget_internal (void)
{
    error_t err = { 0 };
    check_internal ();
    if (is_known () && run_snapshot_delete (&err))
        fail_msg ("%s: %s", death.where, err.message);
}

//  From its commit on it is halted.
static void check_halted (void)
{
    if (is_there ()) {
        check (!strstr (disk.record, "<end"));
        forget_internal ();
        return;
    }
    check (is_known ());
    check (guest ()->status.state == STATE_SHUTOFF);
    check (guest ()->status.reason == SHUTOFF_FROM_SNAPSHOT);
    autofree char *path = NULL;
    auto(snapshot_tree_t) tree = load_tree (&path);
    unlink (path);
}

//  With other images the next time, if these are used.
static void check_external (void)
{
    check (has_file ("memory") == is_known ());
    check (is_there () && real_guest_runs (&self) != suspension.done);
    suspension.done = false;
    check_nothing_left ();
    check (has_file ("vda.one") == is_known () && has_file ("vdb.one") == is_known ());
    check (strcmp (image_of (guest ()->live), is_known () ? "vda.one" : "vda") == 0);
    check (strcmp (image_of (guest ()->definition), is_known () ? "vda.one" : "vda") == 0);
    if (!is_known ())
        return;
    autofree char *path = NULL;
    auto(snapshot_tree_t) tree = load_tree (&path);
    unlink (path);
    end_guest ();
    remove_file ("vda.one");
    remove_file ("vdb.one");
    remove_file ("memory");
}

static void test_snapshot (void **state)
{
    (void) state;
    static const scenario_t internal = { prepare_guest, run_internal, forget_internal, false };
    static const scenario_t deleted = { prepare_snapshot_delete, run_snapshot_delete,
                                        check_internal, false };
    static const scenario_t halted = { prepare_guest, run_halted, check_halted, false };
    static const scenario_t memory = { prepare_guest, run_with_memory, check_external, false };
    static const scenario_t suspended = { prepare_guest, run_suspended, check_external, false };
    cut_off_everywhere (&internal);
    cut_off_everywhere (&deleted);
    cut_off_each (&halted, KILLED_AFTER);
    cut_off_everywhere (&memory);
    self.ops.written = suspend_at_once;
    cut_off_each (&suspended, KILLED_AFTER);
    if (guest ()->name)
        end_guest ();
}
int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_checkpoint),
        cmocka_unit_test (test_backup),
        cmocka_unit_test (test_block_job),
        cmocka_unit_test (test_snapshot),
    };
    return cmocka_run_group_tests (tests, setup, teardown);
}
