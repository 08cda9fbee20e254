//  test_qemu_cut_off.c: what saves, restores, dumps or shows a guest is cut off at each of its
//  steps.

#include "cut_off.h"
#include "drivers/save_image.h"

//  Saving: the guest runs, or is in a file that can be restored; never both.

static int run_save (error_t *err)
{
    save_options_t options = { .go_on = GO_ON_AS_SAVED };
    autofree char *path = real_guest_path (&self, "a.save");
    return qemu_driver.save (job (), path, &options, err);
}

static void check_save (void)
{
    error_t err = { 0 };
    autofree char *path = real_guest_path (&self, "a.save");
    bool saved = has_file ("a.save");
    check (saved != is_there ());
    check_nothing_left ();
    if (!saved) {
        check (real_guest_runs (&self));
        check (guest ()->status.state == STATE_RUNNING);
        return;
    }
    auto(save_image_t) image = save_image_open (path, &err);
    check (image != NULL);
    check (guest ()->status.state == STATE_SHUTOFF && guest ()->status.reason == SHUTOFF_SAVED);
    unlink (path);
}

static void test_save (void **state)
{
    (void) state;
    static const scenario_t scenario = { prepare_guest, run_save, check_save, false };
    cut_off_everywhere (&scenario);
    end_guest ();
}

//  A managed save is used by a guest that is there, or is there itself.

static void prepare_restore (void)
{
    error_t err = { 0 };
    if (has_file ("a.save"))
        return;
    prepare_guest ();
    if (run_save (&err))
        fail_msg ("%s", err.message);
    real_guest_forget_live (&self);
}

static int run_restore (error_t *err)
{
    restore_options_t options = { .go_on = GO_ON_AS_SAVED, .remove = true };
    autofree char *path = real_guest_path (&self, "a.save");
    return qemu_driver.restore (job (), path, &options, err);
}

static void check_restore (void)
{
    check (has_file ("a.save") != is_there ());
    check_nothing_left ();
    check (is_there () == (guest ()->live != NULL));
}

static void test_restore (void **state)
{
    (void) state;
    static const scenario_t scenario = { prepare_restore, run_restore, check_restore, true };
    cut_off_everywhere (&scenario);
    end_guest ();
}

//  Dumps.

static dump_options_t dump_options;

static int run_dump (error_t *err)
{
    autofree char *path = real_guest_path (&self, "core");
    return qemu_driver.dump (job (), path, &dump_options, err);
}

static void check_dump (void)
{
    check_nothing_left ();
    if (dump_options.crash && !is_there ())
        check (has_file ("core") && guest ()->status.reason == SHUTOFF_CRASHED);
    else
        check (is_there () && real_guest_runs (&self) && guest ()->status.state == STATE_RUNNING);
    remove_file ("core");
}

static void test_dump (void **state)
{
    (void) state;
    static const scenario_t scenario = { prepare_guest, run_dump, check_dump, false };
    static const dump_options_t options[] = { { .live = false },
                                              { .memory_only = true },
                                              { .crash = true } };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        dump_options = options[i];
        cut_off_everywhere (&scenario);
    }
    end_guest ();
}
//  A picture is in a file for a moment only.

static int run_screenshot (error_t *err)
{
    screenshot_t shot;
    if (qemu_driver.screenshot (job (), NULL, 0, &shot, err))
        return -1;
    int rc = job_remove_file (job (), shot.path, err);
    free (shot.path);
    return rc;
}

static void check_screenshot (void)
{
    error_t err = { 0 };
    autofree char *folder = text_format ("%s/qemu", self.real.root);
    auto(strings_t) names = file_list (folder, ".screenshot", &err);
    check (names && names->count == 0);
    check (is_there () && real_guest_runs (&self));
}

static void test_screenshot (void **state)
{
    (void) state;
    static const scenario_t scenario = { prepare_guest, run_screenshot, check_screenshot, false };
    cut_off_everywhere (&scenario);
    end_guest ();
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_save),
        cmocka_unit_test (test_restore),
        cmocka_unit_test (test_dump),
        cmocka_unit_test (test_screenshot),
    };
    return cmocka_run_group_tests (tests, setup, teardown);
}
