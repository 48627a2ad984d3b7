#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace sim {

// An array that grows without moving what it holds: no doubling, so a million rows take what they take, and a
// reference into it stays good while it grows. Found by two loads, a shift and a mask. A value.
template <class T, std::size_t kChunk = 4096>
class Chunked {
  static_assert((kChunk & (kChunk - 1)) == 0, "a power of two");

 public:
  Chunked() = default;
  Chunked(const Chunked& other) : size_(other.size_) {
    chunks_.reserve(other.chunks_.size());
    for (const std::vector<T>& chunk : other.chunks_) {
      new_chunk();
      chunks_.back().insert(chunks_.back().end(), chunk.begin(), chunk.end());
    }
  }
  Chunked(Chunked&&) noexcept = default;
  Chunked& operator=(const Chunked& other) { return *this = Chunked(other); }
  Chunked& operator=(Chunked&&) noexcept = default;
  ~Chunked() = default;

  std::size_t size() const { return size_; }

  T& push_back(T value) {
    if (size_ % kChunk == 0) new_chunk();
    chunks_.back().push_back(std::move(value));
    ++size_;
    return chunks_.back().back();
  }

  // REQUIRES: index < size()
  T& operator[](std::size_t index) { return chunks_[index / kChunk][index % kChunk]; }
  const T& operator[](std::size_t index) const { return chunks_[index / kChunk][index % kChunk]; }

 private:
  void new_chunk() {
    chunks_.emplace_back();
    chunks_.back().reserve(kChunk);
  }

  std::vector<std::vector<T>> chunks_;
  std::size_t size_ = 0;
};

}  // namespace sim
