//  test_qemu_block.c: the images behind the disks of a real guest.

#include "drivers/qemu/storage/qemu_block.h"
#include "real_guest.h"

//  A guest on hold whose disk vda has three images: top, middle, base.
static void start_guest (void)
{
    if (system ("command -v qemu-img >/dev/null"))
        skip ();
    make_image ("base 8M");
    make_image ("-b base -F qcow2 middle");
    make_image ("-b middle -F qcow2 top");
    autofree char *disks = text_format (
        "<disk><source file='%s/top'/><target dev='vda'/><driver type='qcow2' cache='none'/></disk>"
        "<disk device='cdrom'><target dev='hdc'/></disk>",
        self.real.root);
    real_guest_start (&self, disks, START_PAUSED);
}

static void end_guest (void)
{
    static const char *const names[] = { "base", "middle", "top", "new" };
    real_guest_end (&self);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        autofree char *path = real_guest_path (&self, names[i]);
        unlink (path);
    }
}

static qemu_disk_t *find (const char *name)
{
    error_t err = { 0 };
    qemu_disk_t *disk = qemu_block_find (job (), name, &err);
    if (!disk)
        fail_msg ("%s", err.message);
    return disk;
}

static void assert_ends (const char *path, const char *name)
{
    assert_non_null (path);
    assert_string_equal (strrchr (path, '/') + 1, name);
}

static void test_a_chain_as_qemu_has_it (void **state)
{
    (void) state;
    static const char *const names[] = { "top", "middle", "base" };
    start_guest ();
    auto(qemu_disk_t) disk = find ("vda");
    assert_int_equal (disk->count, 3);
    assert_string_equal (disk->root, "disk-vda");
    assert_string_equal (disk->chain[0].node, "disk-vda");
    assert_non_null (strstr (disk->qdev, "virtio-disk0"));
    for (size_t i = 0; i < 3; i++) {
        assert_ends (disk->chain[i].path, names[i]);
        assert_string_equal (disk->chain[i].format, "qcow2");
        assert_int_equal (disk->chain[i].capacity, 8 << 20);
        assert_false (disk->chain[i].block);
        assert_int_equal (qemu_disk_index (disk, disk->chain[i].path), i);
    }
    assert_int_equal (qemu_disk_index (disk, "vda[2]"), 2);
    assert_int_equal (qemu_disk_index (disk, "vda[3]"), 3);
    assert_int_equal (qemu_disk_index (disk, "vda[x]"), 3);
    assert_int_equal (qemu_disk_index (disk, "/nowhere"), 3);
    auto(qemu_disk_t) by_path = find (disk->chain[0].path);
    assert_string_equal (by_path->target, "vda");
    auto(qemu_disk_t) empty = find ("hdc");
    assert_int_equal (empty->count, 0);
    end_guest ();
}

static void test_an_unknown_disk (void **state)
{
    (void) state;
    error_t err = { 0 };
    start_guest ();
    assert_null (qemu_block_find (job (), "vdb", &err));
    assert_int_equal (err.code, ERR_INVALID_ARG);
    assert_non_null (strstr (err.message, "no disk 'vdb'; it has: vda, hdc"));
    end_guest ();
}

static void create (const qemu_create_t *new)
{
    error_t err = { 0 };
    qemu_inode_t inode;
    auto(qemu_disk_t) disk = find ("vda");
    if (qemu_block_new_file (job (), new->node.path, 0, inode, &err) ||
        qemu_block_name_file (job (), new->node.path, &err) ||
        qemu_block_create (job (), disk->element, new, &err))
        fail_msg ("%s", err.message);
}

static void test_a_new_image_and_its_end (void **state)
{
    (void) state;
    error_t err = { 0 };
    start_guest ();
    autofree char *path = real_guest_path (&self, "new"), *base = real_guest_path (&self, "base");
    autofree char *name = qemu_block_name (job (), "vda", &err);
    assert_string_equal (name, "disk-vda-1");
    create (&(qemu_create_t){ .node = { .node = name, .path = path, .format = "qcow2" },
                              .capacity = 8 << 20,
                              .backing_path = base,
                              .backing_format = "qcow2" });
    autofree char *next = qemu_block_name (job (), "vda", &err);
    assert_string_equal (next, "disk-vda-2");
    autofree char *nodes =
        real_guest_ask (&self, "{\"execute\":\"query-named-block-nodes\"}", false);
    assert_non_null (strstr (nodes, "\"disk-vda-1\""));
    assert_non_null (strstr (nodes, "/new"));
    //  Twice, as an undo may be.
    assert_int_equal (undo_run (job (), "qemu.node", name, &err), 0);
    assert_int_equal (undo_run (job (), "qemu.node", name, &err), 0);
    autofree char *again = qemu_block_name (job (), "vda", &err);
    assert_string_equal (again, "disk-vda-1");
    assert_int_equal (qemu_block_remove (job (), "disk-vda", &err), -1);
    assert_non_null (strstr (err.message, "remove the node 'disk-vda'"));
    end_guest ();
}

