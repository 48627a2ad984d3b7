#pragma once

#include <cstddef>
#include <vector>

namespace sim::metrics {

// An array that grows without moving what it holds: no doubling, so a million rows take what they take.
template <class T, std::size_t kChunk = 4096>
class Chunked {
 public:
  std::size_t size() const { return size_; }

  T& push_back(const T& value) {
    if (size_ % kChunk == 0) {
      chunks_.push_back(std::vector<T>());
      chunks_.back().reserve(kChunk);
    }
    chunks_.back().push_back(value);
    ++size_;
    return chunks_.back().back();
  }

  // REQUIRES: index < size()
  T& operator[](std::size_t index) { return chunks_[index / kChunk][index % kChunk]; }
  const T& operator[](std::size_t index) const { return chunks_[index / kChunk][index % kChunk]; }

 private:
  std::vector<std::vector<T>> chunks_;
  std::size_t size_ = 0;
};

}  // namespace sim::metrics
