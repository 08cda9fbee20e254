//  test_sha256.c: the digest, against what coreutils' sha256sum says, whatever the pieces.

#include "unit.h"

#include "util/sha256.h"

static const struct {
    const char *text;
    size_t repeat;
    const char *digest;
} known[] = {
    { "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    { "a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
};

static void test_known (void **state)
{
    (void) state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        sha256_t sum;
        char text[SHA256_TEXT_SIZE];
        sha256_begin (&sum);
        for (size_t n = 0; n < known[i].repeat; n++)
            sha256_add (&sum, known[i].text, strlen (known[i].text));
        sha256_end (&sum, text);
        assert_string_equal (text, known[i].digest);
    }
}

static void test_pieces (void **state)
{
    (void) state;
    unsigned char bytes[300];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char) (i * 7);
    for (size_t size = 0; size <= sizeof bytes; size++) {
        char whole[SHA256_TEXT_SIZE], parts[SHA256_TEXT_SIZE];
        sha256_t sum;
        sha256_begin (&sum);
        sha256_add (&sum, bytes, size);
        sha256_end (&sum, whole);
        sha256_begin (&sum);
        sha256_add (&sum, bytes, size / 3);
        sha256_add (&sum, bytes + size / 3, size - size / 3);
        sha256_end (&sum, parts);
        assert_string_equal (whole, parts);
    }
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test (test_known),
        cmocka_unit_test (test_pieces),
    };
    return cmocka_run_group_tests (tests, NULL, NULL);
}
