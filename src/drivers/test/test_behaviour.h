//  test_behaviour.h: how a simulated guest behaves, by an element of its definition:
//
//      <test:behaviour xmlns:test='https://troupe.dev/xml/test/1'>
//        <test:delay op='start' ms='100'/>                  the operation takes so much longer
//        <test:fault op='start' step='2' message='...'/>    it fails; at start in step 1, 2 or 3
//        <test:shutdown ignores='yes'/>                     as guests without ACPI do; or
//        <test:shutdown after_ms='2000'/>                   how long shutting down takes
//        <test:crash after_ms='500'/>                       counted while it runs
//      </test:behaviour>
//
//  Operations: complete, start, shutdown, reboot, reset, suspend, resume, destroy, adopt, info,
//  console, save, restore, snapshot, written (what a snapshot still does once the
//  memory is), revert, delete (of a snapshot). A step of start fails when its effect is there, so
//  that there is something to undo.

#ifndef TROUPE_TEST_BEHAVIOUR_H
#define TROUPE_TEST_BEHAVIOUR_H

#include "drivers/job.h"

#define TEST_NAMESPACE "https://troupe.dev/xml/test/1"
#define TEST_STEPS 3

//  ERR_XML_ERROR or ERR_CONFIG_UNSUPPORTED when DOMAIN asks for what there is not.
int test_behaviour_check (const xml_node_t *domain, error_t *err);

//  Waits as OP's delays say, then fails if there is a fault for it. STEP 0: the operation itself.
int test_behave (job_t *job, const xml_t *document, const char *op, int step, error_t *err);
//  The same of the guest that the job is about.
int test_behave_guest (job_t *job, const char *op, error_t *err);
//  Only the fault, where nothing can wait.
int test_fault (const xml_t *document, const char *op, int step, error_t *err);

typedef struct {
    bool ignores_shutdown;
    int shutdown_ms;
    int crash_ms; //  -1: it does not
} test_nature_t;
test_nature_t test_nature (const xml_t *document);

#endif
