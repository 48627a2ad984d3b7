#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "observe/names.h"

namespace sim::workload {

// The bytes of an order's key: a recorded one, or "user-<number>", without touching the heap.
class OrderKey {
 public:
  OrderKey(std::int64_t number, const std::vector<std::string>* recorded) {
    if (number >= observe::kFirstRecordedKey) {
      recorded_ = (*recorded)[static_cast<std::size_t>(number - observe::kFirstRecordedKey)];
      return;
    }
    std::copy(kPrefix.begin(), kPrefix.end(), text_.begin());
    const auto end = std::to_chars(text_.data() + kPrefix.size(), text_.data() + text_.size(), number).ptr;
    size_ = static_cast<std::size_t>(end - text_.data());
  }
  std::string_view view() const {
    return recorded_.empty() ? std::string_view{text_.data(), size_} : recorded_;
  }

 private:
  static constexpr std::string_view kPrefix = "user-";
  std::string_view recorded_{};
  std::array<char, 32> text_{};
  std::size_t size_ = 0;
};

}  // namespace sim::workload
