//  test_lent.c: a copy of exactly the descriptor that was meant, or none.

#include "util/lent.h"

#include "unit.h"
#include "util/auto.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

static void a_copy_of_its_own (void **state)
{
    (void) state;
    error_t err;
    int ends[2];
    char byte = 0;
    assert_int_equal (socketpair (AF_UNIX, SOCK_STREAM, 0, ends), 0);
    autofree char *text = lent_text (ends[0]);
    assert_true (lent_is (text));
    int copy = lent_open (text, &err);
    assert_true (copy >= 0 && copy != ends[0]);
    assert_int_equal (fcntl (copy, F_GETFD), FD_CLOEXEC);
    close (ends[0]);
    assert_int_equal (write (copy, "x", 1), 1);
    assert_int_equal (read (ends[1], &byte, 1), 1);
    close (copy);
    close (ends[1]);
}

static void not_another_of_its_number (void **state)
{
    (void) state;
    error_t err;
    int ends[2];
    assert_int_equal (pipe (ends), 0);
    autofree char *text = lent_text (ends[0]);
    close (ends[0]);
    assert_int_equal (lent_open (text, &err), -1);
    assert_int_equal (err.code, ERR_OPERATION_ABORTED);
    int other = open ("/dev/null", O_RDONLY);
    assert_int_equal (dup2 (other, ends[0]), ends[0]);
    assert_int_equal (lent_open (text, &err), -1);
    close (ends[0]);
    close (ends[1]);
    close (other);
    assert_null (lent_text (ends[0]));
}

static void nonsense (void **state)
{
    (void) state;
    error_t err;
    assert_false (lent_is ("tap:3:vnet0"));
    assert_int_equal (lent_open ("lent:", &err), -1);
    assert_int_equal (lent_open ("lent:0", &err), -1);
    assert_int_equal (lent_open ("lent:-1:0:0", &err), -1);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (a_copy_of_its_own),
        cmocka_unit_test (not_another_of_its_number),
        cmocka_unit_test (nonsense),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
