# Installed with the package: what makes a library one that `bench` opens at run time.

# bench_shape_module(TARGET file-name): <file-name>.so, which exports its entry symbol and nothing else (without the
# map the C++ library's templates would be exported too), and in which nothing stays unresolved.
function(bench_shape_module target output)
  set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/exports.map)
  set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${output} SUFFIX ".so"
                                             C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden
                                             VISIBILITY_INLINES_HIDDEN ON LINK_DEPENDS ${map})
  target_link_options(${target} PRIVATE -Wl,--exclude-libs,ALL -Wl,--version-script=${map})
  if(NOT BENCH_SANITIZE)
    target_link_options(${target} PRIVATE -Wl,-z,defs)
  endif()
endfunction()
