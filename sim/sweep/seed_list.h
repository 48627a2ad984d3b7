#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Seeds as one writes them: "1-1000", "7", "1-100,500,900-1000".
namespace sim::sweep {

inline constexpr std::uint64_t kMostSeeds = 100'000'000;

class SeedList {
 public:
  // nullopt, and why not, if it is no such list or holds a seed twice.
  static std::optional<SeedList> read(std::string_view text, std::string& why_not);

  std::uint64_t size() const { return size_; }
  // In the order in which they were written. REQUIRES: index < size()
  std::uint64_t operator[](std::uint64_t index) const;
  bool contains(std::uint64_t seed) const;
  std::string text() const;

 private:
  struct Range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
  };
  std::vector<Range> ranges_;
  std::uint64_t size_ = 0;
};

// One part of so many equal ones. Written "2/8"; the whole is 1/1.
struct Shard {
  std::uint32_t number = 1;  // from 1
  std::uint32_t of = 1;

  static std::optional<Shard> read(std::string_view text, std::string& why_not);
  bool is_whole() const { return of == 1; }
  std::string text() const { return std::to_string(number) + "/" + std::to_string(of); }
  // Of the seeds in their order: the first, the one `of` places further on, ...
  bool holds(std::uint64_t index) const { return index % of == number - 1; }
};

}  // namespace sim::sweep
