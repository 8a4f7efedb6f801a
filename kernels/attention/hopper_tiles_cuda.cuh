#pragma once
// What the kernels of attention for Hopper include.

#include "kernels/attention/tile_products_cuda.cuh"
#include "kernels/cuda/hopper_tiles.cuh"
