#pragma once
// What products make of a weight once and use until it is written: a layout of a library's own, an
// order a micro-kernel reads without gaps, a conversion to float.

#include <any>
#include <cstdint>

#include "kernels/cpu/scratch.h"

namespace bench::kernels {

// One form of a weight and the layout it is held in. A layout is a value that says all of how the
// bytes are to be read; another variant's is of another type.
class PreparedForm {
 public:
  // The weight in this layout: as held, or made by fill(memory of `bytes`).
  template <class Layout, class Fill>
  const void* in(const Layout& layout, size_t bytes, const Fill& fill) {
    const Layout* const held = std::any_cast<Layout>(&layout_);
    if (held == nullptr || !(*held == layout)) {
      layout_.reset();
      void* const memory = memory_.bytes(bytes);
      fill(memory);
      layout_ = layout;
      ++fills_;
    }
    return memory_.bytes(bytes);
  }

  void invalidate() { layout_.reset(); }
  int64_t fills() const { return fills_; }

 private:
  std::any layout_;  // empty: what the memory holds is not the weight
  cpu::Scratch memory_;
  int64_t fills_ = 0;
};

// Belongs to one weight and to who writes it: LinearForward and LinearInputGrad fill it at their
// first use, and read it, not the weight, until invalidate(). For one call at a time.
class PreparedWeights {
 public:
  // The weight was written.
  void invalidate() {
    forward.invalidate();
    input_grad.invalidate();
  }
  // How often a form was made: once for each after every invalidate(), where the variant makes any.
  int64_t fills() const { return forward.fills() + input_grad.fills(); }

  PreparedForm forward;     // of [in, out], the right factor of the forward product
  PreparedForm input_grad;  // of [out, in]
};

}  // namespace bench::kernels
