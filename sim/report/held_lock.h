#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>

// Several programs that write to one place.
namespace sim::report {

// An exclusive lock on a folder, until this ends or the process does. Where the file system knows no locks it
// is held by nobody, and everything goes on without.
class HeldLock {
 public:
  enum class Wait : std::uint8_t { yes, no };
  HeldLock() = default;
  HeldLock(const std::filesystem::path& folder, Wait wait);
  ~HeldLock();
  HeldLock(HeldLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  HeldLock& operator=(HeldLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

  bool is_held() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

}  // namespace sim::report
