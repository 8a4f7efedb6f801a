# The verb of the tree for plugins outside of it: find_package(bench) brings it.

# bench_plugin(ID SOURCES … LIBS …): the CPU flavour <id>.cpu.so of a plugin, in the folder of the build.
function(bench_plugin id)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  set(name plugin_${id}_cpu)
  add_library(${name} MODULE ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE bench::sdk ${ARG_LIBS})
  bench_shape_module(${name} ${id}.cpu)
endfunction()
