#   Benchmarks: built, never run by ctest.
find_package (Threads REQUIRED)
add_executable (bench_query tools/bench/bench_query.c)
target_link_libraries (bench_query PRIVATE troupe_actors Threads::Threads)
set_target_properties (bench_query PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
