#   Short runs of the storms, each time with the same seed, which is printed; longer ones, and others
#   (TROUPE_STRESS_SEED), by hand (stress/storm.py --seconds 600, stress/containers.py).
set (stress_storm --seconds 10)
set (stress_chaos --seconds 10)
set (stress_containers --containers 24 --rounds 5)
foreach (name IN ITEMS storm chaos containers)
    if (TROUPE_PYTHON AND TARGET trouped AND TARGET troupe_command)
        add_test (NAME stress_${name}
            COMMAND ${TROUPE_PYTHON} ${CMAKE_CURRENT_LIST_DIR}/${name}.py ${stress_${name}})
        set_tests_properties (stress_${name} PROPERTIES LABELS stress TIMEOUT 600
            ENVIRONMENT "TROUPE_BIN=${CMAKE_BINARY_DIR}/bin;PYTHONDONTWRITEBYTECODE=1")
    endif ()
endforeach ()
