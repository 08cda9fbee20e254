#   Tests in a virtual machine with real PCI devices (tests/lab/run): each file test_*.py is one test,
#   and one start of that machine. Where its packages can't be had they are skipped, and say so.
file (GLOB lab_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/test_*.py)
if (TROUPE_PYTHON AND TARGET trouped AND TARGET troupe_command)
    add_test (NAME lab_emulator COMMAND ${TROUPE_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/emulator.py)
    set_tests_properties (lab_emulator PROPERTIES LABELS lab FIXTURES_SETUP lab_emulator
        TIMEOUT 300 ENVIRONMENT "TROUPE_BIN=${CMAKE_BINARY_DIR}/bin;PYTHONDONTWRITEBYTECODE=1")
    foreach (source IN LISTS lab_tests)
        get_filename_component (name ${source} NAME_WE)
        add_test (NAME lab_${name} COMMAND ${CMAKE_CURRENT_LIST_DIR}/run --seconds 900
            ${TROUPE_PYTHON} -m unittest -v ${name} WORKING_DIRECTORY ${CMAKE_CURRENT_LIST_DIR})
        set_tests_properties (lab_${name} PROPERTIES LABELS lab FIXTURES_REQUIRED lab_emulator TIMEOUT 1500 SKIP_RETURN_CODE 77
            ENVIRONMENT "TROUPE_BIN=${CMAKE_BINARY_DIR}/bin;TROUPE_SANITIZE=${TROUPE_SANITIZE};PYTHONDONTWRITEBYTECODE=1")
    endforeach ()
endif ()
