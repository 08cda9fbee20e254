#   Tests from outside: each file tests/integration/test_*.py is one test, which starts the daemons
#   that it needs. python3-zmq and python3-msgpack are Debian's, so its python3 is taken.
find_program (TROUPE_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
file (GLOB integration_tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/test_*.py)
if (TROUPE_PYTHON AND TARGET trouped AND TARGET troupe_command)
    foreach (source IN LISTS integration_tests)
        get_filename_component (name ${source} NAME_WE)
        add_test (NAME integration_${name} COMMAND ${TROUPE_PYTHON} -m unittest -v ${name}
            WORKING_DIRECTORY ${CMAKE_CURRENT_LIST_DIR})
        set_tests_properties (integration_${name} PROPERTIES LABELS integration TIMEOUT 1500
            ENVIRONMENT "TROUPE_BIN=${CMAKE_BINARY_DIR}/bin;TROUPE_SANITIZE=${TROUPE_SANITIZE};PYTHONDONTWRITEBYTECODE=1")
    endforeach ()
endif ()

#   What a newcomer runs first, with what is built here.
if (TARGET trouped AND TARGET troupe_command)
    add_test (NAME integration_quickstart COMMAND ${CMAKE_SOURCE_DIR}/tools/quickstart --test)
    set_tests_properties (integration_quickstart PROPERTIES LABELS integration TIMEOUT 300
        ENVIRONMENT "TROUPE_BIN=${CMAKE_BINARY_DIR}/bin")
endif ()
