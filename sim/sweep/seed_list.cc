#include "sweep/seed_list.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/check.h"

namespace sim::sweep {
namespace {

std::optional<std::uint64_t> whole(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  const auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (error != std::errc{} || stopped != end || text.empty() || value > most) return std::nullopt;
  return value;
}

}  // namespace

std::optional<SeedList> SeedList::read(std::string_view text, std::string& why_not) {
  SeedList list;
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    const std::size_t dash = part.find('-');
    const auto first = whole(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : whole(part.substr(dash + 1));
    if (!first || !last) {
      why_not = "\"" + std::string(part) + "\" is neither a seed nor two with a dash between them";
      return std::nullopt;
    }
    if (*first > *last) {
      why_not = "\"" + std::string(part) + "\" ends before it begins";
      return std::nullopt;
    }
    for (const Range& range : list.ranges_) {
      if (*first <= range.last && range.first <= *last) {
        why_not = "seed " + std::to_string(std::max(*first, range.first)) + " is there twice";
        return std::nullopt;
      }
    }
    if (*last - *first >= kMostSeeds || list.size_ + (*last - *first + 1) > kMostSeeds) {
      why_not = "these are more than " + std::to_string(kMostSeeds) + " seeds";
      return std::nullopt;
    }
    list.ranges_.push_back({*first, *last});
    list.size_ += *last - *first + 1;
    if (comma == std::string_view::npos) return list;
    text.remove_prefix(comma + 1);
  }
}

std::uint64_t SeedList::operator[](std::uint64_t index) const {
  for (const Range& range : ranges_) {
    const std::uint64_t here = range.last - range.first + 1;
    if (index < here) return range.first + index;
    index -= here;
  }
  SIM_CHECK(false, "a seed beyond the end of the list was asked for");
  return 0;
}

bool SeedList::contains(std::uint64_t seed) const {
  return std::any_of(ranges_.begin(), ranges_.end(),
                     [seed](const Range& range) { return range.first <= seed && seed <= range.last; });
}

std::string SeedList::text() const {
  std::string text;
  for (const Range& range : ranges_) {
    text += (text.empty() ? "" : ",") + std::to_string(range.first);
    if (range.last != range.first) text += "-" + std::to_string(range.last);
  }
  return text;
}

std::optional<Shard> Shard::read(std::string_view text, std::string& why_not) {
  constexpr std::uint64_t kMostShards = 1'000'000;
  const std::size_t slash = text.find('/');
  const auto number = whole(text.substr(0, slash));
  const auto of = slash == std::string_view::npos ? std::nullopt : whole(text.substr(slash + 1));
  if (!number || !of) {
    why_not = "a shard is its number and how many there are, such as 2/8, not \"" + std::string(text) + "\"";
    return std::nullopt;
  }
  if (*of == 0 || *of > kMostShards || *number == 0 || *number > *of) {
    why_not = "there is no shard " + std::string(text) +
              (*of == 0 || *of > kMostShards ? ""
                                             : ": they are 1/" + std::to_string(*of) + " to " +
                                                   std::to_string(*of) + "/" + std::to_string(*of));
    return std::nullopt;
  }
  return Shard{static_cast<std::uint32_t>(*number), static_cast<std::uint32_t>(*of)};
}

}  // namespace sim::sweep
