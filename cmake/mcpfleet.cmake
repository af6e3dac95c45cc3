# How a folder becomes a library or a test. One way for all of them.
include_guard()

# Warnings are errors; nlohmann's implicit conversions are off so that a wrong type is a compile error.
add_library(mcpfleet_flags INTERFACE)
target_include_directories(mcpfleet_flags INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
target_compile_options(mcpfleet_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                       -Wold-style-cast -Woverloaded-virtual -Wundef -Werror)
target_compile_definitions(mcpfleet_flags INTERFACE JSON_USE_IMPLICIT_CONVERSIONS=0
                           MCPFLEET_VERSION="${PROJECT_VERSION}")
# A designated initializer that leaves members at their declared defaults is how options are written here.
target_compile_options(mcpfleet_flags INTERFACE -Wno-missing-field-initializers)
# GCC 12 reports these from inside Boost's and the standard library's own inlined code at -O2.
target_compile_options(mcpfleet_flags INTERFACE
                       $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized -Wno-restrict>)

# mcpfleet_library(NAME [PURE] SOURCES file... [LINK library...])
# PURE: decides, and touches nothing. It may link nlohmann_json, base and other PURE libraries only.
function(mcpfleet_library name)
  cmake_parse_arguments(ARG "PURE" "" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC mcpfleet_flags ${ARG_LINK})
  if(ARG_PURE)
    set_property(GLOBAL APPEND PROPERTY MCPFLEET_PURE ${name})
    get_property(pure GLOBAL PROPERTY MCPFLEET_PURE)
    foreach(dependency IN LISTS ARG_LINK)
      if(NOT dependency IN_LIST pure AND NOT dependency MATCHES "^(base|nlohmann_json::nlohmann_json)$")
        message(FATAL_ERROR "${name} is PURE and must not link ${dependency}")
      endif()
    endforeach()
  endif()
endfunction()

# mcpfleet_test(NAME SOURCES file... LINK library...): one GoogleTest program, each of its tests a ctest of level `unit`.
function(mcpfleet_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE mcpfleet_flags ${ARG_LINK} GTest::gtest GTest::gmock GTest::gtest_main)
  include(GoogleTest)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS unit TIMEOUT 60)
endfunction()
