#   Short runs of the storms; longer ones by hand (stress/storm.py --seconds 600). A seed of its own
#   each time, which is printed.
foreach (name IN ITEMS storm chaos)
    if (TROUPE_PYTHON AND TARGET trouped AND TARGET troupe_command)
        add_test (NAME stress_${name}
            COMMAND ${TROUPE_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/${name}.py --seconds 10)
        set_tests_properties (stress_${name} PROPERTIES LABELS stress TIMEOUT 600
            ENVIRONMENT "TROUPE_BIN=${CMAKE_BINARY_DIR}/bin;PYTHONDONTWRITEBYTECODE=1")
    endif ()
endforeach ()
