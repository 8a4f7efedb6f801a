# cuDNN and the headers of its graph API, which come apart from it (scripts/setup.sh gets them). Sets BENCH_HAS_CUDNN;
# then the target bench_cudnn has both.

find_path(BENCH_CUDNN_FRONTEND cudnn_frontend.h HINTS ${CMAKE_SOURCE_DIR}/build/cudnn_frontend/include
          DOC "Folder that holds cudnn_frontend.h")
find_path(BENCH_CUDNN_INCLUDE cudnn_graph.h HINTS ${CUDAToolkit_INCLUDE_DIRS} DOC "Folder that holds cudnn_graph.h")
find_library(BENCH_CUDNN_LIBRARY cudnn HINTS ${CUDAToolkit_LIBRARY_DIR} DOC "cuDNN")
set(BENCH_HAS_CUDNN OFF)

if(NOT BENCH_CUDNN_INCLUDE OR NOT BENCH_CUDNN_LIBRARY)
  message(STATUS "cuDNN was not found: attention is built without it")
elseif(NOT BENCH_CUDNN_FRONTEND)
  message(STATUS "cudnn_frontend.h was not found: attention is built without cuDNN; -DBENCH_CUDNN_FRONTEND=DIR says "
                 "where it is")
else()
  add_library(bench_cudnn INTERFACE)
  target_include_directories(bench_cudnn SYSTEM INTERFACE ${BENCH_CUDNN_FRONTEND} ${BENCH_CUDNN_INCLUDE})
  # Its JSON would only double the time that its headers take to compile.
  target_compile_definitions(bench_cudnn INTERFACE CUDNN_FRONTEND_SKIP_JSON_LIB)
  target_link_libraries(bench_cudnn INTERFACE ${BENCH_CUDNN_LIBRARY} CUDA::nvrtc)
  set(BENCH_HAS_CUDNN ON)
endif()
