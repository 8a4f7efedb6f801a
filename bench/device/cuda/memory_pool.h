#pragma once
// Memory that was released is kept and given again, so that cases may be opened and closed between
// samples without the driver's allocator, which waits for the device. Knows no CUDA: what it stands
// on is an interface.

#include <cstdint>
#include <limits>
#include <map>
#include <unordered_map>

namespace bench {

class MemoryPool {
 public:
  // Where memory comes from.
  class Source {
   public:
    virtual ~Source() = default;
    virtual void* take(uint64_t bytes) = 0;  // nullptr: there is none left
    virtual void give_back(void* memory) noexcept = 0;
    virtual void wait_idle() = 0;  // all work given to the device so far has finished
  };

  explicit MemoryPool(Source& source) : source_(source) {}
  ~MemoryPool();
  MemoryPool(const MemoryPool&) = delete;
  MemoryPool& operator=(const MemoryPool&) = delete;

  // Content undefined. What was released while work on it may have been under way is given again
  // only when that has finished. nullptr: not there, although everything kept was given back.
  void* allocate(uint64_t bytes);
  // False: not from here, or released before.
  bool release(void* memory) noexcept;
  // Gives what is not in use back to the source.
  void trim();
  // More than that is not kept: libraries take memory beside the pool.
  void keep_at_most(uint64_t bytes) { most_kept_ = bytes; }

  uint64_t in_use() const { return in_use_; }  // rounded up as the source would
  uint64_t peak_in_use() const { return peak_; }
  void reset_peak() { peak_ = in_use_; }
  uint64_t reserved() const { return reserved_; }

  static uint64_t rounded(uint64_t bytes);

 private:
  struct Block {
    uint64_t bytes = 0;  // the source's
    uint64_t asked = 0;  // rounded; 0: not in use
  };

  void* reuse(uint64_t asked);
  void* take(uint64_t asked);
  void try_to_trim() noexcept;
  void* begin_use(void* memory, Block& block, uint64_t asked);

  Source& source_;
  std::unordered_map<void*, Block> blocks_;
  std::multimap<uint64_t, void*> kept_;  // by size
  bool touched_ = false;                 // something was kept since the device was last idle
  uint64_t in_use_ = 0, peak_ = 0, reserved_ = 0;
  uint64_t kept_bytes_ = 0, most_kept_ = std::numeric_limits<uint64_t>::max();
};

}  // namespace bench