static void test_a_file_that_is_there_is_kept (void **state)
{
    (void) state;
    error_t err = { 0 };
    qemu_inode_t inode;
    start_guest ();
    autofree char *path = real_guest_path (&self, "middle");
    assert_int_equal (qemu_block_new_file (job (), path, 0, inode, &err), 0);
    assert_int_equal (qemu_block_name_file (job (), path, &err), -1);
    assert_non_null (strstr (err.message, "exists already"));
    autofree char *undo = text_format ("%s:%s", inode, path);
    assert_int_equal (undo_run (job (), "qemu.image", undo, &err), 0);
    assert_int_equal (access (path, F_OK), 0);
    assert_int_equal (real_guest_count (&self, ".troupe"), 0);
    end_guest ();
}

static void test_the_file_of_a_new_image_is_removed (void **state)
{
    (void) state;
    error_t err = { 0 };
    qemu_inode_t inode;
    start_guest ();
    autofree char *path = real_guest_path (&self, "new");
    autofree char *early = text_format (":%s", path);
    assert_int_equal (qemu_block_new_file (job (), path, 4096, inode, &err), 0);
    assert_int_equal (undo_run (job (), "qemu.image", early, &err), 0);
    assert_int_equal (real_guest_count (&self, ".troupe"), 0);
    assert_int_equal (qemu_block_new_file (job (), path, 4096, inode, &err), 0);
    assert_int_equal (qemu_block_name_file (job (), path, &err), 0);
    autofree char *undo = text_format ("%s:%s", inode, path);
    assert_int_equal (undo_run (job (), "qemu.image", undo, &err), 0);
    assert_int_equal (access (path, F_OK), -1);
    assert_int_equal (undo_run (job (), "qemu.image", "nonsense", &err), -1);
    end_guest ();
}

//  What is written is understood by the next start.
static void test_the_document_of_a_chain (void **state)
{
    (void) state;
    error_t err = { 0 };
    start_guest ();
    auto(qemu_disk_t) disk = find ("vda");
    xml_node_t *defined = qemu_block_element (guest_of (&self)->definition, "vda");
    qemu_block_write (defined, disk->chain + 1, 2);
    assert_ends (xml_string (defined, "source/@file"), "middle");
    assert_ends (xml_string (defined, "backingStore/source/@file"), "base");
    assert_string_equal (xml_string (defined, "backingStore/format/@type"), "qcow2");
    assert_non_null (xml_find (defined, "backingStore/backingStore"));
    if (qemu_driver.complete (job (), guest_of (&self)->definition, &err))
        fail_msg ("%s", err.message);
    auto(xml_t) kept = xml_copy (guest_of (&self)->definition);
    error_t ignored = { 0 };
    qemu_driver.destroy (job (), false, &ignored);
    real_guest_forget_live (&self);
    if (qemu_driver.start (job (), START_PAUSED, &err))
        fail_msg ("%s", err.message);
    auto(qemu_disk_t) now = find ("vda");
    assert_int_equal (now->count, 2);
    assert_ends (now->chain[0].path, "middle");
    assert_string_equal (now->chain[1].node, "disk-vda-1");
    end_guest ();
}

static void test_one_job_a_disk (void **state)
{
    (void) state;
    error_t err = { 0 };
    fake_job_t fake;
    fake_job_init (&fake, "/nowhere");
    fake.guest.name = "web";
    static const char record[] = "<driver><blockjob disk='vda' type='copy'/></driver>";
    fake.guest.record = xml_parse (record, strlen (record), "record", &err);
    assert_int_equal (qemu_block_check_idle (&fake.guest, "vdb", "copy", &err), 0);
    assert_int_equal (qemu_block_check_idle (&fake.guest, NULL, "save", &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_INVALID);
    assert_string_equal (err.message,
                         "save: the disk 'vda' of domain 'web' is being copied: wait for its end, "
                         "or abort it with 'troupe blockjob web vda --abort'");
    xml_destroy (&fake.guest.record);
}

int main (void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_a_chain_as_qemu_has_it),
        cmocka_unit_test (test_an_unknown_disk),
        cmocka_unit_test (test_a_new_image_and_its_end),
        cmocka_unit_test (test_a_file_that_is_there_is_kept),
        cmocka_unit_test (test_the_file_of_a_new_image_is_removed),
        cmocka_unit_test (test_the_document_of_a_chain),
        cmocka_unit_test (test_one_job_a_disk),
    };
    return cmocka_run_group_tests (tests, setup_guest, teardown_guest);
}
